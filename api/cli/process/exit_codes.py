"""What a command's end means to a shell."""

from orchestrator.core.domain.phases import Phase
from orchestrator.engine.views.rollout_values import RolloutView

FAILED = 1
ROLLED_BACK = 3
GAVE_UP = 4
INTERRUPTED = 130


def exit_code(view: RolloutView) -> int:
    """0 succeeded, 3 rolled back (or on the way there), 1 abandoned; 0 for one that is under way."""
    match Phase(view.phase):
        case Phase.ROLLED_BACK | Phase.ROLLING_BACK:
            return ROLLED_BACK
        case Phase.ABANDONED:
            return FAILED
        case _:
            return 0
