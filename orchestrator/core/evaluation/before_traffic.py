"""Before users reach green: the test rules point at it, Teal's own requests go to it, and webhooks are asked."""

from dataclasses import replace

from orchestrator.core.cloud.forward_action import canonical
from orchestrator.core.cloud.probes_and_webhooks import ProbeNeed, ProbeSeen
from orchestrator.core.cloud.resources import Unread
from orchestrator.core.domain.events import Record
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.verdict import Answer, Verdict
from orchestrator.core.evaluation import evaluate, webhooks
from orchestrator.core.gates import probe, webhook
from orchestrator.core.gates.gathered import Batch, Probed
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.core.rollout.spec import OnFailure
from orchestrator.core.tick.draft import TEAL, Draft
from orchestrator.core.tick.turn_back import roll_back
from orchestrator.core.traffic import test_rules


def key_of(row: Rollout, probed: Probed, batch: Batch) -> str:
    """The key of the batch that is to be sent: rollout, step, gate, attempt and batch."""
    return f"{row.id}/before-traffic/probe/{probed.attempt}-{batch.number}"


def probe_need(row: Rollout) -> ProbeNeed | None:
    """The batch that is on disk to be sent; None: there is none."""
    spec, probed = row.spec.gates.probe, row.checks.probed
    if not spec.on or row.phase is not Phase.PROVISIONING or probed is None or probed.batch is None:
        return None
    return ProbeNeed(
        key=key_of(row, probed, probed.batch),
        url=spec.url,
        paths=spec.paths,
        first=probed.batch.first,
        count=probed.batch.count,
        rate=spec.rate,
        method=spec.method,
        headers=spec.headers,
        body=spec.body,
        contains=spec.contains,
        timeout=spec.timeout,
        verify=spec.verify,
    )


def take(draft: Draft) -> None:
    """Keep what the last batch showed, in whatever state green is by now."""
    spec, probed = draft.row.spec.gates.probe, draft.row.checks.probed
    if not spec.on or probed is None or probed.batch is None:
        return
    batch = probed.batch
    match draft.seen.probe:
        case None:
            return
        case Unread(why=why):
            draft.change(probed=probe.unable(probed, batch, why))
            draft.wake_by(draft.now + draft.poll)
        case ProbeSeen() if not test_rules.leads_to_green(draft):
            draft.change(probed=probe.unable(probed, batch, "the test rules do not forward to green"))
        case ProbeSeen() as seen if seen.key == key_of(draft.row, probed, batch):
            draft.change(probed=probe.add(spec, probed, batch, seen))
            _record(draft, seen)
        case ProbeSeen():
            return


def _record(draft: Draft, seen: ProbeSeen) -> None:
    body = canonical(
        {
            "batch": seen.key,
            "answers": [
                [a.path, a.status, round(a.seconds, 4), *([a.trouble] if a.trouble else [])]
                for a in seen.answers
            ],
            "unsent": seen.unsent,
            "why": seen.why,
        }
    )
    draft.records.append(Record(key=f"probe {seen.key}", at=draft.now, kind="probe", body=body))


def is_passed(draft: Draft) -> bool:
    """True once every gate that judges before traffic passes; a FAIL rolls back before any user met green."""
    if _is_stopped(draft):
        return False
    if draft.row.pause.paused_by is None:
        _probe(draft)
        webhooks.follow(draft)
    answers = evaluate.ask_before_traffic(draft)
    failing = next((answer for answer in answers if answer.verdict is Verdict.FAIL), None)
    if failing is not None and draft.row.spec.on_failure is OnFailure.ROLLBACK:
        roll_back(draft, f"{failing.gate}: {failing.reason}", TEAL)
        return False
    if failing is not None:
        draft.change(failed=f"{failing.gate}: {failing.reason}")
        return not _is_stopped(draft)
    waits = [answer for answer in answers if answer.verdict is Verdict.HOLD]
    for answer in waits:
        _wait(draft, answer)
    return not waits


def _is_stopped(draft: Draft) -> bool:
    if draft.row.waiting.failed:
        draft.hold(HoldKind.FAILED, draft.row.waiting.failed, clears_when="a person rolls back or resumes")
    return bool(draft.row.waiting.failed)


def _wait(draft: Draft, answer: Answer) -> None:
    """Say what is waited for; only what does not get on is a hold, of which people hear."""
    row = draft.row
    match answer.gate:
        case probe.NAME:
            gets_on = probe.progress_only(row.checks.probed)
        case webhook.NAME:
            gets_on = webhook.is_waiting_only([question for _, question in webhooks.asked(row)])
        case _:
            gets_on = False
    draft.change(waiting_for=f"{answer.gate}: {answer.reason}")
    if not gets_on:
        words = f"{answer.gate}: {answer.reason}"
        draft.hold(HoldKind.GATE, words, clears_when=answer.clears_when)


def _probe(draft: Draft) -> None:
    """Have the next batch sent, once the test rules have steered the whole load balancer for a while."""
    spec, row = draft.row.spec.gates.probe, draft.row
    if not spec.on:
        return
    probed = row.checks.probed or Probed(since=draft.now)
    draft.change(probed=probed)
    steered = probed.since + row.spec.metrics.look_gap
    if draft.now < steered:
        draft.wake_by(steered)
        return
    if probed.batch is not None or probe.is_over(spec, probed):
        return
    if probed.trouble and draft.seen.probe is not None:
        return  # what could not be sent a moment ago is tried again at the next look
    draft.change(probed=replace(probed, batch=probe.next_batch(spec, probed)))
    draft.wake_by(draft.now)
