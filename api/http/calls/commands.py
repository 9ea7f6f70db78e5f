"""Commands: one call each, the same words as everywhere. Steps count from 1 here, as people count them."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Header
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from api.http.json_values import Commanded, command_view
from api.http.request.context import AtVisit, Visit
from api.http.request.server_state import NAME_PATTERN, AtDoor, By, Door
from api.http.request.service_scope import Name, reached
from orchestrator.config.text.fields import Weight
from orchestrator.core.domain.commands import Actor, CommandKind
from orchestrator.core.domain.ids import Tenths
from orchestrator.engine import commands
from orchestrator.engine.views.rollout import view

router = APIRouter(tags=["commands"])

Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        max_length=200,
        pattern=f"^({NAME_PATTERN.pattern})?$",
        description="The same key again, within 24 hours, is the same command; absent: each request is a command of "
        "its own.",
        examples=["release-1187-pause"],
    ),
]


SAYABLE = r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$"  # what a terminal would obey is nothing that a person says


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
        {"type": "number", "minimum": 0.1, "maximum": 100},
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


async def _give(
    door: Door, visit: Visit, name: str, by: Actor, key: str, kind: CommandKind, body: CommandBody
) -> Commanded:
    engine = door.engine
    stored = await reached(door, visit, name)
    command = commands.command(
        kind,
        by=by,
        clock=engine.clock,
        reason=body.reason,
        key=key,
        step=None if body.step is None else body.step - 1,
        full=isinstance(body, PromoteBody) and body.full,
        to=Tenths(body.to) if isinstance(body, BackBody) else None,
    )
    seen = await commands.accept(stored.rollout.id, command, store=engine.store)
    engine.hint()
    return Commanded(rollout=view(await engine.store.load(stored.rollout.id)), command=command_view(seen))


def _plain(kind: CommandKind) -> Callable[..., Awaitable[Commanded]]:
    """The call of a command that takes nothing but a reason and a step."""

    async def give(
        door: AtDoor, visit: AtVisit, name: Name, by: By, body: CommandBody | None = None, key: Key = ""
    ) -> Commanded:
        return await _give(door, visit, name, by, key, kind, body or CommandBody())

    return give


async def _promote(
    door: AtDoor, visit: AtVisit, name: Name, by: By, body: PromoteBody | None = None, key: Key = ""
) -> Commanded:
    return await _give(door, visit, name, by, key, CommandKind.PROMOTE, body or PromoteBody())


async def _back(door: AtDoor, visit: AtVisit, name: Name, by: By, body: BackBody, key: Key = "") -> Commanded:
    return await _give(door, visit, name, by, key, CommandKind.BACK, body)


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
