"""What a comparison gathers of each stream, interval by interval."""

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.core.domain.ids import Tenths
from orchestrator.core.gates.compare import CompareSpec
from orchestrator.core.gates.gathered import StreamName
from orchestrator.core.gates.scene import Counts, Interval
from orchestrator.core.statistics.comparison import Stream, events_of, freeze, use
from tests.builders import NOON

USUAL = Counts(requests=900, answers_2xx=891, answers_5xx=9)


def stream(name: StreamName, *greens: Counts) -> Stream:
    """A stream after so many minutes of green beside a blue as ever."""
    streams = freeze(CompareSpec(), (USUAL,) * 61)
    for minute, green in enumerate(greens):
        start = NOON + timedelta(minutes=minute)
        streams = use(streams, Interval(start=start, green=green, blue=USUAL, weight=Tenths(100)), at=start)
    return next(one for one in streams if one.name is name)


def test_requests_that_may_still_be_answered_are_not_held_against_green_and_do_not_show_it_to_be_well() -> (
    None
):
    in_flight = Counts(requests=100, answers_2xx=95)
    seen = stream(StreamName.UNANSWERED, in_flight)
    assert seen.onset.green_events == 0
    assert (
        seen.mirror.log_e < stream(StreamName.UNANSWERED, Counts(requests=100, answers_2xx=100)).mirror.log_e
    )


def test_requests_that_are_never_answered_are_held_against_green() -> None:
    lost = Counts(requests=100, answers_2xx=60)
    assert stream(StreamName.UNANSWERED, *[lost] * 5).onset.green_events > 100


@pytest.mark.parametrize(
    ("name", "events"),
    [
        (StreamName.ERRORS, 5 + 2),
        (StreamName.CLIENT_ERRORS, 3),
        (StreamName.UNANSWERED, 1),
        (StreamName.SLOW, 4),
    ],
)
def test_each_stream_counts_its_own_kind_of_bad_answer(name: StreamName, events: int) -> None:
    counts = Counts(
        requests=100, answers_2xx=91, answers_4xx=3, answers_5xx=5, connection_errors=2, timed=98, slow=4
    )
    of = counts.timed if name is StreamName.SLOW else counts.requests
    assert events_of(name, counts) == (events, of)


def test_a_failure_is_kept_with_its_moment_however_well_green_does_later() -> None:
    bad, good = (
        Counts(requests=1000, answers_5xx=500, answers_2xx=500),
        Counts(requests=1000, answers_2xx=1000),
    )
    failed = stream(StreamName.ERRORS, *[bad] * 5)
    assert failed.failed_at is not None
    later = stream(StreamName.ERRORS, *[bad] * 5, *[good] * 200)
    assert later.onset.log_e < later.threshold
    assert later.failed_at == failed.failed_at
    assert replace(later, failed_at=None).standing.has_failed is False
