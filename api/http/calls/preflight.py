"""Before a rollout: what preflight finds, and the shape of the file."""

from typing import Any

from fastapi import APIRouter, Request

from api.http.json_values import PreflightView, preflight_view
from api.http.request.authorization import check_reach
from api.http.request.bodies import spec_of
from api.http.request.context import AtVisit
from api.http.request.server_state import AtDoor
from api.problems import Busy
from orchestrator import config
from orchestrator.engine import commands, service_of_record
from orchestrator.engine.active_rollouts import active

router = APIRouter(tags=["before a rollout"])


@router.post("/v1/preflight", operation_id="preflight", summary="Look before a rollout")
async def preflight(request: Request, door: AtDoor, visit: AtVisit) -> PreflightView:
    """Read everything that a rollout of the body's file would start from, and say what speaks against it.

    Only reads; nothing is started. Findings are the answer, so it is 200 with errors among them too. Few look at
    AWS at a time, and one of each caller: others wait for their turn.
    """
    spec = await spec_of(request)
    check_reach(visit.principal, str(spec.service))
    engine = door.engine
    async with door.work.looking.of(visit.caller):
        if await request.is_disconnected():
            raise Busy(what="the client went away before its turn came", next_step="ask again")
        found = await commands.look_before(
            spec,
            cloud=engine.cloud,
            clock=engine.clock,
            registries=engine.registries,
            freezes=await engine.calendar.of(spec.service),
            addresses=engine.outward,
            others=await active(engine.store),
            known=await service_of_record.known(engine.store, str(spec.service)),
        )
    return preflight_view(found)


@router.get("/v1/schema", operation_id="schema", summary="The JSON Schema of a rollout file")
async def schema() -> dict[str, Any]:
    """For editors and for programs that write rollout files."""
    return config.schema()
