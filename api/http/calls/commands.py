"""Commands: one call each, the same words as everywhere. Steps count from 1 here, as people count them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Response
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from api.http.json_values import Commanded, command_view
from api.http.request.context import AtVisit, Visit
from api.http.request.server_state import NAME_PATTERN, REPLAYED, AtDoor, By, Door
from api.http.request.service_scope import SAYABLE, Name, etag, reached
from api.problems import Changed
from orchestrator.config.text.fields import Weight
from orchestrator.core.domain.commands import Actor, CommandKind, CommandState
from orchestrator.core.domain.errors import Unwritable
from orchestrator.core.domain.ids import Tenths
from orchestrator.engine import commands
from orchestrator.engine.views.rollout import view
from orchestrator.ports.commands import CommandSeen
from orchestrator.ports.rollouts import Stored

router = APIRouter(tags=["commands"])

Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        max_length=200,
        pattern=f"^({NAME_PATTERN.pattern})?$",
        description="The same key of the same caller again, within 24 hours, is the same command, and the answer says "
        "`Idempotency-Replayed: true`; absent: each request is a command of its own.",
        examples=["release-1187-pause"],
    ),
]


class CommandBody(BaseModel):
    """What a person may say with any command."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: str = Field(
        default="",
        max_length=1000,
        pattern=SAYABLE,
        description="Why; for the audit log. No control characters but line breaks and tabs.",
        examples=["p99 looks odd"],
    )
    step: int | None = Field(
        default=None,
        ge=0,
        le=1000,
        description="The step it is given for, from 1 (0: before the first traffic); refused at any other. "
        "Absent: the one that is current when it is applied.",
        examples=[2],
    )


class PromoteBody(CommandBody):
    """What a person may say with `promote`."""

    full: bool = Field(default=False, description="True: straight to the last step.")


WEIGHT: dict[str, Any] = {
    "anyOf": [
        {"type": "number", "minimum": 0.1, "maximum": 100, "multipleOf": 0.1},
        {"type": "string", "pattern": r"^(100(\.0)?|[1-9]\d?(\.\d)?|0\.[1-9]) ?%?$"},
    ]
}


class BackBody(CommandBody):
    """What a person says with `back`."""

    to: Annotated[Weight, WithJsonSchema(WEIGHT)] = Field(
        description="The weight of an earlier step, in percent.", examples=["10%", 10]
    )


MEANINGS = {
    CommandKind.APPROVE: "Let the current step be left once its time and its gates allow it",
    CommandKind.REJECT: "Reject the current step: roll back",
    CommandKind.PAUSE: "Stop advancing; gates still judge, and a failing one still rolls back",
    CommandKind.RESUME: "Go on advancing; after a hold on a failure, judge the step anew; after a hold for what others "
    "set of blue's scaling, take that as what is given back at the end",
    CommandKind.PROMOTE: "Waive the current step's time and its evidence's holds; never a failure, health or drift",
    CommandKind.BACK: "Go back to an earlier step: its weight at once, its bake anew",
    CommandKind.ROLLBACK: "Take all traffic back to blue, then remove green",
    CommandKind.ABANDON: "The last resort: write nothing more, and list what is left",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What every command's request has beside its body."""

    door: Door
    visit: Visit
    response: Response
    by: Actor
    key: str
    if_match: str


async def _asked(
    door: AtDoor,
    visit: AtVisit,
    response: Response,
    by: By,
    key: Key = "",
    if_match: Annotated[
        str,
        Header(
            max_length=300,
            description="The ETag of the rollout that the command is meant for; 412 if it is at another by now.",
            examples=['"7"'],
        ),
    ] = "",
) -> Asked:
    """What a request for a command says of itself."""
    return Asked(door=door, visit=visit, response=response, by=by, key=key, if_match=if_match)


AtCommand = Annotated[Asked, Depends(_asked)]


def _is_at(version: int, if_match: str) -> bool:
    """True if one of the tags is the version's (RFC 9110, section 13.1.1: compared strongly), or any will do."""
    return any(tag.strip() in ("*", f'"{version}"') for tag in if_match.split(","))


async def _give(asked: Asked, name: str, kind: CommandKind, body: CommandBody) -> Commanded:
    engine = asked.door.engine
    stored = await reached(asked.door, asked.visit, name)
    command = commands.command(
        kind,
        by=asked.by,
        clock=engine.clock,
        reason=body.reason,
        key=asked.key,
        step=None if body.step is None else body.step - 1,
        full=isinstance(body, PromoteBody) and body.full,
        to=Tenths(body.to) if isinstance(body, BackBody) else None,
    )

    is_replayed = True

    def is_meant(present: Stored) -> None:
        nonlocal is_replayed
        is_replayed = False  # a command of before is answered without another look at the row
        if asked.if_match and not _is_at(present.version, asked.if_match):
            raise Changed(
                what=f"{present.rollout.id} is not at the version that If-Match names",
                why=f"it is at {etag(present)} by now",
                next_step="read it again, and send the command with its new ETag if it still makes sense",
            )

    try:
        seen = await commands.accept(stored.rollout.id, command, store=engine.store, condition=is_meant)
    except Unwritable:
        if kind is not CommandKind.ROLLBACK:
            raise
        is_meant(stored)
        commands.check_makes_sense(stored, command)
        await engine.roll_back_at_once(stored.rollout.id, command)
        done = CommandSeen(command=command, state=CommandState.APPLIED, text="without the store")
        return Commanded(rollout=view(stored), command=command_view(done), recorded=False)
    if is_replayed:
        asked.response.headers[REPLAYED] = "true"
    engine.hint()
    after = await engine.store.load(stored.rollout.id)
    asked.response.headers["ETag"] = etag(after)
    return Commanded(rollout=view(after), command=command_view(seen))


def _plain(kind: CommandKind) -> Callable[..., Awaitable[Commanded]]:
    """The call of a command that takes nothing but a reason and a step."""

    async def give(asked: AtCommand, name: Name, body: CommandBody | None = None) -> Commanded:
        return await _give(asked, name, kind, body or CommandBody())

    return give


async def _promote(asked: AtCommand, name: Name, body: PromoteBody | None = None) -> Commanded:
    return await _give(asked, name, CommandKind.PROMOTE, body or PromoteBody())


async def _back(asked: AtCommand, name: Name, body: BackBody) -> Commanded:
    return await _give(asked, name, CommandKind.BACK, body)


_OWN: dict[CommandKind, Callable[..., Awaitable[Commanded]]] = {
    CommandKind.PROMOTE: _promote,
    CommandKind.BACK: _back,
}

for _kind in CommandKind:
    router.add_api_route(
        f"/v1/rollouts/{{id:path}}/{_kind.value}",
        _OWN.get(_kind) or _plain(_kind),
        methods=["POST"],
        operation_id=f"{_kind.value}_rollout",
        summary=_kind.value.capitalize(),
        description=f"{MEANINGS[_kind]}. Accepted at once and applied by the next look; "
        "409 says why it makes no sense in the present phase.",
    )
