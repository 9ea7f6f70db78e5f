"""What the hours do to a rollout: it waits for its window, and is rolled back at its close where the file says so."""

from collections.abc import Sequence
from datetime import datetime

from orchestrator.core.domain.calendar import AtClose, Freeze, standing
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.verdict import Verdict
from orchestrator.core.evaluation import evaluate
from orchestrator.core.gates import window
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.core.tick.draft import TEAL, Draft
from orchestrator.core.tick.turn_back import roll_back


def is_shut(row: Rollout, freezes: Sequence[Freeze], now: datetime) -> bool:
    """True while the window is closed, or a freeze is in force, and nobody has overridden it."""
    return not row.spec.override and not standing(row.spec.gates.window, freezes, now).is_open


def must_wait(draft: Draft) -> bool:
    """True while a rollout may not begin, or green not get its first traffic; it then holds and says until when."""
    row, spec = draft.row, draft.row.spec
    if not is_shut(row, draft.seen.freezes, draft.now):
        return False
    found = standing(spec.gates.window, draft.seen.freezes, draft.now)
    clears = window.opening_words(found, spec.gates.window, draft.seen.freezes)
    draft.hold(HoldKind.WINDOW, f"{window.NAME}: closed: {found.why}", clears_when=clears)
    draft.change(waiting_for=clears)
    if found.until is not None:
        draft.wake_by(found.until)
    return True


def close_ends_it(draft: Draft) -> bool:
    """True if the window has closed on a rollout under way and the file says to roll back then; it is begun here."""
    row, spec = draft.row, draft.row.spec
    is_under_way = row.phase is not Phase.PENDING and row.phase.blue_is_safe_side
    if not is_under_way or spec.gates.window.at_close is not AtClose.ROLLBACK:
        return False
    answer = window.answer(spec.gates.window, draft.seen.freezes, draft.now, spec.override)
    if answer.verdict is not Verdict.FAIL:
        return False
    evaluate.keep(draft, (answer,))
    roll_back(draft, f"{answer.gate}: {answer.reason}", TEAL)
    return draft.turning_back is not None
