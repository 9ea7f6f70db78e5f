"""The `window` gate in a rollout file: its model, the hours it means, the same written back; and freezes as read."""

import re
from datetime import date, datetime, timedelta
from functools import cache
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import BeforeValidator, Field, WithJsonSchema

from orchestrator.config.gates.form import Form, Model
from orchestrator.config.text.fields import choice, near, one_word, reader, refusal, written_as
from orchestrator.config.text.quantities import shown
from orchestrator.config.text.yaml_document import Value
from orchestrator.core.domain.calendar import DAY, WEEKDAYS, AtClose, Freeze, Opening, WindowSpec, moment
from orchestrator.core.gates.window import WINDOW

HOURS = "write days and hours, such as Mon-Thu 09:00-17:00"
OPENINGS_MAX, HOLIDAYS_MAX = 50, 400
REASON_MAX = 300
_OPENING = re.compile(r"([A-Za-z,-]+) +(\d\d:\d\d) ?- ?(\d\d:\d\d)", re.ASCII)
_WALL = re.compile(r"(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d))?", re.ASCII)
_PATTERN = r"[A-Za-z,-]+ \d\d:\d\d-\d\d:\d\d"
_DEFAULT = WindowSpec()


def _opening(value: object) -> Opening:
    found = _OPENING.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"{shown(value)} is no window", HOURS)
    days, begins, ends = _days(found.group(1)), _clock(found.group(2)), _clock(found.group(3))
    if begins in {ends, DAY}:
        raise ValueError(f"{shown(value)} has no length", "write the whole day as 00:00-24:00")
    return Opening(days=days, begins=begins, ends=ends)


def _days(text: str) -> tuple[int, ...]:
    if text.lower() == "daily":
        return tuple(range(7))
    days: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        begins, ends = _day(first), _day(last or first)
        days.update((begins + step) % 7 for step in range((ends - begins) % 7 + 1))
    return tuple(sorted(days))


def _day(word: str) -> int:
    if word.capitalize() not in WEEKDAYS:
        raise ValueError(f"{shown(word)} is no day of the week", f"write {', '.join(WEEKDAYS)}, or daily")
    return WEEKDAYS.index(word.capitalize())


def _clock(text: str) -> timedelta:
    hours, minutes = map(int, text.split(":"))
    if minutes > 59 or hours * 60 + minutes > 24 * 60:
        raise ValueError(f"{shown(text)} is no time of day", "write 00:00 to 24:00")
    return timedelta(hours=hours, minutes=minutes)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _zone(value: object) -> str:
    if isinstance(value, str) and value in _zones():
        return value
    meant = near(value, {zone.lower() for zone in _zones()}) if isinstance(value, str) else ""
    name = next((zone for zone in _zones() if meant and zone.lower() == meant), "")
    raise ValueError(
        f"{shown(value)} is no time zone",
        f"did you mean {name}?" if name else "write one of the IANA database, such as Europe/Berlin",
    )


def _date(value: object) -> date:
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError(f"{shown(value)} is no date", "write one such as 2026-12-24") from None


def _reason(value: object) -> str:
    if isinstance(value, str) and value.isprintable() and 0 < len(value.strip()) <= REASON_MAX:
        return value.strip()
    raise ValueError(f"{shown(value)} is no reason", f"say it in one line of at most {REASON_MAX} characters")


def _wall(value: object) -> tuple[datetime, bool]:
    """A time of the wall's clock, and whether it is a whole day."""
    found = _WALL.fullmatch(value) if isinstance(value, str) else None
    try:
        if found is None:
            raise ValueError
        day, clock = date.fromisoformat(found.group(1)), found.group(2)
        return datetime.fromisoformat(f"{day} {clock or '00:00'}"), clock is None
    except ValueError:
        raise ValueError(f"{shown(value)} is no date", "write 2026-12-24, or 2026-12-24 18:00") from None


OneOpening = Annotated[Opening, reader(_opening), written_as(_PATTERN, "Mon-Thu 09:00-17:00")]
Reason = Annotated[str, reader(_reason)]
Zone = Annotated[str, reader(_zone), written_as(r"\S+", "Europe/Berlin")]
Date = Annotated[date, reader(_date), written_as(r"\d{4}-\d\d-\d\d", "2026-12-24")]
Wall = Annotated[
    tuple[datetime, bool],
    reader(_wall),
    written_as(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d)?", "2026-12-24", "2026-12-24 18:00"),
]
AtCloseWord = Annotated[AtClose, choice(AtClose), one_word(AtClose)]


def _one_or_many(value: object) -> object:
    values = value if isinstance(value, list) else [value]
    if not 0 < len(values) <= OPENINGS_MAX:
        raise refusal("it allows nothing, or too much to read", f"write 1 to {OPENINGS_MAX} windows: {HOURS}")
    return values


class WindowModel(Model):
    """When the rollout may start, and green's weight grow."""

    allow: Annotated[
        list[OneOpening],
        BeforeValidator(_one_or_many),
        WithJsonSchema(
            {
                "anyOf": [
                    {"type": "string", "pattern": f"^{_PATTERN}$"},
                    {"type": "array", "items": {"type": "string", "pattern": f"^{_PATTERN}$"}, "minItems": 1},
                ],
                "examples": ["Mon-Thu 09:00-17:00", ["Mon-Fri 09:00-12:00", "Sat 22:00-02:00"]],
            }
        ),
    ] = Field(
        description="Days and hours, one or a list; one that ends before it begins ends on the next day."
    )
    zone: Zone = Field(default=_DEFAULT.zone, description="Whose clock is meant.")
    holidays: list[Date] = Field(
        default=[], max_length=HOLIDAYS_MAX, description="Days on which it stays closed."
    )
    at_close: AtCloseWord = Field(
        default=_DEFAULT.at_close,
        description="What happens to a rollout under way when it closes: hold (no weight grows until it opens again), "
        "or rollback.",
    )


def _build(model: WindowModel | None) -> WindowSpec:
    if model is None:
        return WindowSpec()
    return WindowSpec(
        allow=tuple(model.allow),
        zone=model.zone,
        holidays=tuple(sorted(set(model.holidays))),
        at_close=model.at_close,
    )


def _document(spec: WindowSpec) -> Value:
    if not spec.allow:
        return None
    return {
        "allow": [str(one) for one in spec.allow],
        "zone": spec.zone,
        "holidays": [str(day) for day in spec.holidays],
        "at_close": spec.at_close.value,
    }


FORM = Form(
    gate=WINDOW,
    annotation=WindowModel | None,
    key=Field(default=None, description="When it may start, and green's weight grow. Default: always."),
    build=_build,
    document=_document,
)


# freezes of the operators' calendar --------------------------------------------------------------------------------


def build_freeze(
    *,
    begins: tuple[datetime, bool],
    ends: tuple[datetime, bool],
    zone: str,
    reason: str,
    services: list[str],
) -> Freeze:
    """A freeze of the calendar; one that ends on a date ends with that day."""
    (first, _), (last, is_whole_day) = begins, ends
    return Freeze(
        begins=moment(first, zone),
        ends=moment(last + DAY if is_whole_day else last, zone, last=True),
        reason=reason,
        zone=zone,
        services=tuple(services),
    )


def is_ordered(begins: object, ends: object) -> bool:
    """True unless both can be read and the second comes before the first, or at once."""
    try:
        (first, _), (last, is_whole_day) = _wall(begins), _wall(ends)
    except ValueError:
        return True
    return (last + DAY if is_whole_day else last) > first
