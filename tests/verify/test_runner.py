"""``make verify-aws``: asks nobody unless it is told to, and runs against what an endpoint answers."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from sandbox.wire.skin import Skin
from sandbox.wire.socket import serve
from sandbox.world import AwsRefusal, World, WorldSettings
from tests.verify.__main__ import main
from tests.verify.account import named_by
from tests.verify.check import MEMORY, made
from tests.verify.marks import MARKS, table
from tests.verify.place import Answer
from tests.verify.refusals import CHECKS
from tests.verify.test_refusals import HTTPS, START, place, world

NAMED = {
    "TEAL_VERIFY_ACCOUNT": "123456789012",
    "TEAL_VERIFY_VPC": "vpc-0a1b2c3d",
    "TEAL_VERIFY_SUBNETS": "subnet-a,subnet-b",
    "TEAL_VERIFY_SECURITY_GROUP": "sg-0123",
}


def said(environment: Mapping[str, str]) -> tuple[int, str]:
    lines: list[str] = []
    code = main(environment, lines.append, pause=lambda _: None)
    return code, "\n".join(lines)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str, World]]:
    """Run it against a World on loopback; `change` is done to the World before."""

    def run(
        environment: Mapping[str, str], change: Callable[[World], None] = lambda _: None
    ) -> tuple[int, str, World]:
        account = World(start=START, settings=replace(WorldSettings.kind(), validate=True))
        change(account)

        async def served() -> tuple[int, str]:
            async with serve(Skin(account)) as url:
                monkeypatch.setenv("AWS_ENDPOINT_URL", url)
                return await asyncio.to_thread(said, environment)

        code, text = asyncio.run(served())
        return code, text, account

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "sandbox")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sandbox")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    return run


@pytest.mark.machine
def test_without_an_account_nothing_is_asked_and_it_says_how(
    here: Callable[..., tuple[int, str, World]],
) -> None:
    code, text, account = here({})
    assert code == 0
    assert "TEAL_VERIFY_ACCOUNT=" in text
    assert "not asked (by: a client secret is never shown" in text
    assert len(account.log) == 0


@pytest.mark.machine
@pytest.mark.parametrize("lacking", NAMED)
def test_half_of_what_it_needs_is_refused_by_name(
    here: Callable[..., tuple[int, str, World]], lacking: str
) -> None:
    code, text, account = here({name: value for name, value in NAMED.items() if name != lacking})
    assert code == 2
    assert text == f"verify-aws: {lacking} must be set too; nothing was asked of AWS"
    assert len(account.log) == 0


@pytest.mark.machine
@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"TEAL_VERIFY_ACCOUNT": "production"}, "twelve digits"),
        ({"TEAL_VERIFY_SUBNETS": "subnet-a"}, "write two"),
        ({"TEAL_VERIFY_ACCOUNT": "210987654321"}, "credentials are of account 123456789012"),
    ],
)
def test_an_account_that_is_not_meant_is_not_asked(
    here: Callable[..., tuple[int, str, World]], changes: Mapping[str, str], says: str
) -> None:
    code, text, account = here({**NAMED, **changes})
    assert code == 2
    assert says in text
    assert {call.operation for call in account.log} <= {"GetCallerIdentity"}


@pytest.mark.machine
def test_the_list_runs_on_what_an_endpoint_answers_and_leaves_nothing(
    here: Callable[..., tuple[int, str, World]],
) -> None:
    code, text, account = here({**NAMED, "TEAL_VERIFY_CERTIFICATE": HTTPS})
    assert code == 0, text
    assert text.count("as believed  ") == len(CHECKS)
    assert "OTHERWISE" not in text
    for service, operation, items in (
        ("elbv2", "DescribeLoadBalancers", "LoadBalancers"),
        ("elbv2", "DescribeTargetGroups", "TargetGroups"),
        ("ecs", "ListClusters", "clusterArns"),
    ):
        assert account.call(service, operation, {})[items] == []


@pytest.mark.machine
def test_without_a_certificate_its_checks_are_not_made(here: Callable[..., tuple[int, str, World]]) -> None:
    code, text, _ = here(NAMED)
    assert code == 0, text
    assert "not made     a client secret is never shown: it needs a certificate" in text


def test_an_answer_that_is_not_as_believed_fails_and_is_told() -> None:
    def lenient(service: str, operation: str, params: Answer) -> Answer:
        if operation == "DescribeRules" and len(params.get("RuleArns", ())) > 20:
            return {"Rules": []}
        return account.call(service, operation, params)

    account = world()
    here = place(lenient)
    outcomes = {check.name: made(check, here) for check in CHECKS}
    lines = list(table(outcomes))
    assert any("otherwise: 21 rules by their ARNs: it was accepted" in line for line in lines)


def test_what_cannot_be_removed_is_told() -> None:
    def stubborn(service: str, operation: str, params: Answer) -> Answer:
        if operation == "DeleteCluster":
            raise AwsRefusal("ClusterContainsServicesException", "not yet")
        return account.call(service, operation, params)

    account = world()
    here = place(stubborn)
    assert here.service
    left = here.close()
    assert left == ["ecs DeleteCluster verify: ClusterContainsServicesException: not yet"]


def test_every_belief_without_a_page_is_in_the_table() -> None:
    asked = {name for mark in MARKS for name in mark.checks}
    assert asked <= {check.name for check in CHECKS}
    assert {check.name for check in CHECKS if check.source == MEMORY} <= asked
    assert all(bool(mark.checks) != bool(mark.otherwise) for mark in MARKS)


def test_nothing_named_is_nobody() -> None:
    assert named_by({"TEAL_VERIFY_CERTIFICATE": HTTPS}) is None
