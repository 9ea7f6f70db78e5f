"""A person's click or word as a command: who they are, whether they may, and what became of it, in words.

Keys are made from what Slack says of the click, so that a click that is sent twice, or pressed twice, is one command.
"""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from api.problems import Forbidden
from api.slack.slack_state import OK, STORE_SECONDS, Sender, SlackDoor, words_of
from orchestrator.core.apply_commands import refusal
from orchestrator.core.domain.commands import Command, CommandKind, CommandState
from orchestrator.core.domain.errors import NotFound, Refused, TealError, Unwritable
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.roles import ROLE_FOR, Principal
from orchestrator.core.evaluation.approvals import current_step
from orchestrator.engine import commands
from orchestrator.notify.slack.buttons import HOLDS_AT_ANY_STEP, REASON_MAX, WORDS
from orchestrator.notify.slack.text import escaped, plain
from orchestrator.ports.commands import CommandSeen
from orchestrator.ports.rollouts import Stored

SLOW = (
    "Teal's store did not answer in time, so it is not known whether this was accepted. "
    "Look at the rollout's message, then try again if need be."
)
AT_ONCE_SECONDS = 1.0  # of the time that Slack waits
DOUBLE = timedelta(seconds=2)  # a second press this soon after the first is the same


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackCommand:
    """What a person wants of a rollout. ``once``: Slack's own name of this click, dialog or word."""

    kind: CommandKind
    rollout: RolloutId
    once: str
    step: int | None = None  # from 1, as it was shown; 0: before the first traffic; None: whichever it is
    reason: str = ""
    pressed_at: datetime | None = None  # for buttons, which may be pressed twice


def pressed_at(action_ts: str) -> datetime | None:
    """When a button was pressed, by Slack's clock."""
    try:
        return datetime.fromtimestamp(float(action_ts), UTC)
    except (ValueError, OverflowError, OSError):
        return None


async def reach(door: SlackDoor, who: Principal, rollout: RolloutId) -> Stored:
    """A rollout that this person may see. Raises NotFound, also for one that they may not."""
    stored = await door.engine.store.load(rollout)
    if not who.reaches(str(stored.rollout.spec.service)):
        raise NotFound(what=f"no rollout `{rollout}`", why="you see only the services you are set up for")
    return stored


async def allow(door: SlackDoor, who: Principal, asked: SlackCommand) -> Stored:
    """The rollout, if this person may give this command now. Raises Forbidden, NotFound or Refused, in words."""
    stored = await reach(door, who, asked.rollout)
    lacking = who.lacks(ROLE_FOR[asked.kind])
    if lacking:
        raise Forbidden(
            what=f"you may not {asked.kind} {stored.rollout.spec.service}",
            why=lacking,
            next_step="ask somebody who may, or whoever runs Teal for the role",
        )
    if len(asked.reason) > REASON_MAX:
        raise Refused(what=f"the reason is longer than {REASON_MAX} characters", next_step="shorten it")
    return stored


async def refuse_late(door: SlackDoor, who: Principal, asked: SlackCommand) -> Stored:
    """The rollout, if this command would be accepted now; nothing is given. Raises as `allow`."""
    stored = await allow(door, who, asked)
    why = refusal(stored.rollout, _command(door, who, asked, key=""))
    if why:
        raise Refused(what=f"{asked.kind} was refused", why=why)
    return stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What became of a command: words for whoever gave it, and how the audit log calls it."""

    words: str
    outcome: str
    by: str

    @property
    def is_ok(self) -> bool:
        """True if the command was accepted, now or before."""
        return self.outcome == OK


async def give_noted(door: SlackDoor, sender: Sender, asked: SlackCommand, what: str) -> Given:
    """Give a command as whoever sent it and keep it in the audit log, accepted or not; in time for Slack's answer."""
    given = await _given_in_time(door, sender, asked)
    await door.note(sender, what, by=given.by, target=asked.rollout, outcome=given.outcome)
    return given


async def _given_in_time(door: SlackDoor, sender: Sender, asked: SlackCommand) -> Given:
    by = ""
    try:
        async with asyncio.timeout(STORE_SECONDS):
            who = door.identify(sender)
            by = who.name
            return Given(words=await give(door, who, asked), outcome=OK, by=by)
    except TimeoutError:
        return Given(words=SLOW, outcome="slow", by=by)
    except TealError as error:
        return Given(words=words_of(error), outcome=error.code, by=by)


async def give(door: SlackDoor, who: Principal, asked: SlackCommand) -> str:
    """Give the command; what became of it, in words for Slack. Raises as `allow`, and what the rules refuse."""
    stored = await allow(door, who, asked)
    key = _key(asked, who)
    command = _command(door, who, asked, key=key)
    try:
        seen = await commands.accept(asked.rollout, command, store=door.engine.store)
    except Unwritable:
        if asked.kind is not CommandKind.ROLLBACK:
            raise
        commands.check_makes_sense(stored, command)
        return await _rolled_back_at_once(door, stored, command)
    if seen.command == command:
        door.engine.hint()
        return _accepted(stored, asked)
    if _is_same_press(asked, seen):
        return _again(asked, seen)
    # The same button, pressed anew later, while it was still shown: judged anew, under a key of this press alone.
    command = _command(door, who, asked, key=f"{key}-{_digest(asked.once)[:16]}")
    seen = await commands.accept(asked.rollout, command, store=door.engine.store)
    if seen.command != command:
        return _again(asked, seen)
    door.engine.hint()
    return _accepted(stored, asked)


async def _rolled_back_at_once(door: SlackDoor, stored: Stored, command: Command) -> str:
    """Have the engine roll back without the store, as far as Slack waits for it. Raises Unwritable if it says no."""
    row = stored.rollout
    doing = asyncio.create_task(door.engine.roll_back_at_once(row.id, command), name="rollback at once")
    door.doing.add(doing)
    doing.add_done_callback(door.done)
    await asyncio.wait({doing}, timeout=AT_ONCE_SECONDS)
    if doing.done():
        doing.result()
        words = f"All traffic of {row.spec.service} (`{row.id}`) is on blue."
    else:
        words = f"All traffic of {row.spec.service} (`{row.id}`) is being taken to blue; it is not there yet."
    return escaped(
        f"{words} Teal's store cannot be written, so its message shows that only once there is room."
    )


def _key(asked: SlackCommand, who: Principal) -> str:
    """For a button the same for every press of it by this person at this step; else for this dialog or word alone."""
    name = asked.once if asked.pressed_at is None else f"step {asked.step}"
    return f"slack-{_digest(f'{asked.rollout}|{asked.kind}|{who.actor.identity}|{name}')[:32]}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _is_same_press(asked: SlackCommand, seen: CommandSeen) -> bool:
    """True for the second half of a double click, and for a press that Slack, or somebody else, sends again."""
    if asked.pressed_at is None or seen.state is CommandState.ACCEPTED:
        return True
    return asked.pressed_at <= seen.command.at + DOUBLE


def _command(door: SlackDoor, who: Principal, asked: SlackCommand, *, key: str) -> Command:
    is_bound = asked.step is not None and asked.kind not in HOLDS_AT_ANY_STEP
    return commands.command(
        asked.kind,
        by=who.actor,
        clock=door.engine.clock,
        reason=plain(asked.reason),
        key=key,
        step=asked.step - 1 if is_bound and asked.step is not None else None,
    )


def _accepted(stored: Stored, asked: SlackCommand) -> str:
    row = stored.rollout
    words = f"{WORDS[asked.kind]} is accepted for {row.spec.service} (`{row.id}`); its message shows what follows."
    if asked.step is not None and asked.step != current_step(row) + 1:
        words += f" You saw step {asked.step}; the rollout is at step {current_step(row) + 1} by now."
    return escaped(words)


def _again(asked: SlackCommand, seen: CommandSeen) -> str:
    became = {
        CommandState.ACCEPTED: "it is accepted, and takes effect in a moment",
        CommandState.APPLIED: "it has taken effect",
        CommandState.OVERTAKEN: f"it came too late: {seen.text}",
    }[seen.state]
    return escaped(f"You pressed {WORDS[asked.kind]} already, at {seen.command.at:%H:%M:%S} UTC: {became}.")
