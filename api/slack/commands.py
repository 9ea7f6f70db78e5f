"""`POST /slack/commands`: `/teal`, answered in place and to whoever asked alone."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from api.problems import MistakePart, RequestInvalid
from api.slack import commands_from_slack
from api.slack.commands_from_slack import SlackCommand
from api.slack.signature import address_of, signed_form, slack_door
from api.slack.slack_state import STORE_SECONDS, Sender, SlackDoor, words_of
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.errors import NotFound, TealError
from orchestrator.core.domain.roles import Principal
from orchestrator.engine.commands import resolve
from orchestrator.engine.views.rollout import view
from orchestrator.notify.slack.message import Message, render
from orchestrator.notify.slack.text import bar, clipped, escaped, joined, plain, revision_name
from orchestrator.ports.rollouts import Filter, Stored

LISTED_MAX, LIST_PAGE, WORD_MAX = 20, 100, 300

router = APIRouter(include_in_schema=False)

AtDoor = Annotated[SlackDoor, Depends(slack_door)]
Form = Annotated[dict[str, str], Depends(signed_form)]

HELP = "\n".join(
    [
        "`/teal list` the active rollouts",
        "`/teal status SERVICE` one rollout: weights, gates, what it waits for",
        "`/teal pause SERVICE [reason]` stop advancing; gates still judge",
        "`/teal resume SERVICE [reason]` go on advancing",
        "`/teal rollback SERVICE [reason]` all traffic back to blue, then remove green",
        "SERVICE is a service (`checkout`, or `prod/checkout`) or a rollout's id. "
        "Approve and reject with the buttons of the rollout's message: they are bound to the step you see.",
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One `/teal` line."""

    verb: str
    name: str  # of a service or rollout; may be empty
    rest: str
    once: str  # Slack's own name of this line
    sender: Sender


@router.post("/slack/commands", operation_id="slack_commands")
async def commands(request: Request, door: AtDoor, form: Form) -> JSONResponse:
    """One `/teal` line."""
    if "user_id" not in form:
        if form.get("ssl_check") == "1":  # Slack looks whether the address answers
            return JSONResponse({})
        part = MistakePart(pointer="/user_id", what="it is missing", instead="")
        raise RequestInvalid([part])
    told = await _answer(door, _asked(form, address_of(request)))
    answer: dict[str, Any] = {"response_type": "ephemeral", "text": told.text}
    return JSONResponse({**answer, "blocks": list(told.blocks)} if told.blocks else answer)


def _asked(form: dict[str, str], address: str) -> Asked:
    verb, _, more = plain(form.get("text", "")).partition(" ")
    name, _, rest = more.strip().partition(" ")
    sender = Sender(
        user=form["user_id"],
        team=form.get("team_id", ""),
        channel=form.get("channel_id", ""),
        address=address,
    )
    once = form.get("trigger_id", "")
    return Asked(verb=verb.lower(), name=_unescaped(name), rest=_unescaped(rest), once=once, sender=sender)


def _unescaped(text: str) -> str:
    """What a person typed: Slack sends commands with its three escapes."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip()


async def _answer(door: SlackDoor, asked: Asked) -> Message:
    if asked.verb in ("", "help"):
        return Message(text=HELP)
    if asked.verb in GIVEN:
        return await _give(door, asked, GIVEN[asked.verb])
    read = _READS.get(asked.verb)
    if read is None:
        return Message(text=_unknown(asked.verb))
    try:
        async with asyncio.timeout(STORE_SECONDS):
            return await read(door, door.identify(asked.sender), asked)
    except TimeoutError:
        return Message(text="Teal's store did not answer in time. Ask again in a moment.")
    except TealError as error:
        return Message(text=words_of(error))


def _unknown(verb: str) -> str:
    shown = escaped(clipped(verb, 30))
    if verb in ("approve", "reject"):
        return f"`{shown}` is a button in the rollout's message, bound to the step that you see there."
    if verb in ("promote", "back", "abandon"):
        return (
            f"`{shown}` is not a word of `/teal`; use the message's buttons, or `teal {shown}` in a terminal."
        )
    close = get_close_matches(verb, [*GIVEN, *_READS, "help"], n=1)
    meant = f" Did you mean `/teal {close[0]}`?" if close else ""
    return f"`/teal {shown}` is not known.{meant}\n{HELP}"


async def _list(door: SlackDoor, who: Principal, asked: Asked) -> Message:
    shown: list[Stored] = []
    cursor, is_more = "", True
    while is_more and len(shown) <= LISTED_MAX:
        page, cursor = await door.engine.store.list(Filter(is_active=True), before=cursor, limit=LIST_PAGE)
        shown += [stored for stored in page if who.reaches(str(stored.rollout.spec.service))]
        is_more = bool(cursor)
    if not shown:
        return Message(text="No rollout is active that you may see.")
    lines = [_line(stored) for stored in shown[:LISTED_MAX]]
    if len(shown) > LISTED_MAX or is_more:
        lines.append(f"… the newest {LISTED_MAX}; `teal list` in a terminal shows all")
    return Message(text=joined(lines))


def _line(stored: Stored) -> str:
    seen = view(stored)
    words = (
        f"*{escaped(seen.service)}* → {escaped(revision_name(seen.revision))}: {seen.phase.replace('_', ' ')}"
    )
    held = f", {escaped(seen.holds[0].reason)}" if seen.holds else ""
    return clipped(f"{words} `{bar(seen.green_percent)}`{held} (`{escaped(seen.id)}`)", WORD_MAX)


async def _status(door: SlackDoor, who: Principal, asked: Asked) -> Message:
    if not asked.name:
        return Message(text="Which? Write `/teal status SERVICE`; `/teal list` shows the active ones.")
    return render(await _named(door, who, asked.name), with_buttons=False)


async def _named(door: SlackDoor, who: Principal, name: str) -> Stored:
    """A rollout by a name that was typed; one that this person may not see is not there for them."""
    name = clipped(name, WORD_MAX)
    try:
        return await resolve(name, store=door.engine.store, reaches=who.reaches)
    except NotFound as error:
        raise _none(name) from error


def _none(name: str) -> NotFound:
    return NotFound(
        what=f"no rollout `{name}`",
        why="there is neither a rollout by this id nor an active one of a service by this name that you may see",
        next_step="`/teal list` shows those you may see",
    )


async def _give(door: SlackDoor, asked: Asked, kind: CommandKind) -> Message:
    """A command for the rollout that is named; in the audit log whatever came of it."""
    if not asked.name:
        text = f"Which? Write `/teal {kind} SERVICE [reason]`; `/teal list` shows the active ones."
        return Message(text=text)
    by, outcome = "", "slow"
    try:
        async with asyncio.timeout(STORE_SECONDS / 2):
            who = door.identify(asked.sender)
            by = who.name
            stored = await _named(door, who, asked.name)
    except TimeoutError:
        words = commands_from_slack.SLOW
    except TealError as error:
        words, outcome = words_of(error), error.code
    else:
        command = SlackCommand(kind=kind, rollout=stored.rollout.id, once=asked.once, reason=asked.rest)
        return Message(
            text=(await commands_from_slack.give_noted(door, asked.sender, command, f"/teal {kind}")).words
        )
    target = clipped(asked.name, WORD_MAX)
    await door.note(asked.sender, f"/teal {kind}", by=by, target=target, outcome=outcome)
    return Message(text=words)


GIVEN = {kind.value: kind for kind in (CommandKind.PAUSE, CommandKind.RESUME, CommandKind.ROLLBACK)}
_READS: dict[str, Callable[[SlackDoor, Principal, Asked], Awaitable[Message]]] = {
    "list": _list,
    "status": _status,
}
