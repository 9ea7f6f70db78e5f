"""A blue that is gone: believed in two looks, and from then on no rollback is begun."""

from datetime import timedelta

import pytest

from orchestrator.core.cloud.resources import Absent, Unread
from orchestrator.core.domain.events import EventKind
from orchestrator.core.rollout.progress import Loss
from orchestrator.core.rollout.rollout import HoldKind
from tests.builders import FORMER, NOON
from tests.core.stages import at, baked, held, recorded, seen_of, service

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
