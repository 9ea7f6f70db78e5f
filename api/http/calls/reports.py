"""A rollout's report, for auditors: who, what and why, from its log of events."""

from fastapi import APIRouter

from api.http.request.context import AtVisit
from api.http.request.server_state import AtDoor
from api.http.request.service_scope import Name, reached
from orchestrator.engine.views.report import report as made_of
from orchestrator.engine.views.report_parts import Report

router = APIRouter(tags=["rollouts"])


@router.get("/v1/rollouts/{id:path}/report", operation_id="report", summary="Read a rollout's report")
async def report(door: AtDoor, visit: AtVisit, name: Name) -> Report:
    """Who started it and from what, its steps with their times, the gates' answers, commands, approvals and holds.

    `chain` says whether the log of events, of which all this is made, is whole: each event is hashed together with
    the one before it, so a changed, missing or added one shows.
    """
    stored = await reached(door, visit, name)
    return await made_of(door.engine.store, stored.rollout.id)
