"""The audit log of a rollout: in pages, or live as server-sent events that a client takes up where it left off."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

import structlog
from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import TypeAdapter

from api.http.json_values import EventPage
from api.http.request.context import AtVisit, Visit
from api.http.request.server_state import ASK_STORE, HEARTBEAT, AtDoor, Door
from api.http.request.service_scope import NUMBER_MAX, Name, reached
from orchestrator.core.domain.errors import TealError
from orchestrator.core.domain.ids import RolloutId
from orchestrator.engine.views.event_values import EventView, event_view

STREAM = "text/event-stream"
PAGE = 500
RETRY_MS = 1000
CLOSING = f"event: server_closing\nretry: {RETRY_MS}\ndata: {{}}\n\n"

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
    visit: AtVisit,
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
    reconnecting. An event `server_closing`, which has no id, says that the server shuts down and the stream goes on
    at the next one: ask again with the last id.
    """
    store = door.engine.store
    rollout = (await reached(door, visit, name)).rollout
    if STREAM in request.headers.get("accept", ""):
        since = min(int(last_event_id), NUMBER_MAX) if last_event_id.isdecimal() else after
        if rollout.phase.is_final and not await store.events(rollout.id, after=since, limit=1):
            return Response(status_code=204)
        door.make_room(visit.caller)  # while the status can still say so
        return StreamingResponse(
            follow(door, rollout.id, after=since, request=request, visit=visit),
            media_type=STREAM,
            headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
        )
    found = await store.events(rollout.id, after=after, limit=limit)
    return EventPage(
        events=tuple(event_view(seen) for seen in found), next=found[-1].number if found else after
    )


async def follow(
    door: Door, rollout: RolloutId, *, after: int, request: Request, visit: Visit
) -> AsyncIterator[str]:
    """The events of a rollout as text of an event stream.

    It goes on until the rollout ends, the client goes, the server shuts down (which the last event says) or whoever
    asks may come in no more.
    """
    loop, store = asyncio.get_running_loop(), door.engine.store
    quiet_since = known_since = loop.time()
    try:
        with door.waiting(visit.caller):
            yield f"retry: {RETRY_MS}\n\n"
            while True:
                # The phase is read before the events: those that came with the last phase are then in the page.
                stored = await door.looks.of(rollout)
                is_over = stored.rollout.phase.is_final
                is_news = is_over or stored.events > after
                found = await store.events(rollout, after=after, limit=PAGE) if is_news else ()
                for seen in found:
                    yield event_text(event_view(seen))
                    after, quiet_since = seen.number, loop.time()
                if len(found) == PAGE:
                    continue
                if is_over or await request.is_disconnected():
                    return
                if door.closing.is_set():
                    yield CLOSING
                    return
                if loop.time() - known_since >= HEARTBEAT.total_seconds():
                    known_since = loop.time()
                    await visit.still_known()
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
