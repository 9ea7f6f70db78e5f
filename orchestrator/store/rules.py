"""What both stores mean by the same words, pure: when a row is due, whose lease counts, what a late command gets."""

from collections.abc import Iterable
from datetime import datetime

from orchestrator.core.commands import Command, CommandState, Outcome
from orchestrator.core.errors import Conflict, Invalid, Lost, Mistake, NotFound, Refused
from orchestrator.core.events import Event, EventKind
from orchestrator.core.ids import RolloutId
from orchestrator.core.phases import Phase


def earliest(*moments: datetime | None) -> datetime | None:
    """The earliest of some moments, None standing for never."""
    return min((moment for moment in moments if moment is not None), default=None)


def too_late(commands: Iterable[Command], phase: Phase) -> tuple[tuple[Outcome, ...], tuple[Event, ...]]:
    """What becomes of commands that were accepted while the tick that ended their rollout was under way.

    No tick will ever see them, so the commit that ends the rollout answers them, and the audit log says so.
    """
    outcomes, events = [], []
    for command in commands:
        text = f"the rollout had ended ({phase}) before it could be applied"
        outcomes.append(Outcome(key=command.key, state=CommandState.OVERTAKEN, text=text))
        facts = (
            ("command", command.kind.value),
            ("by", command.by.name),
            ("source", command.by.source),
            ("reason", command.reason),
            ("key", command.key),
        )
        message = f"{command.kind} by {command.by.name}: {text}"
        events.append(Event(kind=EventKind.COMMAND_OVERTAKEN, at=command.at, message=message, facts=facts))
    return tuple(outcomes), tuple(events)


def unknown(rollout: RolloutId) -> NotFound:
    """The error of a rollout that is not in the store."""
    return NotFound(what=f"no rollout {rollout}", next_step="`teal list` shows those there are.")


def unknown_command(rollout: RolloutId, key: str) -> NotFound:
    """The error of a command that was never accepted."""
    return NotFound(what=f"no command {key} for rollout {rollout}", why="it was never accepted")


def unknown_cursor(before: str) -> Invalid:
    """The error of a cursor that no page returned."""
    mistake = Mistake(
        pointer="/before",
        what=f"no page ends at {before!r}",
        instead="the cursor which the page before returned",
    )
    return Invalid(source="cursor", mistakes=[mistake])


def held(claim: str, *, holder: RolloutId) -> Conflict:
    """The error of a claim that another active rollout holds."""
    return Conflict(
        what=f"{claim} is taken",
        why=f"rollout {holder} holds it until it ends",
        next_step=f"Wait for it (`teal watch {holder}`) or end it (`teal rollback {holder}`).",
        holder=holder,
    )


def used_id(rollout: RolloutId) -> Conflict:
    """The error of a new rollout under the id of another."""
    return Conflict(
        what=f"there is a rollout {rollout} already", why="it was started by another key", holder=rollout
    )


def ended(rollout: RolloutId) -> Refused:
    """The error of claiming something for a rollout that is over."""
    return Refused(what=f"rollout {rollout} can claim nothing", why="it has ended")


def passed_on(rollout: RolloutId) -> Lost:
    """The error of a lease that is not the row's newest any more."""
    return Lost(
        what=f"the lease of rollout {rollout} is lost",
        why="it was given back, or another one was given since",
        next_step="Nothing was written; the next tick looks again.",
    )


def moved_on(rollout: RolloutId, *, mine: int, version: int) -> Lost:
    """The error of a decision about a row that has changed since it was read."""
    return Lost(
        what=f"the decision about rollout {rollout} is outdated",
        why=f"it was made of version {mine}, the row is at {version}",
        next_step="Nothing was written; the next tick looks again.",
    )
