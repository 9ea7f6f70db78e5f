"""What AWS refuses, the World refuses too: at the port, over the wire, and by moto where it does."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from sandbox.wire.skin import Skin
from sandbox.world import World, WorldSettings
from tests.contract.moto_cloud import MotoAccount
from tests.support.inprocess_wire import attach
from tests.verify.account import calls_of
from tests.verify.check import Check, made
from tests.verify.lies import LIES
from tests.verify.place import Call, Place
from tests.verify.refusals import CHECKS
from tests.verify.refusals_of_load_balancing import LOAD_BALANCING

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
HTTPS = "arn:aws:acm:eu-west-1:123456789012:certificate/1"


def place(call: Call, stranger: Call | None = None) -> Place:
    return Place(
        call=call,
        stranger=stranger,
        name="verify",
        vpc="vpc-0a1b2c3d",
        subnets=("subnet-a", "subnet-b"),
        security_groups=("sg-0123",),
        certificate=HTTPS,
    )


def world() -> World:
    return World(start=START, settings=replace(WorldSettings.kind(), validate=True))


def named(check: Check) -> str:
    return check.name


@pytest.mark.parametrize("check", CHECKS, ids=named)
def test_the_world_answers_as_aws(check: Check) -> None:
    outcome = made(check, place(world().call))
    if outcome.is_as_believed is None:
        assert outcome.answer == "it needs requests that are signed"
    else:
        assert outcome.is_as_believed, outcome.answer


@pytest.mark.parametrize("check", [check for check in LOAD_BALANCING if check.code], ids=named)
def test_a_refused_write_changes_no_rule(check: Check) -> None:
    here = place(world().call)
    before = here.actions()
    made(check, here)
    assert here.actions() == before


class OverTheWire(boto3.session.Session):  # type: ignore[misc]  # boto3 has no types
    """A session whose clients a skin answers."""

    def __init__(self, skin: Skin, **credentials: str) -> None:
        super().__init__(region_name="eu-west-1", **credentials)
        self._skin = skin

    def client(self, service: str, **more: Any) -> Any:  # noqa: ANN401 - as boto3's
        return attach(super().client(service, **more), self._skin)


def session(skin: Skin, key: str) -> boto3.session.Session:
    token = {"aws_session_token": "nobody"} if key.startswith("ASIA") else {}
    return OverTheWire(skin, aws_access_key_id=key, aws_secret_access_key="x", **token)


def test_the_wire_skin_answers_as_aws() -> None:
    skin = Skin(world())
    calls, stranger = calls_of(session(skin, "AKIASANDBOX")), calls_of(session(skin, "ASIANOBODY"))
    here = place(calls, stranger)
    # One place for all of them, as on a real account: no check stands in the way of another.
    outcomes = [made(check, here) for check in CHECKS]
    assert [(o.check.name, o.answer) for o in outcomes if not o.is_as_believed] == []


@pytest.mark.long
@pytest.mark.parametrize(
    "check",
    [
        pytest.param(
            check,
            marks=[pytest.mark.xfail(reason=LIES[check.name], strict=True)] if check.name in LIES else [],
        )
        for check in CHECKS
    ],
    ids=named,
)
def test_moto_answers_as_aws(check: Check) -> None:
    account = MotoAccount()
    certificate = account.certificate()
    outcome = made(check, replace(place(account.call), certificate=certificate))
    if outcome.is_as_believed is None:
        assert outcome.answer == "it needs requests that are signed"
    else:
        assert outcome.is_as_believed, outcome.answer


def test_every_lie_is_about_a_check() -> None:
    assert LIES.keys() <= {check.name for check in CHECKS}
    assert len({check.name for check in CHECKS}) == len(CHECKS)
