"""How the JSON of rows looked in earlier versions of it, and how each becomes the next.

A version is raised where old rows would not be read as what they were. Its step is written down here and never changed
again: rollouts outlive the code that began them.
"""

import json
from collections.abc import Callable
from typing import Any

Document = dict[str, Any]

ROW_VERSION = 2

_PARTS_OF_2 = {
    "colours": (
        "blue",
        "green",
    ),
    "revisions": (
        "registrations",
        "images",
    ),
    "listeners": (
        "listings",
        "lost_listeners",
        "listed_at",
    ),
    "checks": (
        "probed",
        "questions",
        "questions_put",
    ),
    "progress": (
        "steps",
        "step",
        "bake",
        "ready_since",
        "passed",
        "approvals",
        "waited_for_approval",
        "waived_step",
        "is_leaping",
    ),
    "evidence": (
        "spells",
        "intervals",
        "judged_from",
        "history",
        "comparison",
        "warm_up_left",
        "reading",
        "read_at",
        "intervention",
        "outages_passed",
        "blindness",
    ),
    "stops": (
        "unused_since",
        "stops_told",
        "stops_count_from",
    ),
    "blue_scaling": (
        "is_scaling_touched",
        "holding",
        "scaling_seen_at",
    ),
    "pause": (
        "paused_by",
        "pause_reason",
        "paused_for",
    ),
    "waiting": (
        "holds",
        "held",
        "waiting_for",
        "failed",
        "is_paged",
    ),
    "handover": (
        "attempts",
        "is_homeward",
        "protection",
        "protection_read_at",
        "protected_for",
        "is_configuration_touched",
    ),
    "way_out": (
        "on_blue_since",
        "is_way_clear",
        "unpinned_at",
        "in_use",
        "left",
    ),
    "ticks": (
        "asked",
        "created_last",
        "ticked_at",
        "observed_at",
    ),
}


def upgraded(text: str, version: int) -> str:
    """The text of a row of an earlier version as this version writes it."""
    document: Document = json.loads(text)
    for step in _STEPS[version - 1 :]:
        document = step(document)
    return json.dumps({**document, "version": ROW_VERSION})


def _parts(flat: Document) -> Document:
    """1 to 2: seventy values in one row became values in parts, under the same names."""
    known = {name: part for part, names in _PARTS_OF_2.items() for name in names}
    row: Document = {}
    for name, value in flat.items():
        if name in known:
            row.setdefault(known[name], {})[name] = value
        else:
            row[name] = value
    if row.get("colours", {}).get("blue") is None:
        row["colours"] = None  # nothing had been read yet
    return row


_STEPS: tuple[Callable[[Document], Document], ...] = (_parts,)
