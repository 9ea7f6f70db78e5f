"""The way back after the end, as the rollout file that takes it."""

from typing import Any

from fastapi import APIRouter

from api.http.request.context import AtVisit
from api.http.request.server_state import AtDoor
from api.http.request.service_scope import Name
from orchestrator import config
from orchestrator.engine.undo import ended
from orchestrator.engine.undo import undoing as made_of

router = APIRouter(tags=["rollouts"])


@router.get(
    "/v1/rollouts/{id:path}/undo", operation_id="undo_rollout", summary="Read what would undo a rollout"
)
async def undo(door: AtDoor, visit: AtVisit, name: Name) -> dict[str, Any]:
    """The rollout file that takes back a rollout which succeeded: the former revision, with plan `instant`.

    A service's name means its last rollout that succeeded. Nothing is started: `POST /v1/rollouts` with this body does.
    409 where there is nothing to take back.
    """
    visit.target = name
    stored = await ended(name, store=door.engine.store, reaches=visit.principal.reaches)
    visit.target = stored.rollout.id
    return config.document_of(await made_of(stored, store=door.engine.store))
