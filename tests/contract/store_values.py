"""Rollouts, commands and decisions for the tests of stores: one as short and one as full as they can be."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from orchestrator.core.domain.commands import Actor, Command, CommandKind, CommandState, Outcome
from orchestrator.core.domain.events import Event, EventKind, Record
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import NAMED_PLANS
from orchestrator.core.rollout.rollout import Decision, Rollout
from orchestrator.core.rollout.spec import ServiceName, Spec
from orchestrator.ports.leases import Leased
from orchestrator.ports.rollouts import Stored

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TTL = timedelta(seconds=30)
TICK = timedelta(seconds=15)
AUTHOR = Actor(name="author")


def a_rollout(name: str = "r1", *, service: str = "checkout", created_at: datetime = NOON) -> Rollout:
    spec = Spec(
        service=ServiceName(cluster="prod", service=service),
        task_definition=f"{service}:43",
        plan=NAMED_PLANS["canary"],
    )
    return Rollout(id=RolloutId(name), spec=spec, author=AUTHOR, created_at=created_at)


def an_event(message: str = "it began", *, at: datetime = NOON) -> Event:
    return Event(kind=EventKind.STARTED, at=at, message=message, facts=(("step", 1), ("share", 0.5)))


def a_record(key: str, *, body: str = "{}", kind: str = "interval") -> Record:
    return Record(key=key, at=NOON, kind=kind, body=body)


def a_command(key: str = "c1", *, kind: CommandKind = CommandKind.PAUSE, at: datetime = NOON) -> Command:
    return Command(key=key, kind=kind, by=AUTHOR, at=at, reason="lunch")


def an_outcome(key: str = "c1", state: CommandState = CommandState.APPLIED) -> Outcome:
    return Outcome(key=key, state=state, text="paused")


def a_decision(
    leased: Leased,
    *,
    phase: Phase = Phase.PREPARING,
    wake_at: datetime | None = NOON + TICK,
    events: tuple[Event, ...] = (),
    records: tuple[Record, ...] = (),
    outcomes: tuple[Outcome, ...] = (),
) -> Decision:
    rollout = replace(leased.stored.rollout, phase=phase)
    return Decision(rollout=rollout, wake_at=wake_at, events=events, records=records, outcomes=outcomes)


def allow(_: Stored) -> None:
    """The check of a command that is always in place."""
