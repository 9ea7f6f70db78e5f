"""Gate ``webhook``: does a system of the team's own say that the rollout may go on?

Teal puts a signed question (POST, JSON) to each address: before green's first traffic (`before_traffic`), at every step
once its weight was read back (`every_step`), or on the step before full weight (`before_full`). The answer is a verdict
with a reason, `{"verdict": "pass", "reason": "…"}`, or 202 and where to look for it later. No answer, an error, or one
that makes no sense never passes: it is asked again, ever more slowly, and the step holds. After `timeout` without a
verdict Teal says so, and puts the question anew each minute.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from orchestrator.core.cloud.probes_and_webhooks import Pairs
from orchestrator.core.domain.verdict import Answer, Verdict, fail, hold, not_applicable, passed
from orchestrator.core.gates.gate import Gate
from orchestrator.core.gates.gathered import Question
from orchestrator.core.gates.scene import Scene

NAME = "webhook"


class HookWhen(StrEnum):
    """When a webhook is asked."""

    BEFORE_TRAFFIC = "before_traffic"
    EVERY_STEP = "every_step"
    BEFORE_FULL = "before_full"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSpec:
    """One webhook. ``secret``: name of the settings' hook whose secret signs; empty: unsigned."""

    url: str
    when: HookWhen = HookWhen.BEFORE_TRAFFIC
    timeout: timedelta = timedelta(minutes=5)
    headers: Pairs = ()
    secret: str = ""

    @property
    def host(self) -> str:
        """Whom people know it as: the rest of a URL may be a secret."""
        return self.url.partition("://")[2].partition("/")[0].partition("?")[0]


def judge(specs: tuple[WebhookSpec, ...], scene: Scene) -> Answer:
    """The gate's answer by the questions of this step; with none on this step it does not apply."""
    hooks = [(specs[hook], question) for hook, question in scene.questions]
    if not hooks:
        return not_applicable(NAME, "no webhook is asked here")
    failed = [f"{spec.host} says fail{_because(q)}" for spec, q in hooks if q and q.verdict is Verdict.FAIL]
    if failed:
        return fail(NAME, "; ".join(failed))
    waits = [
        (spec, question)
        for spec, question in hooks
        if question is None or question.verdict is not Verdict.PASS
    ]
    if waits:
        words = "; ".join(_waiting(spec, question) for spec, question in waits)
        names = " and ".join(dict.fromkeys(spec.host for spec, _ in waits))
        return hold(NAME, words, clears_when=f"{names} {'say' if len(waits) > 1 else 'says'} pass")
    return passed(NAME, "; ".join(f"{spec.host} says pass{_because(question)}" for spec, question in hooks))


def is_waiting_only(questions: Sequence[Question | None]) -> bool:
    """True while verdicts are merely waited for, and nothing is wrong with any webhook."""
    return not any(question is not None and question.trouble for question in questions)


def _waiting(spec: WebhookSpec, question: Question | None) -> str:
    if question is None:
        return f"{spec.host} was not asked yet"
    if question.trouble:
        return f"{spec.host} gives no verdict: {question.trouble}"
    if question.reason:
        return f"{spec.host} says hold: {question.reason}"
    return f"{spec.host} is still working" if question.check else f"{spec.host} has not answered yet"


def _because(question: Question | None) -> str:
    return f": {question.reason}" if question is not None and question.reason else ""


def of_earlier_steps(questions: Sequence[Question], step: int) -> tuple[Question, ...]:
    """The questions that stay answered when a step begins, or begins anew."""
    return tuple(question for question in questions if question.step < step)


WEBHOOK: Gate[tuple[WebhookSpec, ...]] = Gate(
    name=NAME,
    usual=(),
    is_on=bool,
    judge=judge,
    judges_before_traffic=True,
    is_named_last=True,
)
