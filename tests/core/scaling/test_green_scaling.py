"""Green gets blue's scaling part by part before its traffic, and loses it before its tasks."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.cloud.effects import (
    DeleteAlarms,
    DeregisterScaling,
    PutAlarm,
    PutScalingPolicy,
    PutScheduledAction,
    SetScaling,
)
from orchestrator.core.cloud.forward_action import canonical
from orchestrator.core.cloud.resources import (
    Absent,
    DriverSeen,
    PolicySeen,
    ScalesSeen,
    ScalingSeen,
    ScheduleSeen,
    Unread,
)
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.changes import changed
from orchestrator.core.rollout.handover import Holding
from orchestrator.core.rollout.progress import Intervention, Trial
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.core.scaling import green_scaling
from orchestrator.core.scaling.target_values import suspended
from tests.builders import NOON, good_alarm
from tests.core.stages import (
    GREEN_NAME,
    SCALING,
    asked,
    at,
    baked,
    blue,
    held,
    only,
    recorded,
    rolling_back,
    row,
    rule,
    seen_of,
)

ALARM = "teal-checkout-0a1b2c3d-alarm-0"
CPU = PolicySeen(
    name="cpu", kind="TargetTrackingScaling", configuration=canonical({"TargetValue": 50}), arn="blue:cpu"
)
STEPS = PolicySeen(
    name="steps", kind="StepScaling", configuration=canonical({"Cooldown": 60}), arn="blue:steps"
)
BUSY = DriverSeen(
    name="busy",
    settings=canonical({"Dimensions": [{"Name": "ServiceName", "Value": "checkout"}]}),
    actions=(("AlarmActions", ("blue:steps",)),),
)
NIGHT = ScheduleSeen(name="night", schedule="cron(0 22 * * ? *)", min_capacity=1)
BLUES = ScalesSeen(
    target=SCALING, policies=(CPU, STEPS), schedules=(NIGHT,), drivers=(BUSY,), tags=(("team", "shop"),)
)
GUEST = replace(suspended(SCALING), min_capacity=3)
HELD = Holding(base=SCALING, floor=3, written=(GUEST,), verified=GUEST)  # of blue, whose schedule may act
GREENS = ScalesSeen(
    target=GUEST,
    policies=(replace(CPU, arn="green:cpu"), replace(STEPS, arn="green:steps")),
    schedules=(NIGHT,),
    drivers=(replace(BUSY, name=ALARM, actions=(("AlarmActions", ("green:steps",)),)),),
)


def known(phase: Phase = Phase.PROVISIONING, **of_green: Any) -> Rollout:  # noqa: ANN401 - the fields of Green
    made = row(
        phase, weight=0, blue=blue(scales=BLUES), holding=HELD, ready_since=NOON - timedelta(minutes=1)
    )
    assert made.green is not None
    return changed(made, green=replace(made.green, alarms=(ALARM,), **of_green))


def given(scales: ScalesSeen | Unread | None) -> Any:  # noqa: ANN401 - a Decision
    return at(known(), seen_of(known(), green_scales=scales, scaling=HELD.verified))


def test_the_target_comes_first_with_the_tasks_that_green_has_and_blues_tags() -> None:
    decision = given(ScalesSeen())
    effect = only(decision, SetScaling)
    assert (effect.service, effect.wanted) == (GREEN_NAME, GUEST)
    assert {("team", "shop"), ("teal:managed", "true")} <= set(effect.tags)
    assert decision.rollout.green.is_scaling_asked, "on disk before it is made"
    assert decision.rollout.ticks.created_last == NOON


def test_policies_and_schedules_follow_a_few_at_a_time() -> None:
    decision = given(ScalesSeen(target=GUEST))
    assert asked(decision) == ["put_scaling_policy", "put_scaling_policy", "put_scheduled_action"]
    assert {e.service for e in decision.effects if isinstance(e, PutScalingPolicy | PutScheduledAction)} == {
        GREEN_NAME
    }


def test_an_alarm_is_made_once_the_policy_that_it_drives_is_there() -> None:
    policies = replace(GREENS, drivers=())
    assert "put_alarm" not in asked(given(replace(policies, policies=policies.policies[:1])))
    effect = only(given(policies), PutAlarm)
    assert (effect.name, effect.actions) == (ALARM, (("AlarmActions", ("green:steps",)),))
    assert GREEN_NAME in effect.settings


def test_an_alarm_that_drives_something_else_is_put_right() -> None:
    wrong = replace(GREENS.drivers[0], actions=(("AlarmActions", ("green:gone",)),))
    assert only(given(replace(GREENS, drivers=(wrong,))), PutAlarm).actions == GREENS.drivers[0].actions


def test_traffic_begins_only_once_everything_was_seen() -> None:
    for scales in (ScalesSeen(), replace(GREENS, drivers=()), None):
        assert given(scales).rollout.phase is Phase.PROVISIONING
    decision = given(GREENS)
    assert EventKind.SCALING_GIVEN in recorded(decision)
    assert decision.rollout.phase is Phase.SHIFTING


def test_what_cannot_be_read_holds_and_gives_nothing_twice() -> None:
    decision = given(Unread(why="a test"))
    assert HoldKind.AWS in held(decision)
    assert not decision.effects


@pytest.mark.parametrize(
    "over",
    [
        replace(NIGHT, schedule="at(2026-03-02T11:00:00)"),
        replace(NIGHT, end=NOON),
        replace(NIGHT, schedule="at(no such time)"),
    ],
)
def test_a_schedule_that_is_over_is_not_given(over: ScheduleSeen) -> None:
    assert green_scaling.schedules_of(replace(BLUES, schedules=(over,)), NOON) == ()


def test_a_start_that_has_passed_is_left_out() -> None:
    begun = replace(NIGHT, start=NOON - timedelta(days=1))
    assert green_scaling.schedules_of(replace(BLUES, schedules=(begun,)), NOON) == (NIGHT,)


def test_greens_target_follows_its_count_and_keeps_a_maximum_that_its_schedule_raised() -> None:
    shifting = baked(1, blue=blue(scales=BLUES))
    assert shifting.green is not None
    shifting = changed(shifting, green=replace(shifting.green, desired=4, is_scaling_given=True))
    seen = replace(GUEST, max_capacity=50)
    assert green_scaling.target_of(shifting, seen) == replace(seen, min_capacity=4)


def test_while_green_is_to_have_no_task_nothing_may_start_one() -> None:
    on = Intervention(begun_at=NOON, former=baked(1).plan.steps[0].weight, trial=Trial.NO_TASKS)
    wanted = green_scaling.target_of(baked(1, intervention=on), GUEST)
    assert (wanted.min_capacity, wanted.scale_out_suspended, wanted.scheduled_suspended) == (0, True, True)


# taken away ------------------------------------------------------------------------------------------------------


def leaving(**of_green: Any) -> Rollout:  # noqa: ANN401 - the fields of Green
    made = rolling_back(0, rules=(rule(None),), is_way_clear=True, on_blue_since=NOON - timedelta(minutes=9))
    assert made.green is not None
    assert made.end is not None
    green = replace(made.green, **{"alarms": (ALARM,), "is_scaling_asked": True, **of_green})
    return changed(
        made,
        green=green,
        blue=blue(scales=BLUES),
        end=replace(made.end, traffic_on_blue_at=NOON - timedelta(minutes=9)),
    )


def left(rollout: Rollout, target: ScalingSeen | Absent | Unread, alarm: object) -> Any:  # noqa: ANN401 - a Decision
    return at(rollout, seen_of(rollout, green_scaling=target, alarms={ALARM: alarm}))


def test_greens_scaling_goes_before_its_tasks_are_stopped() -> None:
    decision = left(leaving(), GUEST, good_alarm(name=ALARM))
    assert only(decision, DeregisterScaling).service == GREEN_NAME
    assert only(decision, DeleteAlarms).names == (ALARM,)
    assert "scale_service" not in asked(decision)


def test_once_nothing_can_start_them_the_tasks_are_stopped() -> None:
    decision = left(leaving(), Absent(), Absent())
    assert "scale_service" in asked(decision)
    assert decision.rollout.green.is_scaling_gone


def test_a_write_that_may_come_late_is_waited_for() -> None:
    late = changed(leaving(), created_last=NOON - timedelta(seconds=5))
    decision = left(late, Absent(), Absent())
    assert "scale_service" in asked(decision)
    assert not decision.rollout.green.is_scaling_gone


def test_scaling_that_cannot_be_read_keeps_green() -> None:
    decision = left(leaving(), Unread(why="a test"), Absent())
    assert HoldKind.AWS in held(decision)
    assert "scale_service" not in asked(decision)


def test_a_green_that_was_given_none_is_stopped_at_once() -> None:
    decision = left(leaving(is_scaling_asked=False), Absent(), Absent())
    assert "scale_service" in asked(decision)
