"""A person's approval: whether it is given, and what happens if nobody gives it."""

from orchestrator.core import judge
from orchestrator.core.draft import TEAL, Draft
from orchestrator.core.gates import approval
from orchestrator.core.returning import roll_back
from orchestrator.core.rollout import HoldKind
from orchestrator.core.spec import LimitThen
from orchestrator.core.verdict import Verdict
from orchestrator.core.words import span


def is_approved(draft: Draft, step: int, *, of: str) -> bool:
    """True once as many people have approved this step as must; `of` says in words what they approve.

    Until then it holds, and once `approval.timeout` has passed it does what the file says. Time in which somebody
    has paused the rollout does not count.
    """
    row, spec = draft.row, draft.row.spec.approval
    names = [given.by.name for given in row.approvals if given.step == step]
    answer = approval.judge(names, spec.required, of=of)
    judge.keep(draft, (answer,))
    if answer.verdict is not Verdict.HOLD:
        return True
    draft.hold(HoldKind.APPROVAL, answer.reason, clears_when=answer.clears_when)
    draft.change(waiting_for=answer.clears_when)
    if row.paused_by:
        return False
    draft.change(waited_for_approval=row.waited_for_approval + draft.since_last(row.ticked_at))
    if draft.row.waited_for_approval >= spec.timeout:
        words = f"nobody approved {of} within {span(spec.timeout)}"
        if spec.on_timeout is LimitThen.ROLLBACK:
            roll_back(draft, words, TEAL)
        else:
            draft.page(words)
    return False
