"""A person's approval: whether it is given, and what happens if nobody gives it."""

from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.text import span
from orchestrator.core.domain.verdict import Verdict
from orchestrator.core.evaluation import evaluate
from orchestrator.core.gates import approval
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.core.rollout.spec import LimitThen
from orchestrator.core.tick.draft import TEAL, Draft
from orchestrator.core.tick.turn_back import roll_back


def is_approved(draft: Draft, step: int, *, of: str) -> bool:
    """True once as many people have approved this step as must; `of` says in words what they approve.

    Until then it holds, and once `approval.timeout` has passed it does what the file says. Time in which somebody
    has paused the rollout does not count.
    """
    row, spec = draft.row, draft.row.spec.approval
    names = [given.by.name for given in row.progress.approvals if given.step == step]
    answer = approval.judge(names, spec.required, of=of)
    evaluate.keep(draft, (answer,))
    if answer.verdict is not Verdict.HOLD:
        return True
    draft.hold(HoldKind.APPROVAL, answer.reason, clears_when=answer.clears_when)
    draft.change(waiting_for=answer.clears_when)
    if row.pause.paused_by:
        return False
    draft.change(waited_for_approval=row.progress.waited_for_approval + draft.since_last(row.ticks.ticked_at))
    if draft.row.progress.waited_for_approval >= spec.timeout:
        words = f"nobody approved {of} within {span(spec.timeout)}"
        if spec.on_timeout is LimitThen.ROLLBACK:
            roll_back(draft, words, TEAL)
        else:
            draft.page(words, about="approval")
    return False


BEFORE_TRAFFIC = -1  # the step that an approval of the first traffic is given for


def current_step(row: Rollout) -> int:
    """The step a command means when it names none."""
    return BEFORE_TRAFFIC if row.phase is Phase.PROVISIONING else row.progress.step


def needs_first_approval(row: Rollout) -> bool:
    """True if the file asks for it, or an alarm fired before the rollout began: a person says whether to start."""
    is_asked = row.spec.approval.before_traffic
    return is_asked or (row.blue is not None and any(alarm.state == "ALARM" for alarm in row.blue.alarms))
