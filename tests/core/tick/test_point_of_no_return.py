"""A blue that is gone: believed in two looks, and from then on no rollback is begun."""

from datetime import timedelta

import pytest

from orchestrator.core.cloud.resources import Absent, TargetsSeen, Unread
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.progress import Loss
from orchestrator.core.rollout.rollout import HoldKind
from tests.builders import BLUE_GROUP, FORMER, LISTENER, NOON
from tests.core.stages import (
    GREEN_GROUP,
    MINUTE,
    at,
    baked,
    doubted,
    held,
    recorded,
    seen_of,
    service,
    written,
)

SOON, LATER = NOON + timedelta(seconds=10), NOON + timedelta(seconds=20)


def test_blue_is_taken_for_deleted_once_two_looks_did_not_find_it() -> None:
    known = baked(2)
    missing = seen_of(known, blue=Absent())
    first = at(known, missing)
    assert first.rollout.blue_loss is None
    assert HoldKind.BLUE in held(first)
    assert EventKind.PAGED not in recorded(first), "nobody is called on the word of one look"
    assert first.wake_at is not None
    assert first.wake_at <= SOON
    second = at(first.rollout, missing, now=SOON)
    assert second.rollout.blue_loss is Loss.DELETED
    assert EventKind.PAGED in recorded(second)


def test_blue_that_is_there_again_was_an_old_answer() -> None:
    known = baked(2)
    first = at(known, seen_of(known, blue=Absent()))
    fresh = at(first.rollout, seen_of(known), now=SOON)
    again = at(fresh.rollout, seen_of(known, blue=Absent()), now=LATER)
    assert again.rollout.blue_loss is None, "two looks that did not follow each other do not agree"


def test_a_look_that_could_not_be_taken_neither_agrees_nor_disagrees() -> None:
    known = baked(2)
    first = at(known, seen_of(known, blue=Absent()))
    unread = at(first.rollout, seen_of(known, blue=Unread(why="throttled")), now=SOON)
    assert unread.rollout.blue_loss is None
    assert at(unread.rollout, seen_of(known, blue=Absent()), now=LATER).rollout.blue_loss is Loss.DELETED


@pytest.mark.parametrize("status", ["DRAINING", "INACTIVE"])
def test_blue_that_ecs_shows_as_deleted_is_so_at_once(status: str) -> None:
    known = baked(2)
    decision = at(known, seen_of(known, blue=service("checkout", FORMER, status=status)))
    assert decision.rollout.blue_loss is Loss.DELETED


def test_a_blue_that_somebody_scaled_to_nothing_is_noticed_holds_and_calls_people() -> None:
    known = baked(2)
    empty = service("checkout", FORMER, desired=0, running=0)
    decision = at(known, seen_of(known, blue=empty))
    assert decision.rollout.blue_loss is Loss.EMPTY
    assert HoldKind.CAPACITY in held(decision)
    (page,) = [event for event in decision.events if event.kind is EventKind.PAGED]
    assert page.message.startswith("somebody scaled blue to nothing")
    back = at(decision.rollout, now=NOON + MINUTE)
    assert back.rollout.blue_loss is None


def test_where_every_listener_is_gone_nothing_rolls_back_and_people_are_called() -> None:
    """No weight can be written any more: to stop either colour could be what stops the users."""
    lost = baked(2, lost_listeners=(LISTENER,))
    bad = {BLUE_GROUP: TargetsSeen(healthy=3), GREEN_GROUP: TargetsSeen(unhealthy=3)}
    decision = at(doubted(lost), seen_of(lost, targets=bad))
    assert decision.rollout.phase is Phase.SHIFTING
    assert not written(decision)
    assert EventKind.PAGED in recorded(decision)
    assert at(doubted(baked(2)), seen_of(lost, targets=bad)).rollout.phase is Phase.ROLLING_BACK
