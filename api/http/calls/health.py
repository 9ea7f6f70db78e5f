"""Whether the process lives, whether it can work, what it counted, and what its problems mean."""

import asyncio
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from api.http.json_values import Readiness, StoreState, WorkerState
from api.http.request.server_state import AtDoor, Door
from api.problems import NoSuchPath, kinds, title_of
from orchestrator.core.domain.errors import TealError

STORE_PATIENCE = timedelta(seconds=2)

router = APIRouter(tags=["server"])


class Alive(BaseModel):
    """The server's processes answer."""

    alive: bool = True


class Meaning(BaseModel):
    """What one kind of problem means."""

    code: str
    meaning: str
    status: int


@router.get(
    "/healthz",
    operation_id="is_alive",
    summary="Is the process alive?",
    responses={503: {"model": Alive, "description": "The engine's process has said nothing for a minute."}},
)
async def healthz(response: Response, door: AtDoor) -> Alive:
    """200 whenever the server's processes live, 503 once the engine's has hung for a minute; nothing of the store."""
    _say(response, is_well=door.is_alive)
    return Alive(alive=door.is_alive)


@router.get(
    "/readyz",
    operation_id="is_ready",
    summary="Can it do its work?",
    responses={503: {"model": Readiness, "description": "One of its parts cannot work."}},
)
async def readyz(response: Response, door: AtDoor) -> Readiness:
    """200 if the store answers and could be written, and the worker runs; else 503 and which of them does not.

    The engine tries to write every ten seconds, whoever asks. Load balancers and ECS ask `/healthz`: a server whose
    disk is full still takes traffic back, and a new one in its place could not.
    """
    store = StoreState.UNWRITABLE if door.unwritable else StoreState.ANSWERS
    if not await _store_answers(door):
        store = StoreState.SILENT
    is_running = door.is_working and not door.closing.is_set()
    worker = WorkerState.RUNNING if is_running else WorkerState.STOPPED
    is_ready = store is StoreState.ANSWERS and is_running
    _say(response, is_well=is_ready)
    return Readiness(is_ready=is_ready, store=store, worker=worker, why=door.unwritable)


def _say(response: Response, *, is_well: bool) -> None:
    if not is_well:
        response.status_code = 503
        response.headers["Retry-After"] = "5"


async def _store_answers(door: Door) -> bool:
    try:
        async with asyncio.timeout(STORE_PATIENCE.total_seconds()):
            await door.engine.store.next_due()
    except (TealError, TimeoutError):
        return False
    return True


@router.get(
    "/metrics",
    operation_id="metrics",
    summary="Prometheus metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(door: AtDoor) -> Response:
    """Ticks and their duration, decisions, failed effects, and active rollouts by phase."""
    return Response(await door.meters.text(door.engine.store), media_type=CONTENT_TYPE_LATEST)


@router.get("/problems/{code}", operation_id="explain_problem", summary="What a problem's type means")
async def explain(
    code: Annotated[str, Path(max_length=100, description="A problem's `code`.", examples=["conflict"])],
) -> Meaning:
    """The meaning of the `type` of a problem document."""
    for kind in kinds():
        if kind.code == code:
            return Meaning(code=code, meaning=title_of(kind), status=kind.http_status)
    raise NoSuchPath(what=f"there is no problem `{code[:100]}`", next_step="docs/errors.md lists them")


@router.get("/openapi.json", operation_id="openapi", summary="This document")
async def document(request: Request) -> dict[str, Any]:
    """The OpenAPI document of this door, for people and for generators of clients."""
    described: dict[str, Any] = request.app.openapi()
    return described
