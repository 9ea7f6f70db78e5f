"""moto, an AWS of others, behind the same door as the World's wire skin: in process, without its server.

What it is asked and what it answers are real clients' own bytes. It has no time, so nothing in it starts, drains or is
evaluated: ``lies.py`` says what that and other shortcuts make of AWS.
"""

import json
import os
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal, cast, get_args

import boto3
from botocore import xform_name
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.backends import get_backend
from moto.core.botocore_stubber import BotocoreStubber

from sandbox.wire.skin import Response, Skin
from sandbox.world import AwsRefusal, World
from sandbox.world.kernel import service_models
from tests.support.inprocess_wire import attach

ACCOUNT, REGION = "123456789012", "eu-west-1"
NOT_THERE: Mapping[str, Mapping[str, Any]] = {
    "ListServiceDeployments": {"serviceDeployments": []},
    "DescribeServiceRevisions": {"serviceRevisions": [], "failures": []},
}
"""Operations of ECS that moto lacks: they are answered with nothing, so that the rest of a survey can be asked."""
os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # thousands, in every new account
CERTIFICATE = {"ServerCertificateName": "verify", "CertificateBody": "x", "PrivateKey": "x"}
Used = Literal["ecs", "elbv2", "cloudwatch", "iam", "applicationautoscaling", "ec2", "sts"]
USED: tuple[Used, ...] = get_args(Used)
_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/([^/]*)/([^/]+)/aws4_request")


class MotoSkin(Skin):
    """Speaks for moto."""

    def __init__(self) -> None:
        self._moto = BotocoreStubber()

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        """moto's answer to a request, which names its service and region in the scope of its signature."""
        given = {name: _text(value) for name, value in headers.items()}
        scope = _SCOPE.search(given.get("Authorization", ""))
        assert scope is not None
        service = service_models.by_signing_name(scope[2])
        assert service is not None
        operation = given.get("X-Amz-Target", "").rpartition(".")[2]
        if operation in NOT_THERE:
            nothing = json.dumps(NOT_THERE[operation]).encode()
            return Response(status=200, headers={"content-type": "application/x-amz-json-1.1"}, body=nothing)
        host = f"{service_models.model(service).endpoint_prefix}.{scope[1]}.amazonaws.com"
        request = AWSPreparedRequest(method, f"https://{host}{path}", given, body, stream_output=False)
        answered = self._moto.process_request(request)
        assert answered is not None, f"moto has no {host}"
        status, more, text = cast("tuple[int, Mapping[str, Any], str | bytes]", answered)
        content = text.encode() if isinstance(text, str) else text
        return Response(status=status, headers={n.lower(): str(v) for n, v in more.items()}, body=content)

    async def handle_patiently(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> Response:
        """As `handle`."""
        return self.handle(method, path, headers, body)


class MotoAccount:
    """An empty account in moto, called in botocore's names and shapes as a World is."""

    def __init__(self) -> None:
        for service in USED:
            get_backend(service).reset()
        self.skin = SKIN
        self.account, self.region = ACCOUNT, REGION
        self.minute = timedelta(minutes=1)
        self._places: dict[str, str] = {}  # what the scenery calls a network: what moto calls it

    def advance(self, duration: timedelta | datetime) -> None:
        """Nothing happens in time here."""

    def call(self, service: str, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """One call. Raises AwsRefusal as moto refuses it."""
        client = _client(service)
        try:
            answer = getattr(client, xform_name(operation))(**self._placed(params))
        except ClientError as error:
            said = error.response["Error"]
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            raise AwsRefusal(said["Code"], said.get("Message", ""), status) from error
        return {name: value for name, value in answer.items() if name != "ResponseMetadata"}

    def certificate(self) -> str:
        """A certificate for an HTTPS listener; its ARN."""
        return str(
            _client("iam").upload_server_certificate(**CERTIFICATE)["ServerCertificateMetadata"]["Arn"]
        )

    def _placed(self, value: Any) -> Any:  # noqa: ANN401 - JSON-like
        """The value with the scenery's subnets and network as moto called them: one cannot choose their ids."""
        if isinstance(value, str) and value.startswith(("subnet-", "vpc-", "sg-")):
            return self._place(value)
        if isinstance(value, Mapping):
            return {name: self._placed(member) for name, member in value.items()}
        if isinstance(value, list | tuple):
            return [self._placed(member) for member in value]
        return value

    def _place(self, name: str) -> str:
        if name in self._places.values():
            return name
        if name not in self._places:
            ec2 = _client("ec2")
            if name.startswith("vpc-"):
                self._places[name] = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
            elif name.startswith("sg-"):
                made = ec2.create_security_group(GroupName=name, Description=name, VpcId=self._network)
                self._places[name] = made["GroupId"]
            else:
                number = sum(known.startswith("subnet-") for known in self._places)
                zone = f"{REGION}{'abc'[number % 3]}"
                made = ec2.create_subnet(
                    VpcId=self._network, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=zone
                )
                self._places[name] = made["Subnet"]["SubnetId"]
        return self._places[name]

    @property
    def _network(self) -> str:
        return self._place(next((n for n in self._places if n.startswith("vpc-")), "vpc-0a1b2c3d"))


SKIN = MotoSkin()  # moto's state is the process's: there is one


@cache
def _client(service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
    session = boto3.session.Session(
        aws_access_key_id="moto", aws_secret_access_key="moto", region_name=REGION
    )
    return attach(session.client(service, config=Config(retries={"total_max_attempts": 1})), SKIN)


def as_world(account: MotoAccount) -> World:
    """For `furnish`, which builds all that it builds by calls."""
    return cast(World, account)


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
