"""What a direct rollback and an abandoned rollout print is run as it stands: then all is as it was, to the letter."""

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.core.break_glass.leftovers import commands, leftovers
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.engine.direct_rollback import DirectEnd
from sandbox.scenarios.scenery_scaling import scale_by
from sandbox.world.kernel.faults import Fault
from tests.cases.rule_stage import foreign_group, make_sessions_sticky, make_sticky, on_https
from tests.cases.showcase import look
from tests.direct.glass import Glass
from tests.direct.test_with_engine import blue_rolling, provisioning, shifting, watching
from tests.support import aws_cli
from tests.support.everything import OF_TIME, difference, sorted_out

Moment = Callable[[Rollout], object]
OF_TASKS = {
    r"ecs DescribeServices \S+\.(deployments|events|currentService(Deployment|Revisions))\b": "ECS's own record",
    r"ecs (ListServiceDeployments|ListTasks|DescribeTasks) ": "ECS's own record",
    r"elbv2 DescribeTargetHealth ": "where tasks are",
}
MOMENTS: list[Moment] = [provisioning, shifting, watching, blue_rolling]


def rule_of(glass: Glass, actions: list[dict[str, Any]], number: int) -> str:
    asked = {
        "ListenerArn": glass.scenery.listeners[0],
        "Priority": 2000 + number,
        "Conditions": [{"Field": "path-pattern", "Values": [f"/{number}/*"]}],
        "Actions": actions,
    }
    return str(glass.world.call("elbv2", "CreateRule", asked)["Rules"][0]["RuleArn"])


def furnished(**settings: Any) -> Glass:  # noqa: ANN401 - a Glass's
    """Rules of each kind: alone, with OIDC, 90/10 and 100/0 with another team, another team first, sticky."""
    glass = Glass(requests_per_second=60, **settings)
    blue, other = glass.scenery.target_group, foreign_group(glass, "other")
    made = [
        rule_of(glass, [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}], number)
        for number, groups in enumerate(
            (
                [{"TargetGroupArn": blue, "Weight": 90}, {"TargetGroupArn": other, "Weight": 10}],
                [{"TargetGroupArn": blue, "Weight": 100}, {"TargetGroupArn": other, "Weight": 0}],
                [{"TargetGroupArn": other, "Weight": 1}, {"TargetGroupArn": blue, "Weight": 3}],
                [{"TargetGroupArn": blue, "Weight": 7}],
            )
        )
    ]
    glass.scenery = replace(glass.scenery, rules=(*glass.scenery.rules, *on_https(glass), *made))
    glass.let_run(2 * glass.world.minute)
    return glass


@pytest.fixture(params=["scales", "does not scale"])
def stage(request: pytest.FixtureRequest) -> Iterator[Glass]:
    with furnished(scalable=request.param == "scales") as glass:
        if request.param == "scales":
            scale_by(glass.world, glass.scenery, "requests", "steps", "evening", target=215.0)
        yield glass


def differs(before: dict[str, Any], glass: Glass) -> list[str]:
    _, others = sorted_out(difference(before, look(glass)), OF_TIME | OF_TASKS)
    return others


def run_all(glass: Glass, printed: tuple[str, ...]) -> None:
    """As a person pastes them, one after the other, with no engine beside."""
    for command in printed:
        if not aws_cli.run(glass.world, command):
            pass_time(glass, 300)
    pass_time(glass, 90)


def pass_time(glass: Glass, seconds: float) -> None:
    glass.run(asyncio.sleep(seconds))


def greens_weights(glass: Glass, ended: DirectEnd) -> list[int]:
    greens = ended.place.greens
    return [n for rule in glass.weights() for group, n in rule.items() if group in greens and n]


def left_alone(glass: Glass, moment: Moment) -> RolloutId:
    rollout = glass.start(glass.spec(f"{glass.scenery.service}:2"))
    glass.die_when(rollout, moment)
    return rollout


@pytest.mark.parametrize("moment", MOMENTS)
def test_commands_that_a_direct_rollback_prints_put_all_as_it_was(stage: Glass, moment: Moment) -> None:
    stage.revision()
    before = look(stage)
    left_alone(stage, moment)
    ended = stage.bring_home()
    assert not greens_weights(stage, ended), stage.told
    run_all(stage, commands(ended.place))
    assert differs(before, stage) == [], (leftovers(ended.place), commands(ended.place))


@pytest.mark.parametrize("moment", [shifting, watching])
def test_direct_rollback_writes_the_first_weights_of_others_itself(stage: Glass, moment: Moment) -> None:
    stage.revision()
    first = stage.weights()
    left_alone(stage, moment)
    ended = stage.bring_home()
    greens = ended.place.greens
    now = [{group: n for group, n in rule.items() if group not in greens} for rule in stage.weights()]
    shared = [(was, is_) for was, is_ in zip(first, now, strict=True) if len(was) > 1]
    assert len(shared) == 4
    assert all(was == is_ for was, is_ in shared)
    assert not greens_weights(stage, ended)


def test_engine_that_returns_takes_the_first_weights_for_a_rollback(stage: Glass) -> None:
    stage.revision()
    before = look(stage)
    rollout = left_alone(stage, watching)
    stage.bring_home()
    assert stage.until(rollout).phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert differs(before, stage) == [], stage.story(rollout)


def test_green_that_left_a_sticky_rule_is_still_named_with_its_commands() -> None:
    with furnished(scalable=False) as glass:
        make_sticky(glass)
        comes_back(glass)


def test_stickiness_that_aws_demands_beside_green_goes_with_green() -> None:
    with Glass(scalable=False) as glass:
        make_sessions_sticky(glass)
        comes_back(glass)


def comes_back(glass: Glass) -> None:
    glass.revision()
    before = look(glass)
    left_alone(glass, watching)
    ended = glass.bring_home()
    assert any(words.startswith("target group teal-") for words in leftovers(ended.place))
    run_all(glass, commands(ended.place))
    assert differs(before, glass) == [], commands(ended.place)


def test_weights_that_another_team_moved_stay_theirs(stage: Glass) -> None:
    stage.revision()
    left_alone(stage, shifting)
    arn = stage.scenery.rules[-4]  # 90/10
    (rule,) = stage.world.call("elbv2", "DescribeRules", {"RuleArns": [arn]})["Rules"]
    for group in rule["Actions"][0]["ForwardConfig"]["TargetGroups"]:
        if "/other/" in group["TargetGroupArn"]:
            group["Weight"] = 600
    stage.world.call("elbv2", "ModifyRule", {"RuleArn": arn, "Actions": rule["Actions"]})
    ended = stage.bring_home()
    assert any("green's tags do not say, or somebody else" in words for words in leftovers(ended.place))
    run_all(stage, commands(ended.place))
    (found,) = [rule for rule in stage.weights() if 600 in rule.values()]
    assert len(found) == 2


@pytest.mark.parametrize("moment", MOMENTS)
def test_commands_that_an_abandoned_rollout_names_put_all_as_it_was(stage: Glass, moment: Moment) -> None:
    stage.revision()
    before = look(stage)
    rollout = left_alone(stage, moment)
    stage.command(rollout, CommandKind.ABANDON)
    assert stage.until(rollout).phase is Phase.ABANDONED
    (ended,) = stage.events(rollout, EventKind.ENDED)
    printed = tuple(str(dict(ended.event.facts)["commands"]).splitlines())
    assert all(command in ended.event.message for command in printed if " wait " not in command)
    run_all(stage, printed)
    assert differs(before, stage) == [], printed


def test_an_abandoned_rollouts_write_that_was_not_read_back_is_put_back_too(stage: Glass) -> None:
    """From the first write of a rule on AWS tells nobody of rules any more."""
    stage.revision()
    before = look(stage)
    blind = Fault(operation="DescribeRules", kind="unavailable", times=100_000)
    stage.world.faults.before("ModifyRule", 1, lambda _: stage.world.faults.add(blind))
    rollout = left_alone(stage, lambda row: row.phase is Phase.PREPARING and row.rules[0].wanted is not None)
    stage.command(rollout, CommandKind.ABANDON)
    stage.until(rollout)
    stage.world.faults.clear()
    (ended,) = stage.events(rollout, EventKind.ENDED)
    assert "may forward to" in ended.event.message
    run_all(stage, tuple(str(dict(ended.event.facts)["commands"]).splitlines()))
    assert differs(before, stage) == []


def test_values_are_said_from_and_to(stage: Glass) -> None:
    stage.revision()
    left_alone(stage, watching)
    ended = stage.bring_home()
    words = " | ".join(leftovers(ended.place))
    assert "other 100, and to" not in words
    assert ", and to checkout-blue 90/other 10 at first" in words
    if stage.scenery.rules and ended.place.scaling is not None:
        assert "blue's minimum is 3, and was 2 at first" in words
        assert "-alarm-0" in words
        (target,) = [
            one for one in commands(ended.place) if "register-scalable-target" in one and "--min" in one
        ]
        assert "--min-capacity 2 --max-capacity 12" in target
        assert json.loads(target.split("'")[1])["DynamicScalingInSuspended"] is False
