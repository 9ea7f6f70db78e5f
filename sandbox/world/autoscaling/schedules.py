"""Scheduled actions: ``at(yyyy-mm-ddThh:mm:ss)``, ``rate(n unit)`` and ``cron(minute hour day month weekday year)``.

Source: PutScheduledAction; "Schedule recurring scaling actions using cron expressions".
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sandbox.world.autoscaling.policies import wrong
from sandbox.world.kernel.errors import Json

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_FIELDS: tuple[tuple[int, int, list[str]], ...] = (
    (0, 59, []),
    (0, 23, []),
    (1, 31, []),
    (1, 12, _MONTHS),
    (1, 7, _DAYS),
    (1970, 2199, []),
)


@dataclass(slots=True, kw_only=True)
class Action:
    """A scheduled action of one scalable target."""

    arn: str
    name: str
    resource: str
    settings: Json  # Schedule, Timezone, StartTime, EndTime, ScalableTargetAction
    created: datetime
    at: datetime | None = None
    every: timedelta | None = None
    fields: tuple[frozenset[int], ...] = ()

    def is_due(self, after: datetime, until: datetime) -> bool:
        """True if it is to act at a moment of (after, until], which are at most a minute apart."""
        start, end = self.settings.get("StartTime"), self.settings.get("EndTime")
        if (start and until < start) or (end and after >= end):
            return False
        if self.at is not None:
            return after < self.at <= until
        if self.every is not None:
            begun = start or self.created
            return (until - begun) // self.every > (after - begun) // self.every
        minute = until.replace(second=0, microsecond=0)
        return after < minute and self._matches(minute)

    def _matches(self, minute: datetime) -> bool:
        local = minute.astimezone(ZoneInfo(self.settings.get("Timezone", "UTC")))
        weekday = local.isoweekday() % 7 + 1
        found = (local.minute, local.hour, local.day, local.month, weekday, local.year)
        return all(one in allowed for one, allowed in zip(found, self.fields, strict=True))


def action(params: Json, former: Action | None, *, arn: str, now: datetime) -> Action:
    """A scheduled action as it is put. Raises AwsRefusal.

    On an update, leaving StartTime or EndTime out deletes the former values; the other members stay.
    """
    kept = ("Schedule", "Timezone", "ScalableTargetAction")
    settings = {name: former.settings[name] for name in kept if former and name in former.settings}
    settings |= {name: params[name] for name in (*kept, "StartTime", "EndTime") if name in params}
    if "Schedule" not in settings or not settings.get("ScalableTargetAction"):
        raise wrong("Schedule and ScalableTargetAction must be specified")
    try:
        zone = ZoneInfo(settings.get("Timezone", "UTC"))
    except (ZoneInfoNotFoundError, ValueError):
        raise wrong(f"Timezone {settings['Timezone']} is not known") from None
    end = settings.get("EndTime")
    if end is not None and end <= now:
        raise wrong("EndTime must be in the future")
    made = Action(
        arn=former.arn if former else arn,
        name=params["ScheduledActionName"],
        resource=params["ResourceId"],
        settings=settings,
        created=former.created if former else now,
    )
    _parse(made, settings["Schedule"], zone, now)
    return made


def _parse(made: Action, schedule: str, zone: ZoneInfo, now: datetime) -> None:
    if schedule.startswith("at(") and schedule.endswith(")"):
        try:
            moment = datetime.fromisoformat(schedule[3:-1]).replace(tzinfo=zone).astimezone(UTC)
        except ValueError:
            raise wrong(f"Schedule {schedule} is not at(yyyy-mm-ddThh:mm:ss)") from None
        if moment <= now:
            raise wrong(f"The scheduled time {schedule} is in the past")
        made.at = moment
        return
    rate = _RATE.fullmatch(schedule)
    if rate is not None and int(rate[1]):
        made.every = int(rate[1]) * _UNITS[rate[2]]
        return
    parts = schedule[5:-1].split() if schedule.startswith("cron(") and schedule.endswith(")") else []
    if len(parts) != len(_FIELDS):
        raise wrong(f"Schedule {schedule} is no at(…), no rate(…) and no cron(…) of six fields")
    made.fields = tuple(_field(part, *limits) for part, limits in zip(parts, _FIELDS, strict=True))


def _field(text: str, low: int, high: int, names: list[str]) -> frozenset[int]:
    """``*`` and ``?``, numbers or names, ranges, lists, and steps (``0/15``)."""
    values: set[int] = set()
    for part in text.upper().split(","):
        span, _, step = part.partition("/")
        if span in ("*", "?"):
            first, last = low, high
        else:
            ends = [
                names.index(end) + low if end in names else int(end) if end.isdecimal() else -1
                for end in span.split("-")
            ]
            first, last = ends[0], high if step and len(ends) == 1 else ends[-1]
        every = int(step) if step.isdecimal() else 0 if step else 1
        if not low <= first <= last <= high or not every:
            raise wrong(f"{text} is no field of a cron expression")
        values.update(range(first, last + 1, every))
    return frozenset(values)
