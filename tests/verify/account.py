"""A real account, or whatever stands for one at the endpoint that the environment names."""

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from sandbox.world.kernel.errors import AwsRefusal
from tests.verify.place import Answer, Call, Place

ACCOUNT = "TEAL_VERIFY_ACCOUNT"
PLACE = ("TEAL_VERIFY_VPC", "TEAL_VERIFY_SUBNETS", "TEAL_VERIFY_SECURITY_GROUP")
CERTIFICATE = "TEAL_VERIFY_CERTIFICATE"


class Unnamed(Exception):
    """The environment does not name an account that may be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What the environment names."""

    number: str
    vpc: str
    subnets: tuple[str, ...]
    security_group: str
    certificate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The account, and the place in it."""

    number: str
    place: Place


def named_by(environment: Mapping[str, str]) -> Named | None:
    """What the environment names; None: nothing at all. Raises Unnamed for half of it."""
    number = environment.get(ACCOUNT, "")
    given = [environment.get(name, "") for name in PLACE]
    if not number and not any(given):
        return None
    lacking = [name for name in (ACCOUNT, *PLACE) if not environment.get(name)]
    if lacking:
        raise Unnamed(f"{', '.join(lacking)} must be set too; nothing was asked of AWS")
    vpc, subnets, group = given
    if not re.fullmatch(r"\d{12}", number):
        raise Unnamed(f"{ACCOUNT} is {number!r}: write the account's twelve digits")
    if len(subnets.split(",")) < 2:
        raise Unnamed(
            "TEAL_VERIFY_SUBNETS names one subnet: write two, of two zones, with a comma between them"
        )
    return Named(
        number=number,
        vpc=vpc,
        subnets=tuple(subnet.strip() for subnet in subnets.split(",")),
        security_group=group,
        certificate=environment.get(CERTIFICATE, ""),
    )


def open_account(named: Named, pause: Callable[[timedelta], None]) -> Account:
    """The account of the credentials that are found. Raises Unnamed if it is another than the one that is named."""
    call = calls_of(boto3.session.Session())
    try:
        found = call("sts", "GetCallerIdentity", {})["Account"]
    except (AwsRefusal, BotoCoreError) as error:
        raise Unnamed(f"AWS does not say whose credentials these are: {error}") from error
    if found != named.number:
        raise Unnamed(
            f"the credentials are of account {found}, and {ACCOUNT} names {named.number}; nothing was asked"
        )
    nobody = boto3.session.Session(
        aws_access_key_id="ASIAAAAAAAAAAAAAAAAA", aws_secret_access_key="nobody", aws_session_token="nobody"
    )
    place = Place(
        call=call,
        stranger=calls_of(nobody),
        name=f"teal-verify-{secrets.token_hex(3)}",
        vpc=named.vpc,
        subnets=named.subnets,
        security_groups=(named.security_group,),
        certificate=named.certificate,
        pause=pause,
    )
    return Account(number=named.number, place=place)


def calls_of(session: boto3.session.Session) -> Call:
    """The calls of a session's clients. Each raises AwsRefusal as AWS refuses it."""
    clients: dict[str, Any] = {}
    config = Config(retries={"total_max_attempts": 5, "mode": "standard"})

    def call(service: str, operation: str, params: Answer) -> Answer:
        if service not in clients:
            clients[service] = session.client(service, config=config)
        try:
            answer = getattr(clients[service], xform_name(operation))(**params)
        except ClientError as error:
            said = error.response["Error"]
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            raise AwsRefusal(said["Code"], said.get("Message", ""), status) from error
        return {name: value for name, value in answer.items() if name != "ResponseMetadata"}

    return call
