"""The dry run: what is made, what it costs, how long it takes, and which permissions it needs."""

import json
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from orchestrator.aws.client.errors import iam_action
from orchestrator.core.domain.errors import Invalid
from orchestrator.verify.beliefs.registry import BELIEFS
from orchestrator.verify.plan import dry_run, words_of
from orchestrator.verify.policy import POLICY_MAX, partition_of
from orchestrator.verify.run import part_names
from orchestrator.verify.wanted import Wanted, checked
from tests.verify.stage import WANTED, Stage

SERVICE = Wanted(id=WANTED.id, service="prod/checkout")
SIZE = {"separators": (",", ":")}


@pytest.mark.parametrize("wanted", [WANTED, SERVICE, replace(WANTED, parts=frozenset({"good"}))])
def test_the_policy_fits_a_managed_policy(wanted: Wanted) -> None:
    policy = dry_run(wanted, "eu-west-1").policy
    assert len(json.dumps(policy, separators=(",", ":"))) <= POLICY_MAX


def test_the_policy_allows_every_call_that_a_whole_run_makes(tmp_path: Path) -> None:
    with Stage(tmp_path) as stage:
        stage.play(replace(WANTED, parts=frozenset({"preflight", "good", "direct", "beliefs"})))
        statements: Any = dry_run(WANTED, "eu-west-1").policy["Statement"]
        allowed = {action for statement in statements for action in statement["Action"]}
        made = {iam_action(call.service, call.operation) for call in stage.log.calls}
        assert made - allowed == {"sts:GetCallerIdentity"}  # which takes no permission


def test_writes_are_allowed_on_what_the_run_makes_and_no_service_of_another_cluster() -> None:
    statements: Any = dry_run(WANTED, "eu-west-1").policy["Statement"]
    containers = next(one for one in statements if one["Sid"] == "Containers")
    other = "arn:aws:ecs:eu-west-1:123456789012:service/prod/checkout"
    assert not any(fnmatchcase(other, pattern) for pattern in containers["Resource"])


def test_fewer_parts_take_less_time_and_money_and_fewer_permissions() -> None:
    whole, part = (
        dry_run(WANTED, "eu-west-1"),
        dry_run(replace(WANTED, parts=frozenset({"good"})), "eu-west-1"),
    )
    assert part.minutes < whole.minutes
    assert part.dollars is not None
    assert whole.dollars is not None
    assert 0 < part.dollars < whole.dollars < 2
    assert "PutCompositeAlarm" in json.dumps(whole.policy)
    assert "PutCompositeAlarm" not in json.dumps(part.policy)


def test_the_words_say_what_is_made_and_whose_prices_of_when_they_are() -> None:
    text = "\n".join(words_of(dry_run(WANTED, "eu-west-1")))
    assert "teal-verify-0a1b2c3d" in text
    assert "us-east-1 in 2026-01" in text
    assert all(belief.name in text for belief in BELIEFS)


@pytest.mark.parametrize(
    ("region", "partition"), [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_the_partition_is_the_regions(region: str, partition: str) -> None:
    assert partition_of(region) == partition


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"subnets": ("subnet-0aaa",)}, "two subnets are needed"),
        ({"subnets": ("subnet-0aaa", "subnet-0aaa")}, "two subnets are needed"),
        ({"subnets": ("subnet-0aaa", "10.0.0.0/24")}, "is no subnet's id"),
        ({"security_group": ""}, "a security group is needed"),
        ({"service": "checkout"}, "names no service"),
        ({"service": "prod/checkout"}, "name one of them"),
        ({"listener": "arn:aws:nonsense"}, "no ARN of an application load balancer's listener"),
        ({"parts": frozenset({"godo"})}, "there is no part godo"),
    ],
)
def test_what_a_run_cannot_be_made_of_is_refused_with_what_to_write_instead(
    changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(Invalid, match=says):
        checked(replace(WANTED, **changes), part_names())


def test_a_run_on_a_service_needs_its_name_alone() -> None:
    assert checked(SERVICE, part_names()) is SERVICE


LISTENER = (
    "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2"
)
ELB = "arn:aws:elasticloadbalancing:eu-west-1:123456789012"
OTHERS = {
    "elasticloadbalancing:ModifyRule": f"{ELB}:listener-rule/app/shop/1/2/3",
    "elasticloadbalancing:DeleteRule": f"{ELB}:listener-rule/app/shop/1/2/3",
    "elasticloadbalancing:CreateRule": f"{ELB}:listener/app/shop/1/2",
    "elasticloadbalancing:DeleteTargetGroup": f"{ELB}:targetgroup/teal-payments-1-0/1",
    "elasticloadbalancing:DeleteLoadBalancer": f"{ELB}:loadbalancer/app/teal-verify-ffffffff/1",
    "ecs:UpdateService": "arn:aws:ecs:eu-west-1:123456789012:service/prod/payments",
    "ecs:RegisterTaskDefinition": "arn:aws:ecs:eu-west-1:123456789012:task-definition/payments:1",
    "cloudwatch:DeleteAlarms": "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:teal-payments-1-alarm-0",
    "iam:PassRole": "arn:aws:iam::123456789012:role/admin",
    "iam:CreateServiceLinkedRole": "arn:aws:iam::123456789012:role/admin",
    "sts:AssumeRole": "arn:aws:iam::123456789012:role/admin",
}
"""What belongs to nobody's run, by the action that would change it."""


@pytest.mark.parametrize("action", OTHERS)
@pytest.mark.parametrize(
    "wanted", [WANTED, replace(WANTED, listener=LISTENER), SERVICE], ids=["own", "listener", "named"]
)
def test_no_write_is_allowed_on_what_is_not_the_runs(wanted: Wanted, action: str) -> None:
    statements: Any = dry_run(wanted, "eu-west-1").policy["Statement"]
    patterns = [one for each in statements if action in each["Action"] for one in each["Resource"]]
    assert not [pattern for pattern in patterns if fnmatchcase(OTHERS[action], pattern)]


def test_on_a_named_listener_only_the_rule_with_the_runs_tag_may_be_changed() -> None:
    statements: Any = dry_run(replace(WANTED, listener=LISTENER), "eu-west-1").policy["Statement"]
    for action in ("elasticloadbalancing:ModifyRule", "elasticloadbalancing:DeleteRule"):
        (found,) = (one for one in statements if action in one["Action"])
        assert found["Condition"] == {"StringEquals": {"aws:ResourceTag/teal:verify": WANTED.id}}


@pytest.mark.parametrize("wanted", [WANTED, SERVICE])
def test_what_is_allowed_on_everything_is_said_beside_it(wanted: Wanted) -> None:
    plan = dry_run(wanted, "eu-west-1")
    statements: Any = plan.policy["Statement"]
    anywhere = {one["Sid"] for one in statements if "*" in one["Resource"]}
    assert anywhere == {"Read", "Revisions", "Scaling"}
    text = "\n".join(words_of(plan))
    for said in ("reads on everything", "ecs:DeregisterTaskDefinition, and scalable targets of ECS"):
        assert said in text


def test_for_a_service_that_is_the_users_no_price_is_named_and_it_is_said_what_may_cost() -> None:
    plan = dry_run(SERVICE, "eu-west-1")
    text = "\n".join(words_of(plan))
    assert plan.dollars is None
    assert plan.prices == ()
    assert "dollars" not in text
    assert "a green of as many tasks as your service runs" in text


def test_prices_are_called_general_and_to_be_checked() -> None:
    assert "general ones, which are to be checked" in "\n".join(words_of(dry_run(WANTED, "eu-west-1")))
