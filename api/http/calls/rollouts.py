"""Rollouts: start one, list them, read one and wait for its news."""

import asyncio
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response

from api.http.json_values import RolloutPage
from api.http.request.authorization import check_override, check_reach
from api.http.request.bodies import spec_of
from api.http.request.context import AtVisit, Who
from api.http.request.server_state import ASK_STORE, NAME_PATTERN, REPLAYED, WAIT_MAX, AtDoor, By, Door
from api.http.request.service_scope import NUMBER_MAX, PLAIN, Cursor, Name, etag, page_for, reached
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.engine import commands
from orchestrator.engine.views.rollout import RolloutView, view
from orchestrator.ports.rollouts import Filter, Stored

router = APIRouter(tags=["rollouts"])

Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=f"^{NAME_PATTERN.pattern}$",
        description="The same key of the same caller for the same service again, within 24 hours, answers with the "
        "rollout that it started, and with `Idempotency-Replayed: true`.",
        examples=["checkout-43-build-1187"],
    ),
]


@router.post("/v1/rollouts", operation_id="start_rollout", status_code=201, summary="Start a rollout")
async def start(
    request: Request,
    response: Response,
    door: AtDoor,
    visit: AtVisit,
    by: By,
    key: Key,
) -> RolloutView:
    """Start what the body, a rollout file as JSON or YAML, asks for.

    409 names the active rollout of the service or rule as `holder`; 422 has a JSON pointer for every mistake, or
    preflight's findings. Nothing has been made on the account yet when this answers.
    """
    spec = await spec_of(request)
    visit.target = str(spec.service)
    check_reach(visit.principal, str(spec.service))
    check_override(visit.principal, spec.override)
    engine = door.engine
    async with door.work.looking.of(visit.caller):
        begun = await commands.start(
            spec,
            author=by,
            key=key,
            store=engine.store,
            cloud=engine.cloud,
            clock=engine.clock,
            registries=engine.registries,
            calendar=engine.calendar,
            addresses=engine.outward,
        )
    stored = begun.stored
    if begun.is_replayed:
        response.headers[REPLAYED] = "true"
    engine.hint()
    visit.target = stored.rollout.id
    response.headers["Location"] = f"/v1/rollouts/{stored.rollout.id}"
    response.headers["ETag"] = etag(stored)
    return view(stored)


@router.get("/v1/rollouts", operation_id="list_rollouts", summary="List rollouts, newest first")
async def list_them(
    door: AtDoor,
    who: Who,
    service: Annotated[
        str,
        Query(
            max_length=600,
            pattern=PLAIN,
            description="Only of this service, cluster/service.",
            examples=["prod/checkout"],
        ),
    ] = "",
    phase: Annotated[list[Phase] | None, Query(description="Only in these phases; may be repeated.")] = None,
    active: Annotated[bool | None, Query(description="Only those that have, or have not, ended.")] = None,
    cursor: Cursor = "",
    limit: Annotated[int, Query(ge=1, le=500, description="How many a page holds at most.")] = 50,
) -> RolloutPage:
    """One page of rollouts, of the services that whoever asks may see; ask on with `next` until it is empty."""
    which = Filter(service=service, phases=frozenset(phase or ()), is_active=active)
    rows, after = await page_for(who, which, store=door.engine.store, before=cursor, limit=limit)
    return RolloutPage(rollouts=tuple(view(row) for row in rows), next=after)


@router.get(
    "/v1/rollouts/{id:path}",
    operation_id="get_rollout",
    summary="Read a rollout, or wait for its news",
    responses={304: {"description": "With If-None-Match: the version is still that one."}},
    response_model=RolloutView,
)
async def get(
    response: Response,
    door: AtDoor,
    visit: AtVisit,
    name: Name,
    wait: Annotated[
        float,
        Query(
            ge=0, le=WAIT_MAX.total_seconds(), description="Seconds to wait until the version is another one."
        ),
    ] = 0,
    version: Annotated[
        int | None,
        Query(ge=0, le=NUMBER_MAX, description="The version that is known; absent: the present one."),
    ] = None,
    if_none_match: Annotated[
        str | None, Header(max_length=100, description="The ETag that is known.", examples=['"7"'])
    ] = None,
) -> RolloutView | Response:
    """One rollout with its steps, weights, gates and their reasons, holds, and the commands it accepts now."""
    stored = await reached(door, visit, name)
    known = _version_of(if_none_match) if if_none_match else version
    if wait:
        than = stored.version if known is None else known
        with door.waiting(visit.caller):
            stored = await newer(
                door, stored.rollout.id, than=than, within=min(timedelta(seconds=wait), door.wait_max)
            )
    if if_none_match and stored.version == known:
        return Response(status_code=304, headers={"ETag": etag(stored)})
    response.headers["ETag"] = etag(stored)
    return view(stored)


async def newer(door: Door, rollout: RolloutId, *, than: int, within: timedelta) -> Stored:
    """The row once its version is another than `than`, or as it is after a time, or when the server shuts down."""
    loop = asyncio.get_running_loop()
    end = loop.time() + within.total_seconds()
    while True:
        stored = await door.looks.of(rollout)
        left = timedelta(seconds=end - loop.time())
        if stored.version != than or left <= timedelta(0) or door.closing.is_set():
            return stored
        await door.pause(min(left, ASK_STORE))


def _version_of(tag: str) -> int | None:
    """The version in an ETag (a proxy may have made it a weak one); None: it is none of ours, so it matches nothing."""
    text = tag.strip().removeprefix("W/").strip('"')
    return int(text) if text.isdecimal() else None
