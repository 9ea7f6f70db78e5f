"""Services: what serves now, and what served before, as the store knows it."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Query

from api.http.request.context import Who
from api.http.request.server_state import AtDoor
from api.http.request.service_scope import PLAIN, Cursor
from orchestrator.engine.views.services import ServiceView, service, services

router = APIRouter(tags=["services"])


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePage:
    """Services by name. ``next``: the cursor of the page after it; empty at the end."""

    services: tuple[ServiceView, ...]
    next: str


@router.get("/v1/services", operation_id="list_services", summary="List services by name")
async def list_services(
    door: AtDoor,
    who: Who,
    cursor: Cursor = "",
    limit: Annotated[int, Query(ge=1, le=200, description="How many a page holds at most.")] = 50,
) -> ServicePage:
    """Every service that ever had a rollout and that whoever asks may see: what serves, and its newest rollouts."""
    found, after = await services(door.engine.store, after=cursor, limit=limit, reaches=who.reaches)
    return ServicePage(services=found, next=after)


@router.get("/v1/services/{name:path}", operation_id="get_service", summary="Read a service")
async def get_service(
    door: AtDoor,
    who: Who,
    name: Annotated[
        str,
        Path(
            min_length=1,
            max_length=600,
            pattern=PLAIN,
            description="cluster/service, or the service's name where one cluster has it.",
            examples=["prod/checkout"],
        ),
    ],
) -> ServiceView:
    """What the service serves now, its active rollout, and its newest rollouts."""
    return await service(name, store=door.engine.store, reaches=who.reaches)
