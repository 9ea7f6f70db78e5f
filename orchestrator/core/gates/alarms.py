"""Gate ``alarms``: the team's own CloudWatch alarms, as far as they can see green."""

from dataclasses import dataclass
from enum import StrEnum


class NoData(StrEnum):
    """What an alarm without data means for the rollout."""

    HOLD = "hold"
    PASS = "pass"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmSpec:
    """One alarm by name; ``no_data`` None: as the alarm's own missing-data treatment says."""

    name: str
    no_data: NoData | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmsSpec:
    """Settings of ``gates.alarms``."""

    alarms: tuple[AlarmSpec, ...] = ()
