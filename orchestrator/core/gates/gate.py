"""What a gate is: one value in its own file says all that the rest of Teal need know of it.

The registry, the rollout file's model, its dump and the page of gates are made from these values. A new gate is its
file, its line in the registry and its page.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Generic, TypeVar

from orchestrator.core.cloud.resources import AlarmSeen, MetricQuery
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.verdict import Answer
from orchestrator.core.gates.scene import Colour, Names, Scene

S = TypeVar("S")
T = TypeVar("T")


class NoData(StrEnum):
    """What silence means for the rollout."""

    HOLD = "hold"
    PASS = "pass"
    FAIL = "fail"


# settings ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """How one setting stands in the rollout file. A number has bounds; a share is written with its sign, ``5%``."""

    says: str  # what it means, in the published schema and the pages
    is_share: bool = False
    least: float = 0
    most: float = 1_000_000


def setting(default: T, says: str, *, is_share: bool = False, least: float = 0, most: float = 1_000_000) -> T:
    """A field of a gate's settings that the rollout file may set, under its own name."""
    shown = Setting(says=says, is_share=is_share, least=least, most=most)
    return field(default=default, metadata={Setting: shown})


# what it must see --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What is known before a look: by it a gate says what it must see."""

    now: datetime
    period: timedelta
    lag: timedelta
    phase: Phase
    judged: Colour
    names: Names
    alarms_at_start: tuple[AlarmSeen, ...]
    since: datetime | None  # this weight was read back on every rule; None: it was not


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesNeed:
    """Series, and from when on."""

    queries: tuple[MetricQuery, ...]
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GateNeeds:
    """What a gate must see beside what every look shows (tasks, targets, requests): alarms by name, and series."""

    alarms: tuple[str, ...] = ()
    series: tuple[SeriesNeed, ...] = ()


def nothing_more(_: object, __: Outlook) -> GateNeeds:
    """The needs of a gate that judges by what every look shows."""
    return GateNeeds()


# the gate ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate(Generic[S]):
    """One gate with its settings' type. What it does not say is as for most gates."""

    name: str  # as answers, pages and the rollout file have it
    usual: S  # its settings where the file says nothing
    is_on: Callable[[S], bool]
    judge: Callable[[S, Scene], Answer | None]  # None: it has nothing to say, and is not shown
    says: str = ""  # what it looks at: the file's key in one sentence, unless `config.gates` writes its form
    needs: Callable[[S, Outlook], GateNeeds] = nothing_more
    judges_before_traffic: bool = False  # also while green is healthy and has met no user
    judges_intervals: bool = False  # its PASS takes one whole measured interval at every weight
    may_fail_in_settling: bool = True  # False: the release is decided by then, and a FAIL only holds
    settles_when: str = ""  # what clears that HOLD
    needs_control: bool = False  # a FAIL only holds where blue has just lost its control group
    may_stand_alone: bool = False  # with this one alone a rollout is judged at every weight
    is_named_last: bool = False  # where several fail at once, others say more plainly what is wrong
