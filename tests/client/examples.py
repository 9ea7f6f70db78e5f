"""A rollout and its events as a server writes them."""

import json
from typing import Any

from api.cli.output.output import shape
from orchestrator.engine.views.rollout import view
from orchestrator.ports.rollouts import Stored
from tests.contract.store_values import a_rollout


def rollout(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - members of the view
    """A rollout's JSON with some members changed."""
    shown = shape(view(Stored(rollout=a_rollout("r1"), version=1, wake_at=None)))
    return {**shown, **changes}


def event(number: int) -> dict[str, Any]:
    """An event's JSON."""
    at = "2026-03-02T09:00:00Z"
    words = {"kind": "held", "at": at, "message": f"the {number}.", "facts": {"n": number}, "chain": ""}
    return {"number": number, **words}


def stream(*numbers: int) -> bytes:
    """Events as the text of a stream."""
    return b"".join(f"id: {n}\nevent: held\ndata: {json.dumps(event(n))}\n\n".encode() for n in numbers)
