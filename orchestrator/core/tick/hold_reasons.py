"""Whether a hold that stands has another reason than before: the log then says it, once for each change."""

import re

from orchestrator.core.rollout.rollout import Hold, HoldKind

# What others changed is told to the number; elsewhere a count that moves on is the same reason.
TO_THE_NUMBER = frozenset({HoldKind.DRIFT, HoldKind.SCALING})
ONCE = frozenset({HoldKind.GATE, HoldKind.AWS})  # a gate's answers and AWS's refusals are events of their own
MOVING = re.compile(r"\d+")


def is_another(hold: Hold, was: str) -> bool:
    """True if the reason has changed in what it says, and not in a count alone."""
    if hold.reason == was or hold.kind in ONCE:
        return False
    return hold.kind in TO_THE_NUMBER or MOVING.sub("", hold.reason) != MOVING.sub("", was)
