"""What the comparison of the colours has gathered: frozen settings, the processes, and which intervals they used.

The intervals' records are the source of truth; the processes ride on the row as what follows from them, one interval
at a time, so that a restart goes on where it was and counts none twice.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from orchestrator.core.gates.compare import EVENTS_LEAST, CompareSpec
from orchestrator.core.gates.gathered import Standing, StreamName
from orchestrator.core.gates.scene import Counts, Interval
from orchestrator.core.statistics.remainder import Remainder, Remainders, of_history
from orchestrator.core.statistics.sequential_test import (
    PROMOTE_GRID,
    Absolute,
    Dispersion,
    Onset,
    Sample,
    Sums,
    dispersion,
)


class Use(StrEnum):
    """What became of an interval."""

    USED = "used"
    WARM_UP = "warm_up"  # green's first traffic
    WEIGHT_CHANGE = "weight_change"  # a weight changed within it: its share says nothing
    NO_DATA = "no_data"  # a colour that was to have traffic has no requests in it


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One stream's evidence. Everything but the processes and sums is frozen before green's first traffic."""

    name: StreamName
    dispersion: Dispersion
    threshold: float
    onset: Onset
    mirror: Sums  # at the present weight
    absolute: Absolute | None  # at the present weight
    at_weight: int = 0
    green_at_weight: int = 0
    green_requests: int = 0
    green_events: int = 0
    blue_requests: int = 0
    blue_events: int = 0
    failed_at: datetime | None = None
    remainders: Remainders | None = None  # of the unanswered alone

    @property
    def standing(self) -> Standing:
        """How it stands, for the gate."""
        return Standing(
            name=self.name,
            log_e=self.onset.log_e,
            log_not_worse=self.mirror.log_e,
            log_below=self.absolute.log_e if self.absolute else 0.0,
            green_requests=self.green_requests,
            green_events=self.green_events,
            blue_requests=self.blue_requests,
            blue_events=self.blue_events,
            has_failed=self.failed_at is not None,
            at_weight=self.at_weight,
            green_at_weight=self.green_at_weight,
        )


def events_of(name: StreamName, counts: Counts) -> tuple[int, int]:
    """A stream's events in one colour's interval, and the requests they are a part of."""
    match name:
        case StreamName.ERRORS:
            return counts.answers_5xx + counts.connection_errors, counts.requests
        case StreamName.UNANSWERED:
            return counts.unanswered, counts.requests  # by this interval alone; a stream sums them up
        case StreamName.CLIENT_ERRORS:
            return counts.answers_4xx, counts.requests
        case StreamName.SLOW:
            return min(counts.slow, counts.timed), counts.timed


def sample_of(name: StreamName, interval: Interval) -> Sample:
    """A stream's four numbers in one interval; a colour without data has no requests."""
    green_events, green_requests = events_of(name, interval.green) if interval.green else (0, 0)
    blue_events, blue_requests = events_of(name, interval.blue) if interval.blue else (0, 0)
    return Sample(
        green_requests=green_requests,
        blue_requests=blue_requests,
        green_events=green_events,
        blue_events=blue_events,
    )


def freeze(spec: CompareSpec, history: Sequence[Counts]) -> tuple[Stream, ...]:
    """The streams as they begin, each with the dispersion of blue's history (oldest first)."""
    return tuple(_stream(spec, one.name, one.margin, history) for one in spec.streams)


def _stream(spec: CompareSpec, name: StreamName, margin: float, history: Sequence[Counts]) -> Stream:
    counted, remainders = [events_of(name, counts) for counts in history], None
    if name is StreamName.UNANSWERED:
        news, fall = of_history([(counts.requests, counts.remainder) for counts in history])
        counted = [(new, counts.requests) for new, counts in zip(news, history, strict=True)]
        remainders = Remainders(green=Remainder(fall=fall))
    found = dispersion(counted)
    phi = found.phi
    has_rule = spec.p_max is not None and name is StreamName.ERRORS
    return Stream(
        name=name,
        dispersion=found,
        threshold=spec.threshold,
        onset=Onset(margin=margin, phi=phi),
        mirror=Sums(margin=spec.not_worse_than, phi=phi, grid=PROMOTE_GRID),
        absolute=Absolute(p_max=spec.p_max, phi=phi) if has_rule and spec.p_max is not None else None,
        remainders=remainders,
    )


def use(streams: Iterable[Stream], interval: Interval, *, at: datetime) -> tuple[Stream, ...]:
    """The streams one used interval on. A failure is latched: later intervals never take it back."""
    return tuple(_use(stream, interval, at) for stream in streams)


def warm_up(streams: Iterable[Stream], interval: Interval) -> tuple[Stream, ...]:
    """The streams after an interval that is not compared: only how late answers come is learned from it."""
    return tuple(_unanswered(stream, interval)[0] for stream in streams)


def _unanswered(stream: Stream, interval: Interval) -> tuple[Stream, Sample, Sample]:
    """The stream with its remainders one interval on; what speaks against green, and what can show it to be well.

    They are one but for requests in flight: such are not held against green, and do not show it to be well.
    """
    sample = sample_of(stream.name, interval)
    if stream.name is not StreamName.UNANSWERED or interval.green is None or interval.blue is None:
        return stream, sample, sample
    remainders = stream.remainders or Remainders()  # a row of a version that did not sum them up
    after, found = remainders.take(
        weight=interval.weight,
        green=(interval.green.requests, interval.green.remainder),
        blue=(interval.blue.requests, interval.blue.remainder),
    )
    whole = replace(sample, green_events=found.green.most, blue_events=found.blue.most)
    return replace(stream, remainders=after), replace(whole, green_events=found.green.sure), whole


def _use(before: Stream, interval: Interval, at: datetime) -> Stream:
    stream, sample, whole = _unanswered(before, interval)
    onset = stream.onset.add(sample)
    is_over = onset.log_e >= stream.threshold and onset.green_events >= EVENTS_LEAST
    return replace(
        stream,
        onset=onset,
        mirror=stream.mirror.add(whole),
        absolute=stream.absolute.add(sample) if stream.absolute else None,
        at_weight=stream.at_weight + sample.is_informative,
        green_at_weight=stream.green_at_weight + (sample.green_requests if sample.is_informative else 0),
        green_requests=stream.green_requests + sample.green_requests,
        green_events=stream.green_events + sample.green_events,
        blue_requests=stream.blue_requests + sample.blue_requests,
        blue_events=stream.blue_events + sample.blue_events,
        failed_at=stream.failed_at or (at if is_over else None),
    )


def at_new_weight(streams: Iterable[Stream]) -> tuple[Stream, ...]:
    """The streams as another weight begins: what shows green not to be worse is shown anew at each weight.

    The evidence that it is worse goes on: to begin it anew would multiply alpha by the number of steps.
    """
    return tuple(
        replace(
            stream,
            mirror=replace(stream.mirror, sums=(), intervals=0),
            absolute=replace(stream.absolute, requests=0, events=0) if stream.absolute else None,
            at_weight=0,
            green_at_weight=0,
        )
        for stream in streams
    )


def anew(streams: Iterable[Stream]) -> tuple[Stream, ...]:
    """The streams as a person lets a failed rollout go on: from nothing, with the same settings."""
    return tuple(
        Stream(
            name=stream.name,
            dispersion=stream.dispersion,
            threshold=stream.threshold,
            onset=Onset(margin=stream.onset.margin, phi=stream.onset.phi),
            mirror=replace(stream.mirror, sums=(), intervals=0),
            absolute=replace(stream.absolute, requests=0, events=0) if stream.absolute else None,
            remainders=stream.remainders.anew() if stream.remainders else None,
        )
        for stream in streams
    )
