"""A row with some values changed, whichever part of it they belong to.

Names are unique over all parts, so whoever changes a value need not say where it stands. ``Changes`` says its type;
a test holds it to the parts themselves.
"""

from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any, TypedDict, TypeVar, Unpack

from orchestrator.core.cloud.resources import ImageSeen, ProtectionSeen
from orchestrator.core.domain.commands import Actor
from orchestrator.core.domain.ids import Json, ListenerArn, TargetGroupArn
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import Step
from orchestrator.core.domain.verdict import Judged
from orchestrator.core.gates.gathered import Probed, Question
from orchestrator.core.gates.scene import Counts, Interval
from orchestrator.core.rollout.colours import Blue, Colours, Green, Registration, Revisions, Stops
from orchestrator.core.rollout.handover import (
    Attempt,
    BlueScaling,
    End,
    Handover,
    Holding,
    Retirement,
    WayOut,
)
from orchestrator.core.rollout.progress import (
    Approval,
    Bake,
    Blindness,
    Checks,
    Evidence,
    Intervention,
    Loss,
    Progress,
    Spell,
)
from orchestrator.core.rollout.rollout import (
    Asked,
    Hold,
    Lasted,
    Paged,
    Pause,
    Rollout,
    Ticks,
    Unanswered,
    Waiting,
)
from orchestrator.core.rollout.rule_state import Listeners, Listing, Pair, RuleState
from orchestrator.core.rollout.spec import Spec
from orchestrator.core.statistics.comparison import Stream

T = TypeVar("T")

PARTS: dict[str, type] = {
    "colours": Colours,
    "revisions": Revisions,
    "listeners": Listeners,
    "checks": Checks,
    "progress": Progress,
    "evidence": Evidence,
    "stops": Stops,
    "blue_scaling": BlueScaling,
    "pause": Pause,
    "waiting": Waiting,
    "handover": Handover,
    "way_out": WayOut,
    "ticks": Ticks,
}
"""The members of a row that are parts, and what they are."""

PART_OF = {field.name: part for part, kind in PARTS.items() for field in fields(kind)}
"""The part that a value belongs to, by the value's name; what is not here is the row's own."""


class Changes(TypedDict, total=False):
    """The values that a tick may change, by name."""

    spec: Spec
    phase: Phase
    phase_since: datetime | None
    pairs: tuple[Pair, ...]
    rules: tuple[RuleState, ...]
    test_rules: tuple[RuleState, ...]
    answers: tuple[Judged, ...]
    blue_loss: Loss | None
    retirement: Retirement | None
    end: End | None
    lasted: tuple[Lasted, ...]
    lasted_before: tuple[Lasted, ...]
    # Colours, both at once the first time
    colours: Colours
    blue: Blue
    green: Green
    # Revisions
    registrations: tuple[Registration, ...]
    active_seen_at: datetime | None
    inactive_since: datetime | None
    images: tuple[ImageSeen, ...]
    # Listeners
    listings: tuple[Listing, ...]
    lost_listeners: tuple[ListenerArn, ...]
    listed_at: datetime | None
    # Checks
    probed: Probed | None
    questions: tuple[Question, ...]
    questions_put: int
    # Progress
    steps: tuple[Step, ...]
    step: int
    bake: Bake
    ready_since: datetime | None
    passed: tuple[int, ...]
    approvals: tuple[Approval, ...]
    waited_for_approval: timedelta
    waived_step: int | None
    is_leaping: bool
    # Evidence
    spells: tuple[Spell, ...]
    intervals: tuple[Interval, ...]
    judged_from: datetime | None
    history: tuple[Counts, ...] | None
    comparison: tuple[Stream, ...]
    warm_up_left: int
    reading: tuple[Interval, ...]
    read_at: datetime | None
    intervention: Intervention | None
    outages_passed: int
    blindness: Blindness | None
    # Stops
    unused_since: datetime | None
    stops_told: tuple[str, ...]
    stops_count_from: datetime | None
    # BlueScaling
    is_scaling_touched: bool
    holding: Holding | None
    scaling_seen_at: datetime | None
    # Pause
    paused_by: Actor | None
    pause_reason: str
    paused_for: timedelta
    # Waiting
    holds: tuple[Hold, ...]
    held: timedelta
    waiting_for: str
    failed: str
    paged: tuple[Paged, ...]
    # Handover
    attempts: tuple[Attempt, ...]
    is_homeward: bool
    protection: ProtectionSeen | None
    protection_read_at: datetime | None
    protected_for: timedelta
    is_configuration_touched: bool
    theirs_configuration: Json | None
    # WayOut
    on_blue_since: datetime | None
    is_way_clear: bool
    unpinned_at: datetime | None
    detached_since: datetime | None
    stopping_since: datetime | None
    blue_absent_since: datetime | None
    in_use: tuple[TargetGroupArn, ...]
    comparing_since: datetime | None
    left: tuple[TargetGroupArn, ...]
    # Ticks
    asked: tuple[Asked, ...]
    unanswered: tuple[Unanswered, ...]
    created_last: datetime | None
    ticked_at: datetime | None
    observed_at: datetime | None
    went_back_at: datetime | None
    green_gone_since: datetime | None


def changed(row: Rollout, **changes: Unpack[Changes]) -> Rollout:
    """The row with these values, as `dataclasses.replace` over all its parts and many times as fast.

    The same row where nothing changes, as in four changes of ten.
    """
    known = row.__dict__
    values: dict[str, Any] = {}
    for name, value in changes.items():
        part = PART_OF.get(name)
        if part is None:
            assert name in known, f"a row has no {name}"
            if known[name] != value:
                values[name] = value
            continue
        whole = values.get(part, known[part])
        assert whole is not None, f"{name} belongs to {part}, which the row does not have yet"
        if whole.__dict__[name] == value:
            continue
        if part not in values:
            whole = values[part] = _made(type(whole), whole.__dict__)
        whole.__dict__[name] = value
    return _made(Rollout, {**known, **values}) if values else row


def _made(kind: type[T], values: dict[str, Any]) -> T:
    new = object.__new__(kind)
    new.__dict__.update(values)
    return new
