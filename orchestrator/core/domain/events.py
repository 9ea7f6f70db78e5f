"""Facts for the audit log: enough to explain every decision afterwards from the events alone."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

Fact = str | int | float | bool | None


class EventKind(StrEnum):
    """What happened, in the past tense."""

    STARTED = "started"
    WINDOW_OVERRIDDEN = "window_overridden"  # somebody started it outside its hours, and said why
    PHASE_CHANGED = "phase_changed"
    BLUE_READ = "blue_read"
    WEIGHT_WANTED = "weight_wanted"
    WEIGHT_VERIFIED = "weight_verified"
    REVISION_REGISTERED = "revision_registered"  # a task definition that this rollout made
    SCALING_GIVEN = "scaling_given"  # green scales by itself, as blue does
    BLUE_RAISED = "blue_raised"  # it is to run more tasks, so that it could take everything back
    IMAGES_RESOLVED = "images_resolved"  # by ECS: which digests green runs
    TASK_STOPPED = "task_stopped"  # that nobody had chosen to stop; ECS forgets it within an hour
    TEST_RULE_POINTED = "test_rule_pointed"  # at green, or back to where it led
    STEP_PLANNED = "step_planned"  # by the plan `auto`
    STEP_STARTED = "step_started"
    STEP_PASSED = "step_passed"
    GATE_ANSWERED = "gate_answered"
    FORESEEN = "foreseen"  # what the plan can see with this traffic
    EVIDENCE_FROZEN = "evidence_frozen"  # what a comparison will judge by
    INTERVAL_TAKEN = "interval_taken"
    EVIDENCE_LOST = (
        "evidence_lost"  # it could not be read for too long: green goes back to a weight that passed
    )
    INTERVENTION_BEGUN = "intervention_begun"  # green's growth is taken back to see whether it hurts blue
    INTERVENTION_ENDED = "intervention_ended"
    HELD = "held"
    HOLD_CLEARED = "hold_cleared"
    COMMAND_APPLIED = "command_applied"
    COMMAND_OVERTAKEN = "command_overtaken"
    DRIFT_FOUND = "drift_found"
    EFFECT_ASKED = "effect_asked"
    EFFECT_FAILED = "effect_failed"
    ROLLBACK_DECIDED = "rollback_decided"
    ACTED_UNRECORDED = "acted_unrecorded"  # blue was given all traffic while the store could not be written
    STORE_WENT_BACK = (
        "store_went_back"  # the row is older than what AWS shows: what was found, and what follows
    )
    TRAFFIC_ON_BLUE = "traffic_on_blue"
    BLUE_UPDATE_ASKED = "blue_update_asked"
    BLUE_STEADY = "blue_steady"
    TRAFFIC_ON_GREEN = "traffic_on_green"  # green has taken blue's place on every rule, for good
    BLUE_DRAINED = "blue_drained"  # its tasks stop, since green stays
    BLUE_CALLED_BACK = "blue_called_back"  # by a rollback after that
    PAGED = "paged"  # people are paged: Teal cannot go on by itself
    ENDED = "ended"
    CHANGED_AFTERWARDS = "changed_afterwards"  # what an ended rollout left is not there any more, or is again


FOR_PEOPLE = frozenset(
    {
        EventKind.STARTED,
        EventKind.WINDOW_OVERRIDDEN,
        EventKind.PHASE_CHANGED,
        EventKind.WEIGHT_VERIFIED,
        EventKind.STEP_PASSED,
        EventKind.EVIDENCE_LOST,
        EventKind.INTERVENTION_BEGUN,
        EventKind.INTERVENTION_ENDED,
        EventKind.HELD,
        EventKind.HOLD_CLEARED,
        EventKind.COMMAND_APPLIED,
        EventKind.ROLLBACK_DECIDED,
        EventKind.ACTED_UNRECORDED,
        EventKind.STORE_WENT_BACK,
        EventKind.TRAFFIC_ON_BLUE,
        EventKind.TRAFFIC_ON_GREEN,
        EventKind.BLUE_DRAINED,
        EventKind.BLUE_CALLED_BACK,
        EventKind.PAGED,
        EventKind.ENDED,
        EventKind.CHANGED_AFTERWARDS,
    }
)
"""What people want to hear of without having asked for more: where the traffic is, what waits for them, the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One fact: when, what, in words for people and as named facts for programs."""

    kind: EventKind
    at: datetime
    message: str
    facts: tuple[tuple[str, Fact], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A fact that cannot be looked up again, committed with the row. ``key`` is unique within the rollout."""

    key: str
    at: datetime
    kind: str  # interval | stop | snapshot | afterwards
    body: str  # canonical JSON
