"""The policy of a rollout's writes: as exact as fits, never empty, and complete for every action that Teal makes."""

import json
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

import pytest

from orchestrator.aws.permissions import WITH_TAGS, WRITES
from orchestrator.core.domain.ids import ListenerArn, RuleArn
from orchestrator.core.domain.phases import Phase
from orchestrator.core.ownership.session_policy import LONGEST, Scope, scope_of
from orchestrator.core.rollout.rule_state import RuleState
from orchestrator.core.rollout.spec import Ending
from tests.builders import LISTENER, RULE
from tests.core.stages import blue, row, rule, spec


def scope(**changes: Any) -> Scope:  # noqa: ANN401 - the fields of Rollout
    found = scope_of(row(Phase.SHIFTING, weight=100, **changes))
    assert found is not None
    return found


def rules(count: int) -> tuple[RuleState, ...]:
    return tuple(rule(100, arn=RuleArn(f"{RULE[:-16]}{number:016}")) for number in range(count))


def resources(policy: str, action: str) -> list[str]:
    """What a policy allows an action on."""
    statements = json.loads(policy)["Statement"]
    return [
        resource
        for one in statements
        if any(fnmatchcase(action, pattern) for pattern in one["Action"])
        for resource in one["Resource"]
    ]


def test_the_exact_policy_names_rules_groups_and_services() -> None:
    exact = scope().policies[0]
    assert resources(exact, "elasticloadbalancing:ModifyRule") == [RULE]
    (groups,) = resources(exact, "elasticloadbalancing:DeleteTargetGroup")
    assert groups.endswith(":targetgroup/teal-checkout-0a1b2c3d-*/*")
    (green,) = resources(exact, "ecs:DeleteService")
    assert green.endswith(":service/prod/checkout-0a1b2c3d")
    assert resources(exact, "ecs:UpdateService") == [green, blue().arn]


def test_a_default_rule_is_written_through_its_listener() -> None:
    exact = scope(rules=(rule(100, is_default=True),)).policies[0]
    assert resources(exact, "elasticloadbalancing:ModifyListener") == [LISTENER]
    assert resources(exact, "elasticloadbalancing:ModifyRule") == []


@pytest.mark.parametrize("ending", [Ending.KEEP, Ending.DELETE])
def test_a_swap_may_take_blue_away(ending: Ending) -> None:
    exact = scope(spec=spec(ending=ending)).policies[0]
    assert blue().arn in resources(exact, "ecs:DeleteService")


@pytest.mark.parametrize("action", [*WRITES, *WITH_TAGS, "iam:PassRole"])
def test_every_write_that_teal_makes_is_allowed_on_something(action: str) -> None:
    known = (rule(100), rule(100, arn=RuleArn(f"{RULE[:-16]}{1:016}"), is_default=True))
    policies = scope(rules=known).policies
    assert len(policies) > 3
    for policy in policies:
        assert resources(policy, action)


@pytest.mark.parametrize(
    ("count", "most_exact"), [(1, RULE), (10, f"arn:*:elasticloadbalancing:*:*:listener-rule/*/{0:016}")]
)
def test_many_rules_are_named_by_their_ids_alone(count: int, most_exact: str) -> None:
    first = scope(rules=rules(count) if count > 1 else (rule(100),)).policies[0]
    found = resources(first, "elasticloadbalancing:ModifyRule")
    assert (len(found), found[0]) == (count, most_exact)


def test_very_many_rules_are_those_of_their_load_balancer() -> None:
    (there, _) = resources(scope(rules=rules(100)).policies[0], "elasticloadbalancing:ModifyRule")
    assert fnmatchcase(RULE, there)
    assert there.count("/") == RULE.count("/") - 1


@pytest.mark.parametrize("length", [1, 100, 255])
@pytest.mark.parametrize("count", [1, 20, 100])
def test_there_is_always_a_policy_that_fits(length: int, count: int) -> None:
    name = "x" * length
    place = blue().arn.rpartition(":service/")[0]
    there = blue(arn=f"{place}:service/{name}/{name}", name=name)
    balancer = f"{LISTENER.rpartition('/app/')[0]}/app/{'y' * 32}/{'0' * 16}/{'1' * 16}"
    many = tuple(replace(one, listener=ListenerArn(balancer)) for one in rules(count))
    policies = scope(blue=there, rules=many).policies
    assert policies
    assert all(len(policy) <= LONGEST for policy in policies)


def test_only_a_rollback_may_pass_over_the_policy() -> None:
    assert not scope().is_way_back
    back = scope_of(row(Phase.ROLLING_BACK, weight=0))
    assert back is not None
    assert back.is_way_back
