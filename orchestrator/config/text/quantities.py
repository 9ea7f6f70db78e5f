"""Durations, percentages and lags as people write them, and the same written back.

Every parser raises ValueError with two arguments: what is wrong, and what to write instead.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation

from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.plan import NAMED_PLANS

DURATION_MAX = timedelta(days=30)
_UNITS = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
_DURATION = re.compile(r"(?:\d{1,9}(?:\.\d{1,6})?(?:ms|[dhms]))+", re.ASCII)
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[dhms])", re.ASCII)
_PERIODS = re.compile(r"(\d{1,3}) ?periods?", re.ASCII)
_PERCENT = re.compile(r"(\d{1,9}(?:\.\d{1,9})?) ?(%?)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    """A time as a number of metric periods; how long that is depends on ``metrics.period``."""

    count: int


def shown(value: object) -> str:
    """A value as a sentence quotes it: short, on one line."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case dict():
            return "a mapping"
        case list():
            return "a list"
    text = " ".join(str(value).split())
    return f'"{text[:60]}…"' if len(text) > 60 else f'"{text}"'


def parse_duration(value: object) -> timedelta:
    """``5m``, ``90s``, ``1h30m``, ``1.5s``, ``800ms``; zero needs a unit too. At most 30 days."""
    text = str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    if re.fullmatch(r"\d{1,9}(\.\d{1,6})?", text, re.ASCII):
        raise ValueError(f"{shown(text)} is a duration without a unit", f"write {text}s, {text}m or {text}h")
    compact = text.strip().replace(" ", "")
    if not _DURATION.fullmatch(compact):
        raise ValueError(f"{shown(value)} is not a duration", "write one such as 90s, 5m or 1h30m")
    total = sum((_part(number, unit) for number, unit in _PART.findall(compact)), timedelta(0))
    if total > DURATION_MAX:
        raise ValueError(f"{shown(value)} is too long", "write at most 30d")
    return total


def _part(number: str, unit: str) -> timedelta:
    # Counted in whole microseconds, since a float would make 0.1s and its text differ after a round trip.
    microseconds = Decimal(number) * (_UNITS[unit] // timedelta(microseconds=1))
    return min(timedelta(microseconds=int(min(microseconds, Decimal(10**16)))), 2 * DURATION_MAX)


def duration_text(value: timedelta) -> str:
    """The shortest whole units: ``1h30m``, ``90s`` as ``1m30s``, zero as ``0s``."""
    seconds, rest = value.seconds, value.microseconds
    parts = [(value.days, "d"), (seconds // 3600, "h"), (seconds // 60 % 60, "m")]
    text = "".join(f"{number}{unit}" for number, unit in parts if number)
    last = f"{seconds % 60}.{rest:06}".rstrip("0").rstrip(".") if rest else f"{seconds % 60}"
    return text if text and last == "0" else f"{text}{last}s"


def parse_lag(value: object) -> timedelta | Periods:
    """A duration, or a number of periods: ``2 periods``."""
    found = _PERIODS.fullmatch(value.strip()) if isinstance(value, str) else None
    if found:
        return Periods(count=int(found.group(1)))
    try:
        return parse_duration(value)
    except ValueError as error:
        what, instead = error.args
        raise ValueError(what, f"{instead}, or a number of periods: 2 periods") from None


def parse_percent(value: object) -> tuple[Decimal, bool]:
    """A percentage between 0 and 100, and whether it was written with its sign."""
    text = str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    found = _PERCENT.fullmatch(text.strip())
    try:
        number = Decimal(found.group(1)) if found else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if found is None or number.is_nan():
        raise ValueError(f"{shown(value)} is not a percentage", "write one such as 10 or 0.5%")
    if number > 100:
        raise ValueError(f"{shown(value)} is more than 100 %", "write at most 100")
    return number, bool(found.group(2))


def parse_weight(value: object) -> Tenths:
    """Green's share of the traffic: more than 0, at most 100 %, in tenths of a percent."""
    number, _ = parse_percent(value)
    tenths = number * 10
    if tenths != tenths.to_integral_value():
        nearest = max(Decimal(1), tenths.to_integral_value()) / 10
        raise ValueError(f"{shown(value)} is finer than a tenth of a percent", f"write {nearest:f}")
    if tenths == 0:
        raise ValueError("a step of 0 % gives green no traffic", "write a weight of at least 0.1")
    return Tenths(int(tenths))


def weight_text(weight: Tenths) -> str:
    """A weight as the file has it: ``10%``, ``0.5%``."""
    return f"{Decimal(weight) / 10:f}%"


def parse_share(value: object) -> float:
    """A share of requests, 0–1, written with its sign: ``5%``. A bare 0.05 could mean either, so it is refused."""
    number, signed = parse_percent(value)
    if not signed:
        raise ValueError(f"{shown(value)} has no percent sign", f"write {number:f}%, a share of all requests")
    if not 0 < number < 100:
        raise ValueError(f"{shown(value)} can never be judged", "write more than 0% and less than 100%")
    return float(number / 100)


def share_text(share: float) -> str:
    """A share as the file has it: ``5%``."""
    return f"{(Decimal(str(share)) * 100).normalize():f}%"


def steps_written(plan: object) -> int | None:
    """How many steps a plan has as it is written; None: they are not written, or cannot be counted."""
    if isinstance(plan, list):
        return len(plan)
    named = NAMED_PLANS.get(plan) if isinstance(plan, str) else None
    return len(named.steps) if named else None
