"""Accepting commands and wake-ups, at any time, also while somebody holds the row's lease."""

from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from orchestrator.core.domain.commands import Command, CommandState
from orchestrator.core.domain.ids import RolloutId
from orchestrator.ports.commands import Check, CommandSeen
from orchestrator.store import invariants
from orchestrator.store.codec import encode
from orchestrator.store.sql.queries import find_command, load
from orchestrator.store.sql.tables import commands, rollouts


def wake(connection: Connection, rollout: RolloutId, *, at: datetime) -> None:
    """See `ports.leases.WakeupStore.wake`. A rollout that is unknown or has ended needs no look: nothing is done."""
    query = select(rollouts.c.wake_at, rollouts.c.woken_at).where(
        rollouts.c.id == rollout, rollouts.c.is_active
    )
    row = connection.execute(query).one_or_none()
    if row is not None:
        times = {
            "wake_at": invariants.earliest(row.wake_at, at),
            "woken_at": invariants.earliest(row.woken_at, at),
        }
        connection.execute(update(rollouts).where(rollouts.c.id == rollout).values(times))


def add_command(connection: Connection, rollout: RolloutId, command: Command, *, check: Check) -> CommandSeen:
    """See `ports.commands.CommandInbox.add_command`. "At once" is the command's own time: it is due since then."""
    before = find_command(connection, rollout, command.key)
    if before is not None and invariants.still_stands(before, now=command.at):
        return before
    check(load(connection, rollout))
    same = (commands.c.rollout == rollout, commands.c.key == command.key)
    connection.execute(update(commands).where(*same).values(key=None))
    last = connection.scalar(select(func.max(commands.c.number)).where(commands.c.rollout == rollout)) or 0
    connection.execute(
        insert(commands).values(
            rollout=rollout,
            key=command.key,
            number=last + 1,
            state=CommandState.ACCEPTED.value,
            text="",
            body=encode(command),
        )
    )
    wake(connection, rollout, at=command.at)
    return CommandSeen(command=command, state=CommandState.ACCEPTED, text="")
