"""`POST /slack/actions`: buttons and dialogs. Answers at once; words to the person follow by Slack's API."""

import asyncio
from typing import Annotated

import structlog
from fastapi import APIRouter, BackgroundTasks, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from api.problems import MistakePart, RequestInvalid
from api.slack import commands_from_slack
from api.slack.commands_from_slack import SlackCommand
from api.slack.payloads import PAYLOAD, Clicked, Closed, Submitted, team_of
from api.slack.signature import address_of, signed_form, slack_door
from api.slack.slack_state import STORE_SECONDS, Sender, SlackDoor, words_of
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.errors import Outside, TealError
from orchestrator.notify.slack.buttons import (
    ASKS_WHY,
    REASON,
    REASON_BLOCK,
    Bound,
    dialog,
    kind_of,
    read_bound,
)
from orchestrator.notify.slack.client import call
from orchestrator.notify.slack.text import clipped
from orchestrator.ports.rollouts import Stored

ERROR_MAX = 500
UNKNOWN = "This is no button of a rollout, or of an older Teal. Use the newest message, or `/teal help`."

router = APIRouter(include_in_schema=False)
log = structlog.get_logger()

AtDoor = Annotated[SlackDoor, Depends(slack_door)]
Form = Annotated[dict[str, str], Depends(signed_form)]


@router.post("/slack/actions", operation_id="slack_actions")
async def actions(request: Request, door: AtDoor, form: Form, after: BackgroundTasks) -> Response:
    """A click or a dialog."""
    try:
        payload = PAYLOAD.validate_json(form.get("payload", ""))
    except ValidationError as error:
        log.warning("slack_payload_unknown", mistakes=error.error_count())
        part = MistakePart(
            pointer="/payload", what="it is no click and no dialog that Teal knows", instead=""
        )
        raise RequestInvalid([part]) from error
    address = address_of(request)
    match payload:
        case Clicked():
            return await _clicked(door, payload, address, after)
        case Submitted():
            return await _submitted(door, payload, address, after)
        case Closed():
            return Response()


async def _clicked(door: SlackDoor, payload: Clicked, address: str, after: BackgroundTasks) -> Response:
    sender = Sender(
        user=payload.user.id,
        team=team_of(payload),
        channel=payload.channel.id if payload.channel else "",
        address=address,
    )
    action = payload.actions[0]
    kind, bound = kind_of(action.action_id), read_bound(action.value)
    if kind is None or bound is None:
        after.add_task(door.say, sender, UNKNOWN)
        return Response()
    asked = SlackCommand(
        kind=kind,
        rollout=bound.rollout,
        once=f"{action.action_id} {action.action_ts}",
        step=bound.step,
        pressed_at=commands_from_slack.pressed_at(action.action_ts),
    )
    if kind in ASKS_WHY:
        await _ask_why(door, sender, asked, payload.trigger_id, after)
        return Response()
    given = await commands_from_slack.give_noted(door, sender, asked, f"button {kind}")
    after.add_task(door.say, sender, given.words)
    return Response()


async def _ask_why(
    door: SlackDoor, sender: Sender, asked: SlackCommand, trigger: str, after: BackgroundTasks
) -> None:
    """Have the dialog opened that asks for a reason, unless the command would be refused."""
    by, outcome = "", "slow"
    try:
        async with asyncio.timeout(STORE_SECONDS):
            who = door.identify(sender)
            by = who.name
            stored = await commands_from_slack.refuse_late(door, who, asked)
        after.add_task(_open, door, sender, asked, stored, trigger)
        return
    except TimeoutError:
        words = commands_from_slack.SLOW
    except TealError as error:
        words, outcome = words_of(error), error.code
    after.add_task(door.say, sender, words)
    await door.note(sender, f"button {asked.kind}", by=by, target=asked.rollout, outcome=outcome)


async def _open(door: SlackDoor, sender: Sender, asked: SlackCommand, stored: Stored, trigger: str) -> None:
    bound = Bound(rollout=asked.rollout, step=asked.step or 0, channel=sender.channel)
    view = dialog(asked.kind, stored.rollout, bound)
    try:
        await call(door.client, "views.open", {"trigger_id": trigger, "view": view})
    except Outside as error:
        log.warning("slack_dialog_not_opened", rollout=asked.rollout, why=str(error))
        words = "Slack did not open the dialog, and nothing was done. Press again"
        if asked.kind is CommandKind.ROLLBACK:
            words += f", or write `/teal rollback {stored.rollout.spec.service}` and the reason"
        await door.say(sender, f"{words}.")


async def _submitted(door: SlackDoor, payload: Submitted, address: str, after: BackgroundTasks) -> Response:
    kind, bound = kind_of(payload.view.callback_id), read_bound(payload.view.private_metadata)
    if kind is None or bound is None:
        return _mistake(UNKNOWN)
    sender = Sender(user=payload.user.id, team=team_of(payload), channel=bound.channel, address=address)
    typed = payload.view.state.values.get(REASON_BLOCK, {}).get(REASON)
    asked = SlackCommand(
        kind=kind,
        rollout=bound.rollout,
        once=payload.view.id,
        step=bound.step,
        reason=(typed.value or "") if typed else "",
    )
    given = await commands_from_slack.give_noted(door, sender, asked, f"dialog {kind}")
    if not given.is_ok:
        return _mistake(given.words)
    after.add_task(door.say, sender, given.words)
    return Response()


def _mistake(words: str) -> Response:
    """Keeps the dialog open and shows words in it."""
    errors = {REASON_BLOCK: clipped(words, ERROR_MAX)}
    return JSONResponse({"response_action": "errors", "errors": errors})
