"""Alarm mute rules: they hold back the actions of alarms for a while, never their states.

Source: PutAlarmMuteRule. A schedule is ``at(2026-03-02T09:00)`` or ``cron(minute hour day month weekday)``.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sandbox.world.kernel.errors import AwsRefusal, Json
from sandbox.world.kernel.kernel import Kernel
from sandbox.world.kernel.operation import Operation, operation, page

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?")
_LEAST, _MOST = timedelta(minutes=1), timedelta(days=15)
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"), 1
    )
}
_DAYS = {name: n for n, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"))}
_FIELDS: tuple[tuple[int, int, dict[str, int]], ...] = (
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, _MONTHS),
    (0, 7, _DAYS),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a rule is active: one moment, or every minute whose parts are in the fields; for `duration` each."""

    zone: ZoneInfo
    duration: timedelta
    at: datetime | None = None
    fields: tuple[frozenset[int], ...] = ()

    def is_active(self, now: datetime, start: datetime | None, end: datetime | None) -> bool:
        """Whether a window is open; windows begin in [start, end)."""
        if end is not None and now >= end:
            return False
        begun = self._latest(now)
        return begun is not None and now < begun + self.duration and (start is None or begun >= start)

    def _latest(self, now: datetime) -> datetime | None:
        """The latest beginning of a window that is not after now, within the longest duration."""
        if self.at is not None:
            return self.at if self.at <= now else None
        minutes, hours, days, months, weekdays = self.fields
        local = now.astimezone(self.zone)
        for back in range(self.duration.days + 2):
            day = (local - timedelta(days=back)).date()
            if day.day not in days or day.month not in months or day.isoweekday() % 7 not in weekdays:
                continue
            for hour in sorted(hours, reverse=True):
                for minute in sorted(minutes, reverse=True):
                    begun = datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.zone)
                    if begun <= now:
                        return begun.astimezone(UTC)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class MuteRule:
    """One rule, as it was put."""

    arn: str
    settings: Json
    schedule: Schedule
    updated: datetime

    def status(self, now: datetime) -> str:
        """SCHEDULED, ACTIVE or EXPIRED."""
        start, end = self.settings.get("StartDate"), self.settings.get("ExpireDate")
        if self.schedule.is_active(now, start, end):
            return "ACTIVE"
        over = self.schedule.at is not None and now >= self.schedule.at + self.schedule.duration
        return "EXPIRED" if over or (end is not None and now >= end) else "SCHEDULED"


class Mutes:
    """The operations on mute rules."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._all: dict[str, MuteRule] = {}

    def operations(self) -> dict[str, Operation]:
        """The operations by their AWS names."""
        put = ("Name", "Description", "Rule", "MuteTargets", "Tags", "StartDate", "ExpireDate")
        return {
            "PutAlarmMuteRule": operation(self.put, *put),
            "GetAlarmMuteRule": operation(self.get, "AlarmMuteRuleName"),
            "ListAlarmMuteRules": operation(
                self.list_rules, "AlarmName", "Statuses", "MaxRecords", "NextToken"
            ),
            "DeleteAlarmMuteRule": operation(self.delete, "AlarmMuteRuleName"),
        }

    def muted_by(self, alarm: str) -> str | None:
        """The name of an active rule that targets an alarm."""
        for name, rule in sorted(self._all.items()):
            targets = rule.settings.get("MuteTargets", {}).get("AlarmNames", [])
            if alarm in targets and rule.status(self._kernel.now) == "ACTIVE":
                return name
        return None

    def put(self, params: Json) -> Json:
        """PutAlarmMuteRule."""
        name = params["Name"]
        settings = {key: value for key, value in params.items() if key != "Tags"}
        self._all[name] = MuteRule(
            arn=self._kernel.arn("cloudwatch", f"alarm-mute-rule:{name}"),
            settings=settings,
            schedule=_schedule(params["Rule"]["Schedule"]),
            updated=self._kernel.now,
        )
        return {}

    def get(self, params: Json) -> Json:
        """GetAlarmMuteRule."""
        rule = self._rule(params["AlarmMuteRuleName"])
        return {**rule.settings, **self._summary(rule), "MuteType": _type(rule)}

    def list_rules(self, params: Json) -> Json:
        """ListAlarmMuteRules."""
        statuses = params.get("Statuses", ["SCHEDULED", "ACTIVE", "EXPIRED"])
        found = [
            self._summary(rule) | {"MuteType": _type(rule)}
            for _, rule in sorted(self._all.items())
            if rule.status(self._kernel.now) in statuses
            and params.get("AlarmName") in (None, *rule.settings.get("MuteTargets", {}).get("AlarmNames", []))
        ]
        size = params.get("MaxRecords", 50)
        shown, token = page(found, params.get("NextToken"), size, code="InvalidNextToken")
        return {"AlarmMuteRuleSummaries": [*shown]} | ({"NextToken": token} if token else {})

    def delete(self, params: Json) -> Json:
        """DeleteAlarmMuteRule; one that is gone is no error."""
        self._all.pop(params["AlarmMuteRuleName"], None)
        return {}

    def _rule(self, name: str) -> MuteRule:
        if name not in self._all:
            raise AwsRefusal("ResourceNotFoundException", f"Alarm mute rule {name} does not exist", 404)
        return self._all[name]

    def _summary(self, rule: MuteRule) -> Json:
        summary: Json = {
            "AlarmMuteRuleArn": rule.arn,
            "Status": rule.status(self._kernel.now),
            "LastUpdatedTimestamp": rule.updated,
        }
        expires = rule.settings.get("ExpireDate")
        return summary | ({"ExpireDate": expires} if expires else {})


def _type(rule: MuteRule) -> str:
    return "ONE_TIME" if rule.schedule.at is not None else "RECURRING"


def _schedule(given: Json) -> Schedule:
    try:
        zone = ZoneInfo(given.get("Timezone", "UTC"))
    except (ZoneInfoNotFoundError, ValueError):
        raise _wrong(f"Timezone {given['Timezone']} is not known") from None
    found = _DURATION.fullmatch(given["Duration"])
    days, hours, minutes = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    duration = timedelta(days=days, hours=hours, minutes=minutes)
    if not _LEAST <= duration <= _MOST:
        raise _wrong(f"Duration {given['Duration']} is not from PT1M to P15D")
    expression = given["Expression"].strip()
    if expression.startswith("at(") and expression.endswith(")"):
        try:
            moment = datetime.fromisoformat(expression[3:-1])
        except ValueError:
            raise _wrong(f"Expression {expression} is not at(yyyy-MM-ddThh:mm)") from None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        return Schedule(zone=zone, duration=duration, at=moment.astimezone(UTC))
    parts = expression[5:-1].split() if expression.startswith("cron(") and expression.endswith(")") else []
    if len(parts) != len(_FIELDS):
        raise _wrong(f"Expression {expression} is neither at(…) nor cron(…) with five fields")
    fields = tuple(_field(part, *limits) for part, limits in zip(parts, _FIELDS, strict=True))
    weekdays = frozenset(day % 7 for day in fields[4])
    return Schedule(zone=zone, duration=duration, fields=(*fields[:4], weekdays))


def _field(text: str, low: int, high: int, names: dict[str, int]) -> frozenset[int]:
    """One field of a cron expression: ``*``, numbers or names, ranges and lists of them."""
    values: set[int] = set()
    for part in text.upper().split(","):
        first, _, last = part.partition("-")
        if part == "*":
            values.update(range(low, high + 1))
            continue
        ends = [names.get(end, int(end) if end.isdecimal() else -1) for end in (first, last or first)]
        if not low <= ends[0] <= ends[1] <= high:
            raise _wrong(f"{text} is no field of a cron expression")
        values.update(range(ends[0], ends[1] + 1))
    return frozenset(values)


def _wrong(why: str) -> AwsRefusal:
    return AwsRefusal("ValidationError", why)
