"""No access to AWS: credentials that have expired, or a role that was revoked.

Nothing can be seen then and nothing done, so nothing moves; and unlike an AWS that is away it does not end by itself.
People are called at the first look that is denied. Once AWS lets Teal in again everything is read anew before anything
is done.
"""

from collections.abc import Iterator

from orchestrator.core.cloud.resources import Unread
from orchestrator.core.rollout.rollout import HoldKind
from orchestrator.core.tick.draft import Draft

CLEARS = "AWS lets Teal in again"


def hold_if_denied(draft: Draft) -> None:
    """Hold and page people if AWS denied any look of this tick."""
    denied = next((seen for seen in _looks(draft) if isinstance(seen, Unread) and seen.is_denied), None)
    if denied is None:
        return
    words = f"blocked: no access: {denied.why}"
    if draft.row.phase.blue_is_safe_side:  # later it takes less than every look to go on
        draft.hold(HoldKind.AWS, words, clears_when=CLEARS)
    draft.page(words, about="access")


def _looks(draft: Draft) -> Iterator[object]:
    seen = draft.seen
    yield from (seen.survey, seen.blue, seen.green, seen.scaling)
    for found in (seen.rules, seen.groups, seen.targets, seen.alarms, seen.metrics):
        yield from found.values()
