"""An event of a rollout as a CloudEvent 1.0 (cloudevents.io) in structured JSON."""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote

from orchestrator.core.domain.events import Fact
from orchestrator.engine.views.rollout import RolloutView, view
from orchestrator.notify.sink import StorePage
from orchestrator.ports.rollouts import EventSeen, Stored

MEDIA_TYPE = "application/cloudevents+json"
TYPE = "teal.rollout."
STORE_TYPE = "teal.store."
SOURCE = "/teal"  # where the settings name no public address

Json = Mapping[str, object]


def id_of(seen: EventSeen) -> str:
    """The event's id: the same each time it is sent, and no other event's."""
    return f"{seen.rollout}/{seen.number}"


def id_of_store(page: StorePage) -> str:
    """The id of what is told of the store itself."""
    return f"store/{_text(page.at)}"


def store_event(page: StorePage, *, public_url: str) -> bytes:
    """What is told of the store itself, which belongs to no rollout."""
    about = {
        "specversion": "1.0",
        "id": id_of_store(page),
        "source": public_url.rstrip("/") or SOURCE,
        "type": f"{STORE_TYPE}{'writable' if page.is_over else 'unwritable'}",
        "time": _text(page.at),
        "datacontenttype": "application/json",
        "data": {"message": page.words, "why": page.why, "since": _text(page.since)},
    }
    return json.dumps(about, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def cloud_event(stored: Stored, seen: EventSeen, *, public_url: str) -> bytes:
    """The event, its rollout in short as it was when this was made, and where to read on."""
    event = seen.event
    about = {
        "specversion": "1.0",
        "id": id_of(seen),
        "source": public_url.rstrip("/") or SOURCE,
        "type": f"{TYPE}{event.kind.value}",
        "subject": str(stored.rollout.spec.service),
        "time": _text(event.at),
        "datacontenttype": "application/json",
        "data": {
            "event": {
                "number": seen.number,
                "kind": event.kind.value,
                "message": event.message,
                "facts": {name: _plain(fact) for name, fact in event.facts},
            },
            "rollout": _in_short(view(stored)),
            **_link(stored, public_url),
        },
    }
    return json.dumps(about, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _in_short(rollout: RolloutView) -> Json:
    return {
        "id": rollout.id,
        "service": rollout.service,
        "phase": rollout.phase,
        "is_active": rollout.is_active,
        "plan": rollout.plan,
        "step": rollout.step,
        "steps": len(rollout.steps),
        "green_percent": rollout.green_percent,
        "former": rollout.former,
        "revision": rollout.revision,
        "waiting_for": rollout.waiting_for,
        "holds": [
            {"kind": hold.kind, "reason": hold.reason, "clears_when": hold.clears_when}
            for hold in rollout.holds
        ],
        "author": rollout.author,
        "labels": rollout.labels,
        "reason": rollout.reason,
    }


def _link(stored: Stored, public_url: str) -> Json:
    if not public_url:
        return {}
    return {"url": f"{public_url.rstrip('/')}/v1/rollouts/{quote(stored.rollout.id, safe='')}"}


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _plain(fact: Fact) -> Fact:
    """A fact as JSON can hold it: it has no word for what is infinite."""
    return str(fact) if isinstance(fact, float) and not math.isfinite(fact) else fact
