"""Blue's scalable target: what Teal wrote, what schedules and others made of it, and what it is given back."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.cloud.effects import SetScaling
from orchestrator.core.cloud.resources import Absent, ScalesSeen, ScalingSeen, ScheduleSeen, Unread
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.changes import changed
from orchestrator.core.rollout.handover import Holding
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.core.rollout.spec import Capacity
from orchestrator.core.scaling import target_values
from orchestrator.core.scaling.target_values import suspended
from orchestrator.core.what_to_read import needs_of
from tests.builders import FORMER, NOON, WANTED
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
    row,
    rule,
    seen_of,
    service,
    spec,
)

OURS = suspended(SCALING)
NIGHT = ScheduleSeen(name="night", schedule="cron(0 22 * * ? *)", min_capacity=1, max_capacity=4)
HELD = Holding(base=SCALING, written=(OURS,), written_at=(NOON - timedelta(minutes=5),), verified=OURS)


def known(**changes: Any) -> Rollout:  # noqa: ANN401 - the fields of Rollout
    """Green has a tenth of the traffic, and scales by itself."""
    made = baked(
        1, **{"holding": HELD, "blue": blue(scales=ScalesSeen(target=SCALING, schedules=(NIGHT,))), **changes}
    )
    assert made.green is not None
    return changed(made, green=replace(made.green, is_scaling_asked=True, is_scaling_given=True))


def scaling_writes(rollout: Rollout, **seen: Any) -> list[ScalingSeen]:  # noqa: ANN401 - the fields of Seen
    decision = at(rollout, seen_of(rollout, **{"scaling": OURS, **seen}))
    return [e.wanted for e in decision.effects if isinstance(e, SetScaling) and e.service == "checkout"]


def test_as_teal_wrote_it_nothing_is_written() -> None:
    assert scaling_writes(known()) == []


def test_an_older_write_of_teals_own_that_came_late_is_written_over() -> None:
    raised = replace(
        HELD, floor=5, written=(OURS, replace(OURS, min_capacity=5)), verified=replace(OURS, min_capacity=5)
    )
    assert scaling_writes(known(holding=raised)) == [replace(OURS, min_capacity=5)]


def test_a_schedule_of_blues_moves_what_it_goes_back_to() -> None:
    by_night = replace(OURS, min_capacity=1, max_capacity=4)
    decision = at(known(), seen_of(known(), scaling=by_night))
    assert decision.rollout.blue_scaling.holding is not None
    assert decision.rollout.blue_scaling.holding.base == replace(SCALING, min_capacity=1, max_capacity=4)
    assert HoldKind.SCALING not in held(decision)


def test_a_schedule_that_allows_fewer_than_all_traffic_needs_is_raised_above() -> None:
    floored = replace(
        HELD, floor=6, written=(replace(OURS, min_capacity=6),), verified=replace(OURS, min_capacity=6)
    )
    by_night = replace(OURS, min_capacity=1, max_capacity=4)
    assert scaling_writes(known(holding=floored), scaling=by_night) == [
        replace(OURS, min_capacity=6, max_capacity=6)
    ]


@pytest.mark.parametrize(
    "theirs",
    [
        replace(OURS, max_capacity=20),
        replace(OURS, scale_out_suspended=True),
        replace(OURS, scheduled_suspended=True),
    ],
)
def test_what_others_set_is_held_for_until_it_is_put_back(theirs: ScalingSeen) -> None:
    decision = at(known(), seen_of(known(), scaling=theirs))
    assert HoldKind.SCALING in held(decision)
    assert "set_scaling" not in asked(decision)
    assert EventKind.DRIFT_FOUND in recorded(decision)
    again = at(decision.rollout, seen_of(decision.rollout, scaling=theirs), now=NOON + timedelta(seconds=15))
    assert EventKind.DRIFT_FOUND not in recorded(again), "said once"
    back = at(decision.rollout, seen_of(decision.rollout, scaling=OURS), now=NOON + timedelta(seconds=15))
    assert HoldKind.SCALING not in held(back)


@pytest.mark.parametrize("weight", [100, 0])
def test_a_suspension_that_somebody_lifts_is_written_again_while_green_has_traffic(weight: int) -> None:
    """Policies that were in breach have acted at once: blue could not take everything back."""
    serving = changed(known(), rules=(rule(weight),))
    lifted = at(serving, seen_of(serving, scaling=SCALING))
    assert HoldKind.SCALING in held(lifted)
    writes = [e.wanted for e in lifted.effects if isinstance(e, SetScaling) and e.service == "checkout"]
    assert writes == ([replace(OURS, min_capacity=3)] if weight else [])


def test_scaling_that_is_not_as_it_shall_be_is_looked_at_in_every_tick() -> None:
    fine = known(scaling_seen_at=NOON)
    later = NOON + timedelta(seconds=15)
    assert needs_of(fine, (), later).scaling == ""
    assert needs_of(fine, (), NOON + timedelta(minutes=1)).scaling == "checkout"
    for odd in (replace(HELD, is_foreign=True), replace(HELD, floor=5)):
        assert needs_of(changed(fine, holding=odd), (), later).scaling == "checkout"


def test_what_cannot_be_read_holds_and_is_looked_at_again_at_once() -> None:
    decision = at(known(), seen_of(known(), scaling=Unread(why="a test")))
    assert HoldKind.AWS in held(decision)
    assert decision.rollout.blue_scaling.scaling_seen_at is None


def test_a_target_that_is_gone_is_no_reason_to_hold() -> None:
    assert HoldKind.SCALING not in held(at(known(), seen_of(known(), scaling=Absent())))


@pytest.mark.parametrize(
    ("blues", "greens", "floor"),
    [
        pytest.param(3, 3, 0, id="green has what it was given"),
        pytest.param(3, 5, 5, id="green has grown"),
        pytest.param(6, 5, 0, id="blue has grown too, and by more"),
        pytest.param(3, 30, 10, id="no more than blue's own maximum"),
    ],
)
def test_blue_is_raised_by_as_much_as_green_has_outgrown_its_weight(
    blues: int, greens: int, floor: int
) -> None:
    seen = {
        "blue": service("checkout", FORMER, desired=blues, running=blues),
        "green": service(GREEN_NAME, WANTED, desired=greens, running=greens),
        "scaling": OURS,
    }
    decision = at(known(), seen_of(known(), **seen))
    assert decision.rollout.blue_scaling.holding is not None
    assert decision.rollout.blue_scaling.holding.floor == floor
    assert (EventKind.BLUE_RAISED in recorded(decision)) == bool(floor)


def test_a_share_that_has_doubled_doubles_blue() -> None:
    stepped = known(
        spec=spec(capacity=Capacity.STEPPED), blue=blue(desired=5, scales=ScalesSeen(target=SCALING))
    )
    assert stepped.green is not None
    stepped = changed(stepped, green=replace(stepped.green, desired=1))
    seen = {
        "blue": service("checkout", FORMER, desired=5, running=5),
        "green": service(GREEN_NAME, WANTED, desired=2, running=2),
        "scaling": OURS,
    }
    decision = at(stepped, seen_of(stepped, **seen))
    assert decision.rollout.blue_scaling.holding is not None
    assert decision.rollout.blue_scaling.holding.floor == 10
    assert decision.rollout.green is not None
    assert decision.rollout.green.desired == 2, "and once only"


@pytest.mark.parametrize(
    ("seen", "back"),
    [
        (OURS, SCALING),
        (replace(OURS, min_capacity=5), SCALING),
        (replace(OURS, min_capacity=4), replace(SCALING, min_capacity=4)),
        (replace(OURS, min_capacity=5, max_capacity=20), replace(SCALING, max_capacity=20)),
        (replace(OURS, scheduled_suspended=True), replace(SCALING, scheduled_suspended=True)),
        (SCALING, SCALING),
    ],
)
def test_each_value_that_teal_wrote_is_given_back_unless_somebody_changed_it(
    seen: ScalingSeen, back: ScalingSeen
) -> None:
    mine = Holding(base=SCALING, floor=5, written=(OURS, replace(OURS, min_capacity=5)))
    assert target_values.kept(target_values.with_theirs(mine, seen)) == back
    assert target_values.kept(target_values.with_theirs(mine, back)) == back


def test_a_row_of_an_earlier_version_knows_what_it_wrote() -> None:
    old = row(Phase.SHIFTING, weight=100, is_scaling_touched=True)
    assert target_values.held(old) == Holding(base=SCALING, written=(OURS,))


def test_a_write_that_lands_after_a_later_one_was_read_back_accuses_nobody_and_is_written_over() -> None:
    """The first timed out and was never read; its bounds come when the second has been read back already."""
    raised = replace(OURS, min_capacity=5)
    twice = (NOON - timedelta(seconds=20), NOON - timedelta(seconds=10))
    mine = Holding(base=SCALING, floor=5, written=(OURS, raised), written_at=twice)
    read = at(known(holding=mine), seen_of(known(), scaling=raised))
    assert HoldKind.SCALING not in held(read)
    soon = NOON + timedelta(seconds=5)
    late = at(read.rollout, seen_of(read.rollout, scaling=OURS), now=soon)
    assert HoldKind.SCALING not in held(late)
    assert only(late, SetScaling).wanted == raised


def test_bounds_that_are_as_a_write_that_was_read_back_are_somebodys_own() -> None:
    theirs = replace(OURS, max_capacity=20)
    mine = Holding(base=SCALING, written=(OURS,), written_at=(NOON - timedelta(seconds=5),))
    first = at(known(holding=mine), seen_of(known(), scaling=OURS))
    changed_by_them = at(
        first.rollout, seen_of(first.rollout, scaling=theirs), now=NOON + timedelta(seconds=5)
    )
    assert HoldKind.SCALING in held(changed_by_them)
    soon = NOON + timedelta(seconds=10)
    back = at(changed_by_them.rollout, seen_of(changed_by_them.rollout, scaling=OURS), now=soon)
    assert HoldKind.SCALING not in held(back), "put back within half a minute of Teal's own write"
