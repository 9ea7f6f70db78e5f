"""What the HTTP door answers where the engine has no view of its own: values made from the core's, for JSON."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from orchestrator.core.cloud.definition_differences import Difference
from orchestrator.core.cloud.survey import Finding
from orchestrator.engine.commands import Preflight
from orchestrator.engine.views.event_values import EventView
from orchestrator.engine.views.rollout import RolloutView
from orchestrator.ports.commands import CommandSeen
from orchestrator.preflight import plan_table, refusing


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutPage:
    """Rollouts, newest first. ``next``: the cursor of the page after it; empty at the end."""

    rollouts: tuple[RolloutView, ...]
    next: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """Events in order. ``next``: what to ask ``after`` for the events that follow."""

    events: tuple[EventView, ...]
    next: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandView:
    """A command and what became of it. Steps count from 1; step 0 is the time before the first traffic."""

    key: str
    kind: str
    by: str
    source: str
    at: datetime
    reason: str
    step: int | None
    full: bool
    to_percent: float | None
    state: str  # accepted | applied | overtaken
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Commanded:
    """The answer to a command: the rollout as it was when the command was accepted, and the command's state.

    ``recorded``: false for a rollback that was done though the store could not be written. Traffic is on blue; its log
    says so once the store takes writes again.
    """

    rollout: RolloutView
    command: CommandView
    recorded: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanView:
    """One step as it will be: the earliest times, without the time people take to approve."""

    number: int
    weight_percent: float
    bake_seconds: float
    lasts_seconds: float
    ends_seconds: float  # since the first weight was read back
    approval: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PreflightView:
    """What is known before anything is touched. ``is_fit``: no finding refuses the rollout.

    ``differences``: of the wanted task definition from the one that blue runs, ``former``; null where one of them is
    not known. Values of secrets are never among them.
    """

    service: str
    task_definition: str
    account: str
    region: str
    is_fit: bool
    findings: tuple[Finding, ...]
    plan: tuple[PlanView, ...]
    rules: tuple[str, ...]
    target_groups: tuple[str, ...]
    former: str = ""
    differences: tuple[Difference, ...] | None = None


class StoreState(StrEnum):
    """Whether the store can be asked."""

    ANSWERS = "answers"
    SILENT = "silent"
    UNWRITABLE = "unwritable"  # it can be read, and takes no writes: its disk is full, or read-only


class WorkerState(StrEnum):
    """Whether rollouts are being looked after by this process."""

    RUNNING = "running"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """Whether this process can do its work, and which part cannot."""

    is_ready: bool
    store: StoreState
    worker: WorkerState
    why: str = ""  # what the store said when it was written last, if it failed


def command_view(seen: CommandSeen) -> CommandView:
    """A command as the door shows it."""
    command = seen.command
    return CommandView(
        key=command.key,
        kind=command.kind.value,
        by=command.by.name,
        source=command.by.source,
        at=command.at,
        reason=command.reason,
        step=None if command.step is None else command.step + 1,
        full=command.full,
        to_percent=None if command.to is None else command.to / 10,
        state=seen.state.value,
        text=seen.text,
    )


def preflight_view(found: Preflight) -> PreflightView:
    """A preflight as the door shows it."""
    survey = found.survey
    return PreflightView(
        service=str(found.spec.service),
        task_definition=found.spec.revision,
        account=survey.account,
        region=survey.region,
        is_fit=not refusing(found.findings, found.spec),
        findings=found.findings,
        plan=tuple(
            PlanView(
                number=row.number,
                weight_percent=row.weight / 10,
                bake_seconds=row.bake.total_seconds(),
                lasts_seconds=row.lasts.total_seconds(),
                ends_seconds=row.ends.total_seconds(),
                approval=row.approval,
            )
            for row in plan_table(found.spec, survey.alarms)
        ),
        rules=tuple(rule.arn for rule in survey.rules),
        target_groups=tuple(group.arn for group in survey.groups),
        former=survey.blue.task_definition,
        differences=survey.differences,
    )
