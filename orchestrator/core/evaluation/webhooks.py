"""Questions to webhooks: which are open on this step, when each is put again, and what was answered.

A question is on disk before it is sent. Sent twice, after a crash, it bears the same key; put anew, it bears another.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from orchestrator.core.cloud.forward_action import canonical
from orchestrator.core.cloud.probes_and_webhooks import (
    HookAccepted,
    HookNeed,
    HookSeen,
    HookTrouble,
    HookVerdict,
)
from orchestrator.core.domain.events import Record
from orchestrator.core.domain.ids import Json
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import ALL
from orchestrator.core.domain.text import span
from orchestrator.core.domain.verdict import Verdict
from orchestrator.core.gates.gathered import Question
from orchestrator.core.gates.webhook import HookWhen, WebhookSpec
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.tick.draft import Draft

BEFORE_TRAFFIC = -1
HALF = 500  # `auto` visits it before full weight
POLL = timedelta(seconds=5)  # how often a verdict that is on its way is looked for
LOOK = timedelta(seconds=2)  # how soon an answer that is under way is asked for
BACK_OFF_FIRST = timedelta(seconds=2)
BACK_OFF_LAST = timedelta(minutes=1)


def step_of(row: Rollout) -> int:
    """The step whose webhooks are asked now."""
    return BEFORE_TRAFFIC if row.phase is Phase.PROVISIONING else row.progress.step


def due_hooks(row: Rollout) -> tuple[int, ...]:
    """Indices of the webhooks that this step asks."""
    hooks = row.spec.gates.webhooks
    if row.phase is Phase.PROVISIONING:
        wanted = {HookWhen.BEFORE_TRAFFIC}
    elif row.phase in (Phase.SHIFTING, Phase.WATCHING):
        wanted = {HookWhen.EVERY_STEP}
        if _is_before_full(row):
            wanted.add(HookWhen.BEFORE_FULL)
    else:
        return ()
    return tuple(number for number, hook in enumerate(hooks) if hook.when in wanted)


def _is_before_full(row: Rollout) -> bool:
    steps = row.plan.steps
    if row.progress.step >= len(steps) or steps[row.progress.step].weight == ALL:
        return False
    if row.spec.plan.auto is not None:
        return steps[row.progress.step].weight == HALF
    return row.progress.step == len(steps) - 2


def question_of(row: Rollout, hook: int) -> Question | None:
    """The question to a webhook on this step."""
    step = step_of(row)
    return next((q for q in row.checks.questions if (q.hook, q.step) == (hook, step)), None)


def asked(row: Rollout) -> tuple[tuple[int, Question | None], ...]:
    """The webhooks of this step by their index, each with its question."""
    return tuple((hook, question_of(row, hook)) for hook in due_hooks(row))


def key_of(row: Rollout, question: Question) -> str:
    """The key of a question: rollout, step, gate and attempt."""
    step = "before-traffic" if question.step == BEFORE_TRAFFIC else str(question.step + 1)
    return f"{row.id}/{step}/webhook-{question.hook + 1}/{question.attempt}"


def needs(row: Rollout, now: datetime) -> tuple[HookNeed, ...]:
    """The questions of this step whose time has come."""
    found = (question_of(row, hook) for hook in due_hooks(row))
    return tuple(_need(row, q) for q in found if q is not None and q.verdict is None and q.again_at <= now)


def _need(row: Rollout, question: Question) -> HookNeed:
    spec = row.spec.gates.webhooks[question.hook]
    return HookNeed(
        key=key_of(row, question),
        attempt=question.attempt,
        url=spec.url,
        check=question.check,
        body=_body(row, question, spec),
        headers=spec.headers,
        secret=spec.secret,
    )


def _body(row: Rollout, question: Question, spec: WebhookSpec) -> Json:
    return canonical(
        {
            "type": "teal.gate.webhook",
            "key": key_of(row, question),
            "rollout": row.id,
            "service": str(row.spec.service),
            "when": spec.when.value,
            "step": question.step + 1,  # 0: before the first traffic
            "attempt": question.attempt,
            "green_percent": row.green_weight / 10,
            "blue": row.known.blue.name,
            "green": row.known.green.name,
            "green_target_groups": [pair.green for pair in row.pairs if pair.green],
            "former": row.known.blue.former,
            "revision": row.known.green.task_definition,
            "asked_at": question.asked_at.isoformat(),
            "labels": dict(row.spec.labels),
        }
    )


def follow(draft: Draft) -> None:
    """Take what was answered, put what is open, and say when to look again."""
    row = draft.row
    hooks = due_hooks(row)
    if not hooks:
        return
    known = {hook: question_of(row, hook) for hook in hooks}
    kept = tuple(q for q in row.checks.questions if q not in known.values())
    now_open = tuple(_next(draft, hook, known[hook]) for hook in hooks)
    draft.change(questions=(*kept, *now_open))
    for question in now_open:
        if question.verdict is None:
            draft.wake_by(max(question.again_at, draft.now + LOOK))


def _next(draft: Draft, hook: int, question: Question | None) -> Question:
    now = draft.now
    if question is None:
        made = Question(
            hook=hook,
            step=step_of(draft.row),
            attempt=_attempt(draft),
            asked_at=now,
            again_at=now,
        )
        draft.wake_by(now)
        return made
    if question.verdict is not None:
        return question
    seen = draft.seen.hooks.get(key_of(draft.row, question))
    if seen is not None:
        question = _take(draft, question, seen)
    if question.verdict is None and now >= question.asked_at + draft.row.spec.gates.webhooks[hook].timeout:
        return _late(draft, question)
    return question


def _take(draft: Draft, question: Question, seen: HookSeen) -> Question:
    now = draft.now
    match seen:
        case HookVerdict(verdict=Verdict.HOLD, reason=reason, after=after):
            held = replace(question, reason=reason or "not yet", trouble="", tries=0)
            if question.check:
                return replace(held, again_at=now + (after or POLL))
            # A receiver that keeps to the key would answer the same again: the question is put anew.
            return replace(held, attempt=_attempt(draft), again_at=now + (after or POLL))
        case HookVerdict(verdict=verdict, reason=reason):
            _record(draft, question, f"{verdict}: {reason}")
            return replace(question, verdict=verdict, reason=reason, trouble="")
        case HookAccepted(check=check, after=after):
            return replace(question, check=check, again_at=now + (after or POLL), trouble="", tries=0)
        case HookTrouble(why=why, after=after):
            wait = min(BACK_OFF_FIRST * 2 ** min(question.tries, 6), BACK_OFF_LAST)
            again = now + max(wait, min(after or wait, BACK_OFF_LAST))
            return replace(question, trouble=why, tries=question.tries + 1, again_at=again)
        case never:
            assert_never(never)


def _late(draft: Draft, question: Question) -> Question:
    """No verdict in time: that is said, and the question is put anew a minute later."""
    timeout = draft.row.spec.gates.webhooks[question.hook].timeout
    last = question.trouble or (f"it last said hold: {question.reason}" if question.reason else "")
    why = (
        last
        if last.startswith("no verdict within")
        else f"no verdict within {span(timeout)}" + (f" ({last})" if last else "")
    )
    _record(draft, question, why)
    return replace(
        question,
        attempt=_attempt(draft),
        asked_at=draft.now + BACK_OFF_LAST,
        again_at=draft.now + BACK_OFF_LAST,
        check="",
        tries=0,
        trouble=why,
    )


def _attempt(draft: Draft) -> int:
    draft.change(questions_put=draft.row.checks.questions_put + 1)
    return draft.row.checks.questions_put


def _record(draft: Draft, question: Question, words: str) -> None:
    key = key_of(draft.row, question)
    body = canonical({"key": key, "asked_at": question.asked_at.isoformat(), "answer": words})
    draft.records.append(Record(key=f"webhook {key}", at=draft.now, kind="webhook", body=body))
