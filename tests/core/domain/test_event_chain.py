"""What the links of a log hold on to: each thing that an event says, where it stands, and whose log it is."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.core.domain.event_chain import first_broken, link
from orchestrator.core.domain.events import Event, EventKind
from orchestrator.core.domain.ids import RolloutId

MINE, OTHERS = RolloutId("checkout-1"), RolloutId("payments-2")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BEGUN = Event(kind=EventKind.STARTED, at=NOON, message="ann starts it", facts=(("by", "ann"), ("step", 1)))
SHOWN = Event(kind=EventKind.WEIGHT_VERIFIED, at=NOON + timedelta(minutes=1), message="10 %")
ENDED = Event(kind=EventKind.ENDED, at=NOON + timedelta(minutes=2), message="succeeded")

Entry = tuple[RolloutId, int, Event, str]


def log_of(*events: Event, rollout: RolloutId = MINE) -> list[Entry]:
    log, before = [], ""
    for number, event in enumerate(events, start=1):
        before = link(before, rollout, number, event)
        log.append((rollout, number, event, before))
    return log


def test_a_link_is_the_hash_of_the_one_before_the_rollout_the_number_and_the_whole_event() -> None:
    """Spelt out, so that whoever has the events alone can check them, and a log of today is whole in any version."""
    text = '["","checkout-1",1,"started","2026-03-02T12:00:00+00:00","ann starts it",{"by":"ann","step":1}]'
    first = hashlib.sha256(text.encode()).hexdigest()
    text = f'["{first}","checkout-1",2,"weight_verified","2026-03-02T12:01:00+00:00","10 %",{{}}]'
    second = hashlib.sha256(text.encode()).hexdigest()
    assert [one[3] for one in log_of(BEGUN, SHOWN)] == [first, second]


def test_a_log_as_it_was_written_is_whole() -> None:
    assert first_broken(log_of(BEGUN, SHOWN, ENDED)) is None
    assert first_broken([]) is None


@pytest.mark.parametrize(
    "other",
    [
        replace(SHOWN, kind=EventKind.WEIGHT_WANTED),
        replace(SHOWN, at=SHOWN.at + timedelta(microseconds=1)),
        replace(SHOWN, message="20 %"),
        replace(SHOWN, facts=(("by", "ann"),)),
    ],
    ids=["its kind", "its time", "its words", "its facts"],
)
def test_whatever_is_changed_of_an_event_shows_at_that_event(other: Event) -> None:
    log = log_of(BEGUN, SHOWN, ENDED)
    log[1] = (MINE, 2, other, log[1][3])
    assert first_broken(log) == 2


@pytest.mark.parametrize(
    ("crime", "place"),
    [
        (lambda log: log[1:], 1),
        (lambda log: [log[0], log[2]], 2),
        (lambda log: [log[1], log[0], log[2]], 1),
        (lambda log: [log[0], log[0], log[1]], 2),
        (lambda log: [log[0], (MINE, 3, *log[1][2:]), (MINE, 4, *log[2][2:])], 2),
    ],
    ids=["the first is gone", "one is gone", "two changed places", "one is there twice", "numbered anew"],
)
def test_a_log_that_is_not_in_its_order_shows_where(
    crime: Callable[[list[Entry]], list[Entry]], place: int
) -> None:
    assert first_broken(crime(log_of(BEGUN, SHOWN, ENDED))) == place


def test_one_rollout_s_log_is_not_another_s() -> None:
    stolen = [(OTHERS, *entry[1:]) for entry in log_of(BEGUN, SHOWN)]
    assert first_broken(stolen) == 1
