"""The whole store, as adapters fulfil it and as its contract suite asks it."""

from typing import Protocol

from orchestrator.ports.calls import CallPages, CallRecorder
from orchestrator.ports.commands import CommandAnswers, CommandInbox
from orchestrator.ports.freezes import FreezeCalendar
from orchestrator.ports.leases import AloneStore, Leases, NextDue, WakeupStore
from orchestrator.ports.outbox import Outbox
from orchestrator.ports.retention import RetentionStore
from orchestrator.ports.rollouts import (
    ActiveRollout,
    AftercareStore,
    EventLog,
    RecordLog,
    RolloutById,
    RolloutNames,
    ServicePages,
)
from orchestrator.ports.starts import Starts
from orchestrator.ports.tokens import Tokens


class DoorStore(
    RolloutNames, EventLog, RecordLog, ServicePages, Starts, CommandInbox, FreezeCalendar, Protocol
):
    """What a door needs that shows rollouts, starts them and takes commands."""


class Store(
    AftercareStore,
    RetentionStore,
    WakeupStore,
    RolloutById,
    ActiveRollout,
    EventLog,
    Starts,
    Leases,
    AloneStore,
    NextDue,
    CommandInbox,
    CommandAnswers,
    Outbox,
    Tokens,
    CallRecorder,
    CallPages,
    FreezeCalendar,
    Protocol,
):
    """Rollouts, their events, records and commands; tokens, calls, the calendar and the outbox.

    Every method is one transaction.
    """

    async def try_to_write(self) -> None:
        """Write to the store's disk, and change nothing. Raises Unwritable, or what reading it raises."""
        ...

    async def close(self) -> None:
        """Let go of everything held open."""
        ...
