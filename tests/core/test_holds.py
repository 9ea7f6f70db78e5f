"""Holds and clocks: what each kind of waiting counts towards, when a limit is reached, and when people are paged.

``phases/test_shifting.py`` holds the first table of each; here are the edges, and what happens over several ticks.
"""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from orchestrator.core.cloud.resources import TargetsSeen, Unread
from orchestrator.core.domain.commands import Actor, CommandKind
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.phases import Phase
from orchestrator.core.evaluation.approvals import BEFORE_TRAFFIC
from orchestrator.core.rollout.changes import changed
from orchestrator.core.rollout.progress import Approval, Bake
from orchestrator.core.rollout.rollout import Decision, HoldKind, Paged, Rollout
from orchestrator.core.rollout.spec import ApprovalSpec, Limits, LimitThen, OnFailure
from orchestrator.core.tick.seen import Failure
from tests.builders import BLUE_GROUP, FORMER, NOON, RULE, WANTED, good_alarm
from tests.core.stages import (
    AUTHOR,
    GREEN_GROUP,
    GREEN_NAME,
    MINUTE,
    OPERATOR,
    a_command,
    at,
    baked,
    blue,
    commanded,
    held,
    metrics,
    plan,
    recorded,
    row,
    seen_of,
    service,
    settling,
    spec,
)

POLL = timedelta(seconds=15)
SECOND = timedelta(seconds=1)
ROLLBACK, HOLD = LimitThen.ROLLBACK, LimitThen.HOLD
HEALTHY = TargetsSeen(healthy=3)
UNREAD = Unread(why="throttled")


def later(known: Rollout, *, ticks: int, every: timedelta = POLL, **changes: Any) -> list[Decision]:  # noqa: ANN401
    """So many further ticks, in each of which the same is seen."""
    decisions: list[Decision] = []
    for n in range(1, ticks + 1):
        now = NOON + n * every
        decisions.append(at(known, seen_of(known, **changes), now=now))
        known = decisions[-1].rollout
    return decisions


# the clock of a bake -----------------------------------------------------------------------------------------------


LONG = spec(plan=plan((100, 60), (1000, 60)))


def half_baked(**changes: Any) -> Rollout:  # noqa: ANN401 - the fields of Rollout
    return baked(10, **{"spec": LONG, "ticked_at": NOON, "observed_at": NOON, **changes})


@pytest.mark.parametrize(
    ("known", "changes"),
    [
        pytest.param(half_baked(), {}, id="nothing in the way"),
        pytest.param(half_baked(paused_by=AUTHOR), {}, id="paused"),
        pytest.param(half_baked(), {"alarms": {"checkout-5xx": UNREAD}}, id="a gate holds"),
        pytest.param(half_baked(), {"blue": service("checkout", FORMER, desired=2)}, id="blue is too small"),
        pytest.param(half_baked(failed="guard: a test"), {}, id="a failure that the file holds"),
    ],
)
def test_pauses_and_holds_do_not_stop_a_bake(known: Rollout, changes: dict[str, Any]) -> None:
    last = later(known, ticks=4, **changes)[-1].rollout
    assert last.progress.bake.done == known.progress.bake.done + 4 * POLL


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"green": UNREAD}, id="green is unread"),
        pytest.param({"blue": UNREAD}, id="blue is unread"),
        pytest.param({"blue": None}, id="blue was not looked at"),
        pytest.param(
            {"targets": {BLUE_GROUP: HEALTHY, GREEN_GROUP: UNREAD}}, id="green's targets are unread"
        ),
        pytest.param({"targets": {BLUE_GROUP: UNREAD, GREEN_GROUP: HEALTHY}}, id="blue's targets are unread"),
        pytest.param({"targets": {}}, id="no target was looked at"),
        pytest.param({"rules": {RULE: UNREAD}}, id="the rule is unread"),
    ],
)
def test_time_in_which_something_could_not_be_seen_does_not_bake(changes: dict[str, Any]) -> None:
    known = half_baked()
    blind = later(known, ticks=4, **changes)[-1].rollout
    assert blind.progress.bake == known.progress.bake
    first = at(blind, seen_of(known), now=NOON + 5 * POLL).rollout
    assert first.progress.bake.done == known.progress.bake.done, (
        "what lies between the last two looks was not seen either"
    )
    second = at(first, seen_of(known), now=NOON + 6 * POLL).rollout
    assert second.progress.bake.done == known.progress.bake.done + POLL


@pytest.mark.parametrize(
    ("gap", "counted"),
    [
        pytest.param(POLL, POLL, id="a tick on time"),
        pytest.param(2 * POLL + 2 * SECOND, 2 * POLL + 2 * SECOND, id="one tick was missed"),
        pytest.param(2 * POLL + 3 * SECOND, timedelta(0), id="nobody was looking"),
        pytest.param(timedelta(hours=3), timedelta(0), id="the server was down"),
    ],
)
def test_down_time_does_not_bake(gap: timedelta, counted: timedelta) -> None:
    known = half_baked()
    assert at(known, now=NOON + gap).rollout.progress.bake.done == known.progress.bake.done + counted


def test_the_watch_looks_once_a_period_and_all_of_it_counts() -> None:
    known = baked(10, phase=Phase.WATCHING, step=2, ticked_at=NOON, observed_at=NOON)
    first, second = later(known, ticks=2, every=MINUTE)
    assert first.wake_at == NOON + MINUTE + known.spec.metrics.look_gap, (
        "a new datapoint has its second look soon"
    )
    quiet = later(known, ticks=1, every=MINUTE, metrics=dict.fromkeys(metrics(known), ()))[-1]
    assert quiet.wake_at == NOON + 2 * MINUTE
    assert second.rollout.progress.bake.done == known.progress.bake.done + 2 * MINUTE


def test_a_tick_is_planned_for_the_moment_a_bake_ends() -> None:
    known = baked(5, bake=Bake(since=NOON - 5 * MINUTE, done=5 * MINUTE - 20 * SECOND))
    decision = at(known)  # 15 s more are counted now: 5 s are left
    assert decision.wake_at == NOON + 5 * SECOND
    assert decision.rollout.waiting.waiting_for == "its bake: 5 s to go"


# limits.hold -------------------------------------------------------------------------------------------------------


SHORT = Limits(hold=MINUTE)
NO_ALARM: dict[str, Any] = {"alarms": {"checkout-5xx": UNREAD}}


def holding(limits: Limits = SHORT, **changes: Any) -> Rollout:  # noqa: ANN401 - the fields of Rollout
    """A step that is over but for one gate, with no time held yet."""
    return baked(5, **{"spec": spec(limits=limits), "ticked_at": NOON, "observed_at": NOON, **changes})


def test_a_hold_that_lasts_rolls_back_at_its_limit_and_not_before() -> None:
    decisions = later(holding(), ticks=4, **NO_ALARM)
    assert [d.rollout.phase for d in decisions] == [Phase.SHIFTING] * 3 + [Phase.ROLLING_BACK]
    assert decisions[-1].rollout.end is not None
    assert decisions[-1].rollout.end.reason.startswith(
        "held for 1 min: alarms: alarm checkout-5xx is not there"
    )


def test_a_hold_that_may_last_calls_people_once_and_changes_nothing() -> None:
    decisions = later(holding(replace(SHORT, then=HOLD)), ticks=8, **NO_ALARM)
    assert [EventKind.PAGED in recorded(d) for d in decisions] == [False] * 3 + [True] + [False] * 4
    assert {d.rollout.phase for d in decisions} == {Phase.SHIFTING}


def test_people_are_called_again_for_another_standstill() -> None:
    first = later(holding(replace(SHORT, then=HOLD)), ticks=4, **NO_ALARM)[-1]
    assert EventKind.PAGED in recorded(first)
    moved = at(first.rollout, now=NOON + 5 * POLL).rollout
    assert (moved.progress.step, moved.waiting.paged) == (1, ())
    stuck = changed(moved, held=MINUTE, ticked_at=NOON + 5 * POLL)
    again = at(stuck, seen_of(stuck, blue=UNREAD), now=NOON + 6 * POLL)
    assert EventKind.PAGED in recorded(again)


def test_what_people_were_paged_for_swallows_no_other_reason() -> None:
    """Credentials were gone for a moment, and settling then lasts too long: both are told."""
    known = changed(
        settling(), paged=(Paged(about="access", at=NOON),), phase_since=NOON - 2 * Limits().settle
    )
    assert EventKind.PAGED in recorded(at(known))


def test_what_lasts_is_told_again_after_the_time_that_the_file_names() -> None:
    limits = replace(SHORT, then=HOLD, page_again=2 * MINUTE)
    decisions = later(holding(limits), ticks=20, **NO_ALARM)
    told = [event for d in decisions for event in d.events if event.kind is EventKind.PAGED]
    assert [later_.at - earlier.at for earlier, later_ in pairwise(told)] == [2 * MINUTE] * (len(told) - 1)
    assert len(told) > 1
    assert told[1].message.startswith("still: held for 1 min: ")
    never = later(holding(replace(limits, page_again=timedelta(0))), ticks=20, **NO_ALARM)
    assert sum(EventKind.PAGED in recorded(d) for d in never) == 1


def test_blue_that_fails_in_settling_calls_people_although_they_were_called_before() -> None:
    called = changed(baked(31, phase=Phase.WATCHING, step=2), paged=(Paged(about="hold", at=NOON),))
    begun = at(called).rollout
    assert (begun.phase, begun.waiting.paged) == (Phase.SETTLING, ())
    undone = changed(settling(), paged=begun.waiting.paged)
    seen = seen_of(undone, blue=service("checkout", FORMER))
    failing = at(at(undone, seen).rollout, seen, now=NOON + 10 * SECOND)
    assert EventKind.PAGED in recorded(failing)


def test_time_paused_by_a_person_is_not_held_time() -> None:
    paused = later(holding(paused_by=OPERATOR, held=30 * SECOND), ticks=10, **NO_ALARM)[-1].rollout
    assert (paused.phase, paused.waiting.held) == (Phase.SHIFTING, 30 * SECOND)
    resumed = commanded(changed(paused, ticked_at=NOON), a_command(CommandKind.RESUME)).rollout
    assert resumed.phase is not Phase.ROLLING_BACK


def test_a_pause_alone_is_held_for_ever() -> None:
    paused = baked(5, paused_by=OPERATOR, spec=spec(limits=Limits(hold=timedelta(0))))
    assert at(paused).rollout.phase is Phase.SHIFTING
    assert held(at(paused)) == {HoldKind.PAUSED}


def test_down_time_is_not_held_time() -> None:
    known = holding(held=30 * SECOND)
    decision = at(known, seen_of(known, **NO_ALARM), now=NOON + timedelta(hours=5))
    assert (decision.rollout.phase, decision.rollout.waiting.held) == (Phase.SHIFTING, 30 * SECOND)


def test_held_time_is_counted_across_reasons_and_forgotten_once_nothing_holds() -> None:
    first = at(holding(held=SECOND), seen_of(holding(), **NO_ALARM), now=NOON + POLL).rollout
    second = at(first, seen_of(first, blue=UNREAD), now=NOON + 2 * POLL).rollout
    assert second.waiting.held == SECOND + 2 * POLL
    young = changed(second, bake=Bake(since=NOON - MINUTE, done=MINUTE))
    assert at(young, now=NOON + 3 * POLL).rollout.waiting.held == timedelta(0)


def test_a_failure_that_the_file_holds_is_bounded_too() -> None:
    known = holding(spec=spec(limits=SHORT, on_failure=OnFailure.HOLD), failed="guard: a test", held=MINUTE)
    decision = at(known, now=NOON + POLL)
    assert decision.rollout.phase is Phase.ROLLING_BACK
    assert decision.rollout.end is not None
    assert decision.rollout.end.reason == "held for 1 min: guard: a test"


def test_in_settling_a_hold_calls_people_and_never_rolls_back() -> None:
    known = settling(spec=spec(limits=SHORT), held=MINUTE)
    decision = at(known, seen_of(known, blue=UNREAD))
    assert decision.rollout.phase is Phase.SETTLING
    assert EventKind.PAGED in recorded(decision)


def test_a_hold_keeps_its_beginning_and_is_told_at_both_ends() -> None:
    first, second = later(holding(), ticks=2, **NO_ALARM)
    assert EventKind.HELD in recorded(first)
    assert EventKind.HELD not in recorded(second)
    assert [hold.since for hold in second.rollout.waiting.holds] == [NOON + POLL]
    cleared = at(second.rollout, now=NOON + 3 * POLL)
    assert EventKind.HOLD_CLEARED in recorded(cleared)


def test_what_aws_refuses_is_told_once_and_holds_as_long_as_it_lasts() -> None:
    known = half_baked()
    refused = (Failure(key="scale_service green 4", why="not allowed", is_final=True),)
    first, second = later(known, ticks=2, failures=refused)
    assert EventKind.EFFECT_FAILED in recorded(first)
    assert EventKind.EFFECT_FAILED not in recorded(second)
    assert held(second) == {HoldKind.AWS}
    assert HoldKind.AWS not in held(at(second.rollout, now=NOON + 3 * POLL))


# limits.provision and limits.settle --------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", [Phase.PREPARING, Phase.PROVISIONING])
@pytest.mark.parametrize(
    ("ago", "paused", "ends"),
    [
        pytest.param(15 * MINUTE, None, False, id="at the limit"),
        pytest.param(15 * MINUTE + SECOND, None, True, id="over the limit"),
        pytest.param(timedelta(hours=9), AUTHOR, False, id="paused"),
    ],
)
def test_green_that_is_not_ready_in_time_rolls_back(
    phase: Phase,
    ago: timedelta,
    paused: Actor | None,
    *,
    ends: bool,
) -> None:
    weight = None if phase is Phase.PREPARING else 0
    known = row(phase, weight=weight, phase_since=NOON - ago, paused_by=paused)
    decision = at(known, seen_of(known, green=service(GREEN_NAME, WANTED, running=2)))
    assert (decision.rollout.phase is not phase) is ends
    if ends:
        assert decision.rollout.end is not None
        assert "was not ready within 15 min" in decision.rollout.end.reason


def test_green_that_is_ready_in_its_last_second_is_not_rolled_back() -> None:
    known = row(
        Phase.PROVISIONING, weight=0, phase_since=NOON - timedelta(hours=1), ready_since=NOON - MINUTE
    )
    assert at(known).rollout.phase is Phase.SHIFTING


@pytest.mark.parametrize(
    ("ago", "paused", "paged"),
    [
        pytest.param(timedelta(hours=1), None, False, id="at the limit"),
        pytest.param(timedelta(hours=1, seconds=1), None, True, id="over the limit"),
        pytest.param(timedelta(hours=9), AUTHOR, False, id="paused"),
    ],
)
def test_settling_too_long_calls_people_once_and_green_serves_on(
    ago: timedelta,
    paused: Actor | None,
    *,
    paged: bool,
) -> None:
    known = settling(phase_since=NOON - ago, paused_by=paused)
    starting = {"blue": service("checkout", WANTED, running=2)}
    first = at(known, seen_of(known, **starting))
    assert (EventKind.PAGED in recorded(first)) is paged
    assert first.rollout.phase is Phase.SETTLING
    assert not first.effects
    if paged:
        assert EventKind.PAGED not in recorded(at(first.rollout, seen_of(known, **starting), now=NOON + POLL))


# approvals ---------------------------------------------------------------------------------------------------------


ASKING = plan((100, 5), (1000, 30), approval=[0])


def asking(then: LimitThen = ROLLBACK, **changes: Any) -> Rollout:  # noqa: ANN401 - the fields of Rollout
    approval = ApprovalSpec(timeout=MINUTE, on_timeout=then)
    given = {"spec": spec(plan=ASKING, approval=approval), "ticked_at": NOON, "observed_at": NOON}
    return baked(5, **{**given, **changes})


def first_asking(then: LimitThen = ROLLBACK, **changes: Any) -> Rollout:  # noqa: ANN401 - the fields of Rollout
    """Green is ready; an alarm fired before the rollout began, so a person must say whether to start at all."""
    given = {
        "spec": spec(approval=ApprovalSpec(timeout=MINUTE, on_timeout=then)),
        "blue": blue(alarms=(good_alarm(state="ALARM"),)),
        "ready_since": NOON - MINUTE,
        "ticked_at": NOON,
    }
    return row(Phase.PROVISIONING, weight=0, **{**given, **changes})


@pytest.mark.parametrize("made", [asking, first_asking], ids=["of a step", "of the first traffic"])
def test_an_approval_that_nobody_gives_rolls_back_at_its_limit_and_not_before(made: Any) -> None:  # noqa: ANN401
    known = made()
    decisions = later(known, ticks=4)
    assert [d.rollout.phase for d in decisions] == [known.phase] * 3 + [Phase.ROLLING_BACK]
    assert decisions[-1].rollout.end is not None
    assert decisions[-1].rollout.end.reason.startswith("nobody approved ")
    assert decisions[-1].rollout.end.reason.endswith("within 1 min")


@pytest.mark.parametrize("made", [asking, first_asking], ids=["of a step", "of the first traffic"])
def test_an_approval_that_may_wait_calls_people_once(made: Any) -> None:  # noqa: ANN401
    known = made(HOLD)
    decisions = later(known, ticks=8)
    assert [EventKind.PAGED in recorded(d) for d in decisions].count(True) == 1
    assert EventKind.PAGED in recorded(decisions[3])
    assert held(decisions[-1]) == {HoldKind.APPROVAL}
    assert decisions[-1].rollout.phase is known.phase


@pytest.mark.parametrize("made", [asking, first_asking], ids=["of a step", "of the first traffic"])
def test_time_paused_does_not_count_towards_an_approvals_limit(made: Any) -> None:  # noqa: ANN401
    known = made(paused_by=AUTHOR, waited_for_approval=30 * SECOND)
    paused = later(known, ticks=10)[-1].rollout
    assert paused.progress.waited_for_approval == 30 * SECOND
    resumed = commanded(changed(paused, ticked_at=NOON), a_command(CommandKind.RESUME)).rollout
    assert resumed.phase is known.phase


def test_an_approval_is_waited_for_only_once_everything_else_is_done() -> None:
    young = asking(bake=Bake(since=NOON - MINUTE, done=MINUTE))
    assert later(young, ticks=1)[-1].rollout.progress.waited_for_approval == timedelta(0)
    blind = asking()
    assert later(blind, ticks=1, **NO_ALARM)[-1].rollout.progress.waited_for_approval == timedelta(0)


def test_waiting_for_an_approval_is_not_held_time() -> None:
    limits = Limits(hold=timedelta(0))
    known = asking(spec=spec(plan=ASKING, limits=limits))
    assert later(known, ticks=3)[-1].rollout.phase is Phase.SHIFTING


def test_the_first_approval_lets_traffic_start() -> None:
    given = (Approval(by=OPERATOR, step=BEFORE_TRAFFIC, at=NOON),)
    started = at(first_asking(approvals=given)).rollout
    assert (started.phase, started.progress.waited_for_approval) == (Phase.SHIFTING, timedelta(0))


def test_time_that_people_took_to_approve_is_not_held_against_green() -> None:
    waited = first_asking(phase_since=NOON - timedelta(hours=1), waited_for_approval=50 * MINUTE)
    long = replace(waited, spec=spec(approval=ApprovalSpec(timeout=timedelta(hours=2))))
    one_look = {"green": service(GREEN_NAME, WANTED, running=2)}
    assert at(long, seen_of(long, **one_look)).rollout.phase is Phase.PROVISIONING
    slow = changed(long, waited_for_approval=40 * MINUTE)
    assert at(slow, seen_of(slow, **one_look)).rollout.phase is Phase.ROLLING_BACK
