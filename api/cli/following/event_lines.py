"""Events as plain lines: for pipes, for CI, and for whoever reads a log later."""

from api.cli.following.follow import Look
from api.cli.output.output import clock_text, say
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.text import visible
from orchestrator.ports.rollouts import EventSeen

QUIET = frozenset(
    {
        EventKind.EFFECT_ASKED,
        EventKind.INTERVAL_TAKEN,
        EventKind.WEIGHT_WANTED,
    }
)
"""Events that only `teal events` shows: steps on the way to something that is shown anyway."""


def is_told(seen: EventSeen) -> bool:
    """True for an event that a person who follows along wants to read."""
    event, facts = seen.event, dict(seen.event.facts)
    match event.kind:
        case EventKind.PHASE_CHANGED:
            return facts.get("end") != "rolling_back"  # why it rolls back is an event of its own
        case EventKind.GATE_ANSWERED:
            return facts.get("verdict") == "pass"  # a FAIL is told by what it does, a HOLD as a hold
        case EventKind.HOLD_CLEARED:
            return facts.get("hold") != "gate"  # the gate's PASS says it
        case kind:
            return kind not in QUIET


def line_of(seen: EventSeen) -> str:
    """One event on one line: time, phase if it changed, words."""
    event = seen.event
    words = event.message
    if event.kind is EventKind.PHASE_CHANGED:
        words = f"{dict(event.facts).get('end')}: {words}"
    if event.kind is EventKind.STARTED and (differ := dict(event.facts).get("differences")):
        words = f"{words}; it changes {differ}"
    if event.kind is EventKind.HELD:
        words = f"held: {words} (goes on once {dict(event.facts).get('clears_when')})"
    if event.kind is EventKind.PAGED:
        words = f"people are paged: {words}"
    return f"{clock_text(event.at)}  {visible(words)}"


class Lines:
    """A screen of plain lines, each written once and at once."""

    def __init__(self, *, err: bool = False) -> None:
        self._err = err

    def show(self, look: Look) -> None:
        """Print what happened since the last look."""
        for seen in look.events:
            if is_told(seen):
                self.say(line_of(seen))

    def say(self, text: str) -> None:
        """Print a sentence."""
        say(text, err=self._err)

    def close(self) -> None:
        """Nothing to leave."""
