"""Events chained by hash, so that a log which was altered or shortened in the middle shows it."""

import hashlib
import json
from collections.abc import Iterable

from orchestrator.core.domain.events import Event
from orchestrator.core.domain.ids import RolloutId


def link(before: str, rollout: RolloutId, number: int, event: Event) -> str:
    """The link of one event: SHA-256, hexadecimal, over the link before it and everything the event says.

    ``before``: the link of event ``number - 1``; empty for the first.
    """
    hashed = [before, rollout, number, event.kind, event.at.isoformat(), event.message, dict(event.facts)]
    text = json.dumps(hashed, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def first_broken(log: Iterable[tuple[RolloutId, int, Event, str]]) -> int | None:
    """The number of the first event whose link does not follow from the one before it; None: the log is whole.

    ``log``: a rollout's events from the first on, as (rollout, number, event, link).
    """
    before, expected = "", 1
    for rollout, number, event, found in log:
        if number != expected or found != link(before, rollout, number, event):
            return expected
        before, expected = found, number + 1
    return None
