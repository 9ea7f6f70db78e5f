"""Windows and freezes in each phase: what waits, what goes on, what is taken back."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.domain.calendar import AtClose, Freeze, Opening, WindowSpec
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.phases import Phase
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.gates.window import NAME
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.core.rollout.spec import OnFailure, Spec
from orchestrator.core.tick.needs import Needs
from orchestrator.core.what_to_read import needs_of
from tests.builders import NOON
from tests.core.stages import (
    MINUTE,
    a_command,
    at,
    baked,
    commanded,
    held,
    row,
    rule,
    rule_seen,
    seen_of,
    settling,
    spec,
    written,
)

HOUR = timedelta(hours=1)
FREEZE = Freeze(begins=NOON - HOUR, ends=NOON + HOUR, reason="the database moves")
OPENS = NOON + 21 * HOUR


def shut(at_close: AtClose = AtClose.HOLD, **changes: Any) -> Spec:  # noqa: ANN401 - the fields of Spec
    """It closed this very moment, and opens at nine tomorrow."""
    opening = Opening(days=tuple(range(7)), begins=9 * HOUR, ends=12 * HOUR)
    gates = replace(spec().gates, window=WindowSpec(allow=(opening,), at_close=at_close))
    return spec(**{"gates": gates, **changes})


def ready(**changes: Any) -> Rollout:  # noqa: ANN401 - the fields of Rollout
    return row(Phase.PROVISIONING, weight=0, ready_since=NOON - MINUTE, **changes)


def test_a_rollout_waits_for_its_window_without_reading_anything() -> None:
    waiting = row(Phase.PENDING, spec=shut())
    assert needs_of(waiting, (), NOON) == Needs()
    decision = at(waiting, seen_of(waiting, survey=None))
    assert decision.rollout.phase is Phase.PENDING
    assert held(decision) == {HoldKind.WINDOW}
    assert decision.rollout.waiting.waiting_for == "the window opens: Tue 2026-03-03 09:00 UTC"


def test_it_begins_when_the_window_opens() -> None:
    waiting = row(Phase.PENDING, spec=shut())
    assert needs_of(waiting, (), OPENS).survey is not None
    assert at(waiting, now=OPENS).rollout.phase is Phase.PREPARING


def test_a_freeze_keeps_a_rollout_without_a_window_waiting() -> None:
    waiting = row(Phase.PENDING)
    assert needs_of(waiting, (), NOON, (FREEZE,)) == Needs()
    assert held(at(waiting, seen_of(waiting, survey=None, freezes=(FREEZE,)))) == {HoldKind.WINDOW}


def test_waiting_for_a_window_is_no_hold_that_a_limit_ends() -> None:
    waiting = row(Phase.PENDING, spec=shut(), held=5 * HOUR)
    decision = at(waiting, seen_of(waiting, survey=None))
    assert decision.rollout.phase is Phase.PENDING
    assert decision.rollout.waiting.held == timedelta(0)


def test_what_waits_for_its_window_can_be_rolled_back() -> None:
    decision = commanded(row(Phase.PENDING, spec=shut()), a_command(CommandKind.ROLLBACK))
    assert decision.rollout.phase is Phase.ROLLED_BACK


def test_green_gets_no_first_traffic_while_the_window_is_closed() -> None:
    decision = at(ready(spec=shut()))
    assert decision.rollout.phase is Phase.PROVISIONING
    assert held(decision) == {HoldKind.WINDOW}
    assert at(ready(spec=shut()), now=OPENS).rollout.phase is Phase.SHIFTING


def test_nobody_is_asked_to_approve_before_the_window_opens() -> None:
    approval = replace(spec().approval, before_traffic=True)
    decision = at(ready(spec=shut(approval=approval), waited_for_approval=timedelta(hours=5)))
    assert decision.rollout.phase is Phase.PROVISIONING
    assert held(decision) == {HoldKind.WINDOW}


def test_a_step_is_not_left_while_the_window_is_closed() -> None:
    decision = at(baked(spec=shut()))
    assert decision.rollout.progress.step == 0
    assert HoldKind.WINDOW in held(decision)
    assert written(decision) == []


def test_a_step_that_passed_is_left_once_the_window_opens() -> None:
    frozen = at(baked(), seen_of(baked(), freezes=(FREEZE,)))
    assert (frozen.rollout.progress.step, held(frozen)) == (0, {HoldKind.WINDOW})
    thawed = at(frozen.rollout, seen_of(frozen.rollout))
    assert thawed.rollout.progress.step == 1


def test_nobody_can_promote_past_a_closed_window() -> None:
    for full in (False, True):
        decision = commanded(baked(1, spec=shut()), a_command(CommandKind.PROMOTE, full=full))
        assert decision.rollout.progress.step == 0
        assert HoldKind.WINDOW in held(decision)


def test_a_weight_that_one_rule_has_is_given_to_the_other_also_after_the_close() -> None:
    arn = rule(0).arn
    half = row(
        Phase.SHIFTING,
        weight=100,
        spec=shut(),
        rules=(rule(100, 100), rule(0, 100, arn=f"{arn}b", intended=(0, 100))),
    )
    seen = seen_of(half)
    found = {known.arn: replace(rule_seen(half), arn=known.arn) for known in half.rules}
    lagging = half.rules[1]
    found[lagging.arn] = replace(rule_seen(replace(half, rules=(lagging,))), arn=lagging.arn)
    assert written(at(half, replace(seen, rules=found))) == [100]


def test_a_closed_window_keeps_nobody_from_going_back() -> None:
    known = baked(1, step=1, spec=shut())
    decision = commanded(known, a_command(CommandKind.BACK, to=known.plan.steps[0].weight))
    assert written(decision) == [100]


def test_a_closed_window_keeps_nobody_from_rolling_back() -> None:
    assert written(commanded(baked(1, spec=shut()), a_command(CommandKind.ROLLBACK))) == [0]


def test_a_watch_that_passes_in_the_night_is_over() -> None:
    watched = baked(30, phase=Phase.WATCHING, step=2, spec=shut())
    assert at(watched).rollout.phase is Phase.SETTLING


@pytest.mark.parametrize("weight", [1000, 900, 500])
def test_traffic_comes_home_whatever_the_hour(weight: int) -> None:
    known = settling(weight, is_homeward=True, spec=shut(AtClose.ROLLBACK))
    decision = at(known, seen_of(known, freezes=(FREEZE,)))
    assert decision.rollout.phase is Phase.SETTLING
    assert HoldKind.WINDOW not in held(decision)


@pytest.mark.parametrize(
    "known",
    [
        pytest.param(row(Phase.PREPARING), id="preparing"),
        pytest.param(ready(), id="provisioning"),
        pytest.param(baked(1), id="shifting"),
        pytest.param(baked(1, phase=Phase.WATCHING, step=2), id="watching"),
    ],
)
def test_at_the_close_it_is_taken_back_where_the_file_says_so(known: Rollout) -> None:
    """Also where the file says to hold at failures: what `at_close` says is said of this very case."""
    closing = replace(known, spec=shut(AtClose.ROLLBACK, on_failure=OnFailure.HOLD))
    decision = at(closing)
    assert decision.rollout.phase in (Phase.ROLLING_BACK, Phase.ROLLED_BACK)
    assert decision.rollout.end is not None
    assert decision.rollout.end.reason.startswith("window: the window has closed")
    assert NAME in {judged.answer.gate for judged in decision.rollout.answers}
    assert all(weight in (0, None) for weight in written(decision))


def test_a_rollout_that_waits_is_not_taken_back_before_it_began() -> None:
    waiting = row(Phase.PENDING, spec=shut(AtClose.ROLLBACK))
    assert at(waiting, seen_of(waiting, survey=None)).rollout.phase is Phase.PENDING


def test_a_freeze_that_begins_is_a_close() -> None:
    always = replace(spec().gates, window=WindowSpec(at_close=AtClose.ROLLBACK))
    known = baked(1, spec=spec(gates=always))
    assert at(known, seen_of(known, freezes=(FREEZE,))).rollout.phase is Phase.ROLLING_BACK


@pytest.mark.parametrize("at_close", list(AtClose))
def test_an_overridden_rollout_is_bound_by_neither_window_nor_freeze(at_close: AtClose) -> None:
    overridden = shut(at_close, override="payments fail")
    waiting = row(Phase.PENDING, spec=overridden)
    assert at(waiting, seen_of(waiting, freezes=(FREEZE,))).rollout.phase is Phase.PREPARING
    baking = baked(spec=overridden)
    assert at(baking, seen_of(baking, freezes=(FREEZE,))).rollout.progress.step == 1


def test_a_gate_that_is_off_leaves_no_trace() -> None:
    decision = at(baked(1, spec=spec(gates=GatesSpec())))
    assert NAME not in {judged.answer.gate for judged in decision.rollout.answers}
