"""A request's body as a rollout file, JSON or YAML; every mistake at once, each with its JSON pointer."""

from functools import partial

from fastapi import Request

from api.http.request.context import visit_of
from api.http.request.rollout_texts import JSON_TYPES, YAML_TYPES, glance, spec_in
from api.http.request.server_state import door_of
from orchestrator.core.rollout.spec import Spec

__all__ = ["JSON_TYPES", "YAML_TYPES", "spec_of"]


async def spec_of(request: Request) -> Spec:
    """The rollout that a body asks for, read beside this loop.

    Raises Invalid, WrongType for a media type it does not read, or TooMany or Busy where others are read meanwhile.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    raw = await request.body()
    glance(raw, kind)
    door, visit = await door_of(request), await visit_of(request)
    return await door.work.read(visit.caller, partial(spec_in, raw, kind))
