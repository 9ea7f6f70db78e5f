"""When changes are welcome: windows by the clock on the wall of a time zone, less holidays and freezes.

A wall's clock skips an hour in spring and shows one twice in autumn. A time that it never shows stands for the moment
of the leap; one that it shows twice stands for the first, where a freeze or holiday ends for the second.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import lru_cache
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
LOOK_AHEAD = 16 * DAY  # past the last cut: every window opens once a week


class AtClose(StrEnum):
    """What happens to a rollout that is under way when its window closes."""

    HOLD = "hold"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A window that opens on some days of the week. One that ends at or before its beginning ends a day later."""

    days: tuple[int, ...]  # Monday is 0; of its beginning
    begins: timedelta  # since midnight
    ends: timedelta

    def __str__(self) -> str:
        return f"{_days(self.days)} {_clock(self.begins)}-{_clock(self.ends)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowSpec:
    """Settings of ``gates.window``; nothing allowed means that it is always open."""

    allow: tuple[Opening, ...] = ()
    zone: str = "UTC"
    holidays: tuple[date, ...] = ()  # closed all day, in the zone
    at_close: AtClose = AtClose.HOLD

    def __str__(self) -> str:
        return f"{', '.join(map(str, self.allow))} {self.zone}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """A time in which nothing is rolled out, of the operators' calendar."""

    begins: datetime
    ends: datetime
    reason: str
    zone: str = "UTC"  # in which people are told of it
    services: tuple[str, ...] = ()  # patterns; empty: every service

    def covers(self, service: str) -> bool:
        """True if it holds for a service (``cluster/service``)."""
        return not self.services or any(fnmatchcase(service, pattern) for pattern in self.services)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From a moment until before another."""

    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Whether changes are welcome now, until when that stays so, and why not."""

    is_open: bool
    until: datetime | None = None  # None: for as far as can be seen
    why: str = ""  # closed: the reason in words


@lru_cache(maxsize=4096)
def moment(wall: datetime, zone: str, *, last: bool = False) -> datetime:
    """The moment at which a zone's clock shows a time; `last`: the second one where it shows it twice."""
    where = ZoneInfo(zone)
    first, second = (wall.replace(tzinfo=where, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first <= second:
        return second if last else first
    low, high = second, first  # the clock leaps over this time somewhere between them
    before = low.astimezone(where).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        low, high = (middle, high) if middle.astimezone(where).utcoffset() == before else (low, middle)
    return high.replace(microsecond=0)


def standing(spec: WindowSpec, freezes: Sequence[Freeze], now: datetime) -> Standing:
    """Whether a window is open at a moment, no freeze being in force."""
    if not spec.allow and not freezes:
        return Standing(is_open=True)
    end = max([now, *(f.ends for f in freezes)]) + LOOK_AHEAD + len(spec.holidays) * DAY
    spans = open_spans(spec, freezes, now, end)
    here = next((span for span in spans if span.begins <= now < span.ends), None)
    if here is not None:
        return Standing(is_open=True, until=here.ends if here.ends < end else None)
    opens = next((span.begins for span in spans if span.begins > now), None)
    return Standing(is_open=False, until=opens, why=_why(spec, freezes, now))


def next_span(
    spec: WindowSpec, freezes: Sequence[Freeze], now: datetime, lasts: timedelta = timedelta(0)
) -> Span | None:
    """The first time from now on that is open without a break for so long; None: there is none to be seen."""
    end = max([now, *(f.ends for f in freezes)]) + LOOK_AHEAD + len(spec.holidays) * DAY + lasts
    for span in open_spans(spec, freezes, now, end):
        begins = max(span.begins, now)
        if span.ends - begins >= lasts and span.ends > now:
            return Span(begins=begins, ends=span.ends)
    return None


def open_spans(
    spec: WindowSpec, freezes: Sequence[Freeze], since: datetime, until: datetime
) -> tuple[Span, ...]:
    """When changes are welcome, as far as it touches the time between two moments; in order, none touching."""
    cuts = [Span(begins=freeze.begins, ends=freeze.ends) for freeze in freezes]
    cuts += [_whole_day(day, spec.zone) for day in spec.holidays]
    if not spec.allow:
        return _without([Span(begins=since, ends=until)], cuts)
    zone = ZoneInfo(spec.zone)
    day, last = since.astimezone(zone).date() - 2 * DAY, until.astimezone(zone).date()
    found: list[Span] = []
    while day <= last:
        found += (_span(one, day, spec.zone) for one in spec.allow if day.weekday() in one.days)
        day += DAY
    joined = _joined([span for span in found if span.ends > since and span.begins < until])
    return _without(joined, cuts)


def shown(at: datetime, zone: str) -> str:
    """A moment as a zone's people say it: ``Fri 2026-11-27 09:00 Europe/Berlin``."""
    there = at.astimezone(ZoneInfo(zone))
    return f"{WEEKDAYS[there.weekday()]} {there:%Y-%m-%d %H:%M} {zone}"


def zone_of(spec: WindowSpec, freezes: Sequence[Freeze]) -> str:
    """The zone in which people are told of a window, or of a freeze where there is none."""
    return spec.zone if spec.allow or not freezes else freezes[0].zone


def _why(spec: WindowSpec, freezes: Sequence[Freeze], now: datetime) -> str:
    frozen = next((freeze for freeze in freezes if freeze.begins <= now < freeze.ends), None)
    if frozen is not None:
        return f"frozen until {shown(frozen.ends, frozen.zone)}: {frozen.reason}"
    today = now.astimezone(ZoneInfo(spec.zone)).date()
    if today in spec.holidays:
        return f"{today} is a holiday"
    return f"it is outside {spec}"


def _span(opening: Opening, day: date, zone: str) -> Span:
    midnight = datetime.combine(day, time())
    ends = opening.ends if opening.ends > opening.begins else opening.ends + DAY
    return Span(begins=moment(midnight + opening.begins, zone), ends=moment(midnight + ends, zone))


def _whole_day(day: date, zone: str) -> Span:
    midnight = datetime.combine(day, time())
    return Span(begins=moment(midnight, zone), ends=moment(midnight + DAY, zone, last=True))


def _joined(spans: Iterable[Span]) -> list[Span]:
    joined: list[Span] = []
    for span in sorted(spans, key=lambda one: one.begins):
        if joined and span.begins <= joined[-1].ends:
            joined[-1] = Span(begins=joined[-1].begins, ends=max(joined[-1].ends, span.ends))
        elif span.ends > span.begins:
            joined.append(span)
    return joined


def _without(spans: list[Span], cuts: list[Span]) -> tuple[Span, ...]:
    for cut in cuts:
        parts = []
        for span in spans:
            parts.append(Span(begins=span.begins, ends=min(span.ends, cut.begins)))
            parts.append(Span(begins=max(span.begins, cut.ends), ends=span.ends))
        spans = [part for part in parts if part.ends > part.begins]
    return tuple(spans)


def _days(days: tuple[int, ...]) -> str:
    """Days as people write them: ``Mon-Thu``, ``Mon,Wed``."""
    runs: list[list[int]] = []
    for day in sorted(days):
        if runs and day == runs[-1][-1] + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ",".join(
        WEEKDAYS[run[0]] if len(run) == 1 else f"{WEEKDAYS[run[0]]}-{WEEKDAYS[run[-1]]}" for run in runs
    )


def _clock(since_midnight: timedelta) -> str:
    minutes = int(since_midnight.total_seconds()) // 60
    return f"{minutes // 60:02}:{minutes % 60:02}"
