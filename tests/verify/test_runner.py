"""The list of what AWS refuses, asked of whatever account the environment names: of none unless it is named whole."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.verify.beliefs.registry import BELIEFS
from sandbox.wire.skin import Skin
from sandbox.wire.socket import serve
from sandbox.world import AwsRefusal, World, WorldSettings
from tests.verify.account import Unnamed, named_by, open_account
from tests.verify.check import MEMORY, Outcome, made
from tests.verify.place import Answer
from tests.verify.refusals import CHECKS
from tests.verify.test_refusals import HTTPS, START, place, world

NAMED = {
    "TEAL_VERIFY_ACCOUNT": "123456789012",
    "TEAL_VERIFY_VPC": "vpc-0a1b2c3d",
    "TEAL_VERIFY_SUBNETS": "subnet-a,subnet-b",
    "TEAL_VERIFY_SECURITY_GROUP": "sg-0123",
}
ASKED_BY = {
    "a scheduled action in the past": "past-schedule",
    "a client secret is never shown": "client-secret",
    "weights that are all 0 are taken": "weights-of-zero",
    "stickiness that is left out is off": "stickiness-left-out",
    "21 rules by their ARNs": "rules-by-arn",
    "credentials that nobody gave, at ECS": "unknown-credentials",
    "credentials that nobody gave, at Elastic Load Balancing": "unknown-credentials",
}
"""Checks that rest on memory, and the belief of `teal verify-account` that asks the same of an account."""

Here = Callable[[Mapping[str, str], World], list[Outcome]]


def no_pause(_: timedelta) -> None:
    """Nothing is waited for."""


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Here:
    """Ask the list of a World on loopback."""

    def asked(environment: Mapping[str, str]) -> list[Outcome]:
        named = named_by(environment)
        assert named is not None
        account = open_account(named, no_pause)
        try:
            return [made(check, account.place) for check in CHECKS]
        finally:
            assert account.place.close() == []

    def run(environment: Mapping[str, str], account: World) -> list[Outcome]:
        async def served() -> list[Outcome]:
            async with serve(Skin(account)) as url:
                monkeypatch.setenv("AWS_ENDPOINT_URL", url)
                return await asyncio.to_thread(asked, environment)

        return asyncio.run(served())

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "sandbox")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sandbox")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    return run


def an_account() -> World:
    """One that checks what it is asked against botocore's models."""
    return World(start=START, settings=replace(WorldSettings.kind(), validate=True))


@pytest.mark.parametrize("lacking", NAMED)
def test_half_of_what_it_needs_is_refused_by_name(lacking: str) -> None:
    with pytest.raises(Unnamed, match=f"{lacking} must be set too; nothing was asked of AWS"):
        named_by({name: value for name, value in NAMED.items() if name != lacking})


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"TEAL_VERIFY_ACCOUNT": "production"}, "twelve digits"),
        ({"TEAL_VERIFY_SUBNETS": "subnet-a"}, "write two"),
    ],
)
def test_an_account_that_is_named_wrongly_is_refused(changes: Mapping[str, str], says: str) -> None:
    with pytest.raises(Unnamed, match=says):
        named_by({**NAMED, **changes})


@pytest.mark.machine
def test_an_account_that_is_not_meant_is_not_asked(here: Here) -> None:
    account = an_account()
    with pytest.raises(Unnamed, match="credentials are of account 123456789012"):
        here({**NAMED, "TEAL_VERIFY_ACCOUNT": "210987654321"}, account)
    assert {call.operation for call in account.log} == {"GetCallerIdentity"}


@pytest.mark.machine
def test_the_list_runs_on_what_an_endpoint_answers_and_leaves_nothing(here: Here) -> None:
    account = an_account()
    outcomes = here({**NAMED, "TEAL_VERIFY_CERTIFICATE": HTTPS}, account)
    assert [(one.check.name, one.answer) for one in outcomes if not one.is_as_believed] == []
    for service, operation, items in (
        ("elbv2", "DescribeLoadBalancers", "LoadBalancers"),
        ("elbv2", "DescribeTargetGroups", "TargetGroups"),
        ("ecs", "ListClusters", "clusterArns"),
    ):
        assert account.call(service, operation, {})[items] == []


@pytest.mark.machine
def test_without_a_certificate_its_checks_are_not_made(here: Here) -> None:
    outcomes = here(NAMED, an_account())
    (secret,) = (one for one in outcomes if one.check.name == "a client secret is never shown")
    assert secret.is_as_believed is None
    assert "it needs a certificate" in secret.answer


def test_an_answer_that_is_not_as_believed_is_told() -> None:
    def lenient(service: str, operation: str, params: Answer) -> Answer:
        if operation == "DescribeRules" and len(params.get("RuleArns", ())) > 20:
            return {"Rules": []}
        return account.call(service, operation, params)

    account = world()
    here = place(lenient)
    outcomes = {check.name: made(check, here) for check in CHECKS}
    assert outcomes["21 rules by their ARNs"].is_as_believed is False
    assert "it was accepted" in outcomes["21 rules by their ARNs"].answer


def test_what_cannot_be_removed_is_told() -> None:
    def stubborn(service: str, operation: str, params: Answer) -> Answer:
        if operation == "DeleteCluster":
            raise AwsRefusal("ClusterContainsServicesException", "not yet")
        return account.call(service, operation, params)

    account = world()
    here = place(stubborn)
    assert here.service
    assert here.close() == ["ecs DeleteCluster verify: ClusterContainsServicesException: not yet"]


def test_what_rests_on_memory_is_a_belief_that_an_account_can_be_asked() -> None:
    assert {check.name for check in CHECKS if check.source == MEMORY} <= ASKED_BY.keys()
    assert ASKED_BY.keys() <= {check.name for check in CHECKS}
    assert set(ASKED_BY.values()) <= {belief.name for belief in BELIEFS}


def test_nothing_named_is_nobody() -> None:
    assert named_by({"TEAL_VERIFY_CERTIFICATE": HTTPS}) is None
