"""The audit log of a rollout: in pages, or live as server-sent events that a client takes up where it left off."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

import structlog
from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import TypeAdapter

from api.http.door import ASK_STORE, HEARTBEAT, AtDoor, Door
from api.http.rollouts import Name
from api.http.shapes import EventPage, EventView, event_view
from orchestrator.core.errors import TealError
from orchestrator.core.ids import RolloutId
from orchestrator.engine import commands

STREAM = "text/event-stream"
PAGE = 500
RETRY_MS = 1000
NUMBER_MAX = 2**53  # what JSON's readers and every store hold exactly

router = APIRouter(tags=["events"])
log = structlog.get_logger()
_event = TypeAdapter(EventView)


@router.get(
    "/v1/rollouts/{id:path}/events",
    operation_id="list_events",
    summary="Read the audit log, or follow it",
    response_model=EventPage,
    responses={
        200: {"content": {STREAM: {"schema": {"type": "string"}}}},
        204: {
            "description": "With Accept: text/event-stream: the rollout has ended and every event was sent."
        },
    },
)
async def events(
    request: Request,
    door: AtDoor,
    name: Name,
    after: Annotated[
        int, Query(ge=0, le=NUMBER_MAX, description="Only events after the one with this number.")
    ] = 0,
    limit: Annotated[int, Query(ge=1, le=1000, description="How many a page holds at most.")] = PAGE,
    last_event_id: Annotated[
        str, Header(max_length=20, description="As `after`, sent by clients that reconnect to a stream.")
    ] = "",
) -> EventPage | Response:
    """Events in order, as a page of JSON.

    With `Accept: text/event-stream` they come live: `id` is the event's number, `event` its kind, `data` the event as
    in a page. The stream ends when the rollout has; asking again is then answered with 204, which ends a browser's
    reconnecting.
    """
    store = door.engine.store
    rollout = (await commands.resolve(name, store=store)).rollout
    if STREAM in request.headers.get("accept", ""):
        since = min(int(last_event_id), NUMBER_MAX) if last_event_id.isdecimal() else after
        if rollout.phase.is_final and not await store.events(rollout.id, after=since, limit=1):
            return Response(status_code=204)
        door.make_room()  # while the status can still say so
        return StreamingResponse(
            follow(door, rollout.id, after=since, request=request),
            media_type=STREAM,
            headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
        )
    found = await store.events(rollout.id, after=after, limit=limit)
    return EventPage(
        events=tuple(event_view(seen) for seen in found), next=found[-1].number if found else after
    )


async def follow(door: Door, rollout: RolloutId, *, after: int, request: Request) -> AsyncIterator[str]:
    """The events of a rollout as text of an event stream, until it ends, the client goes or the server shuts down."""
    loop, store = asyncio.get_running_loop(), door.engine.store
    quiet_since = loop.time()
    try:
        with door.waiting():
            yield f"retry: {RETRY_MS}\n\n"
            while True:
                # The phase is read before the events: those that came with the last phase are then in the page.
                is_over = (await store.load(rollout)).rollout.phase.is_final
                found = await store.events(rollout, after=after, limit=PAGE)
                for seen in found:
                    yield event_text(event_view(seen))
                    after, quiet_since = seen.number, loop.time()
                if len(found) == PAGE:
                    continue
                if is_over or door.closing.is_set() or await request.is_disconnected():
                    return
                if loop.time() - quiet_since >= HEARTBEAT.total_seconds():
                    quiet_since = loop.time()
                    yield ": still here\n\n"
                await door.pause(ASK_STORE)
    except TealError as error:
        # The answer has begun, so the status cannot tell; the client reconnects and is told then.
        log.warning("stream_ended", rollout=rollout, why=str(error))


def event_text(event: EventView) -> str:
    """One event as the text of an event stream."""
    return f"id: {event.number}\nevent: {event.kind}\ndata: {_event.dump_json(event).decode()}\n\n"
