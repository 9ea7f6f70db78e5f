"""What both stores mean by the same words, pure: when a row is due, whose lease counts, what a late command gets."""

from collections.abc import Iterable
from datetime import datetime

from orchestrator.core.domain.commands import Command, CommandState, Outcome
from orchestrator.core.domain.errors import Conflict, Invalid, Lost, Mistake, NotFound, Refused
from orchestrator.core.domain.event_chain import link
from orchestrator.core.domain.events import Event, EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.text import visible
from orchestrator.ports.commands import CommandSeen
from orchestrator.ports.outbox import Delivery
from orchestrator.ports.rollouts import EventSeen
from orchestrator.ports.starts import KEYS_HOLD

_LONG = 500  # characters of a reason that are kept
_DIGITS = 18  # of the largest place there can be


def earliest(*moments: datetime | None) -> datetime | None:
    """The earliest of some moments, None standing for never."""
    return min((moment for moment in moments if moment is not None), default=None)


def stands(since: datetime, *, now: datetime) -> bool:
    """True while a key that was given at a moment still stands for what it did then."""
    return now - since < KEYS_HOLD


def still_stands(seen: CommandSeen, *, now: datetime) -> bool:
    """True while a command's key is its own: for a time, and for as long as the command waits for a tick."""
    return seen.state is CommandState.ACCEPTED or stands(seen.command.at, now=now)


def chained(rollout: RolloutId, events: Iterable[Event], *, after: int, before: str) -> tuple[EventSeen, ...]:
    """Events with their places in a rollout's log and their links.

    ``after``: how many events the log has; ``before``: the link of its last one.
    """
    seen = []
    for number, event in enumerate(events, start=after + 1):
        before = link(before, rollout, number, event)
        seen.append(EventSeen(rollout=rollout, number=number, event=event, chain=before))
    return tuple(seen)


def short(why: str) -> str:
    """A reason for the record, cut where it goes on and on."""
    return why if len(why) <= _LONG else f"{why[: _LONG - 1]}…"


def place(cursor: str) -> int:
    """The place that a numbered cursor stands for. Raises Invalid for a text that cannot be one."""
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= _DIGITS):
        raise unknown_cursor(cursor)
    return int(cursor)


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
        what=f"no page ends at `{visible(before)}`",
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


def unknown_token(token: str) -> NotFound:
    """The error of a token id that is not in the store."""
    return NotFound(what=f"no token {token}", next_step="`teal tokens list` shows those there are.")


def used_token(token: str) -> Conflict:
    """The error of a new token under the id, or with the digest, of another."""
    return Conflict(what=f"token {token} cannot be kept", why="its id or its digest is taken already")


def told_by_another(delivery: Delivery) -> Lost:
    """The error of a delivery whose lease is not the newest any more."""
    return Lost(
        what=f"the right to deliver to {delivery.sink} of rollout {delivery.stored.rollout.id} is lost",
        why="it was given back, or given to another since",
        next_step="Nothing was written; whoever holds it goes on.",
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
