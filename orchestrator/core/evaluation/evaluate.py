"""Puts the scene together from the row and this tick's observations, and asks every gate that judges in it."""

from dataclasses import replace
from typing import Any

from orchestrator.core.analysis import intervals
from orchestrator.core.analysis.metric_queries import alarms_since
from orchestrator.core.cloud.resources import Unread
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.plan import ALL
from orchestrator.core.domain.verdict import Answer, Judged, Verdict, hold
from orchestrator.core.evaluation import webhooks
from orchestrator.core.gates.gate import Gate
from orchestrator.core.gates.gathered import StreamName
from orchestrator.core.gates.registry import those_on
from orchestrator.core.gates.scene import Colour, Counts, Scene
from orchestrator.core.rollout.names import names_of
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.tick.draft import Draft, service_of, targets_of

OUTAGES_MAX = 3  # so often is the control group given back before a guard alone decides


def ask_before_traffic(draft: Draft) -> tuple[Answer, ...]:
    """The answers of the gates that judge before green has traffic, as far as they are asked anything then."""
    scene = scene_of(draft, Colour.GREEN)
    given = (
        gate.judge(spec, scene) for gate, spec in those_on(draft.row.spec.gates) if gate.judges_before_traffic
    )
    answers = tuple(a for a in given if a is not None and a.verdict is not Verdict.NOT_APPLICABLE)
    keep(draft, answers)
    return answers


def scene_of(draft: Draft, judged: Colour) -> Scene:
    """The scene as this tick saw it."""
    row = draft.row
    weight = row.green_weight if judged is Colour.GREEN else Tenths(ALL - row.green_weight)
    return Scene(
        now=draft.now,
        phase=row.phase,
        period=row.spec.metrics.period,
        lag=row.spec.metrics.lag,
        poll=draft.poll,
        judged=judged,
        weight=weight,
        serves_since=row.progress.bake.since,
        stops_count_from=row.stops.stops_count_from or row.created_at,
        revision=row.known.green.task_definition if judged is Colour.GREEN else row.known.green.for_blue,
        service=service_of(draft, judged),
        targets=targets_of(draft, judged),
        # Its stopped tasks are looked at once one of either colour was told of: until then nothing is known of them.
        other=service_of(draft, judged.other) if draft.before.stops.stops_told else None,
        others=targets_of(draft, judged.other),
        intervals=intervals.at_weight(row),
        earlier=intervals.earlier(row),
        clump=_clump(row),
        usual=Counts.total(row.evidence.history) if row.evidence.history else None,
        reading=tuple(interval for interval in draft.reading if interval.weight is not None),
        names=names_of(row),
        alarms_at_start=row.known.blue.alarms,
        alarms=draft.seen.alarms,
        alarms_from=alarms_since(row),
        metrics=draft.seen.metrics,
        freezes=draft.seen.freezes,
        override=row.spec.override,
        standings=tuple(stream.standing for stream in row.evidence.comparison),
        probed=row.checks.probed,
        questions=webhooks.asked(row) if judged is Colour.GREEN else (),
    )


def _clump(row: Rollout) -> float:
    stream = next((s for s in row.evidence.comparison if s.name is StreamName.ERRORS), None)
    return stream.dispersion.phi if stream and stream.dispersion.estimate is not None else 1.0


def ask_gates(draft: Draft, judged: Colour) -> tuple[Answer, ...]:
    """Every gate's answer; a change of a verdict is recorded, and the newest answers stay in the row."""
    scene, asked = scene_of(draft, judged), tuple(those_on(draft.row.spec.gates))
    given = ((gate, gate.judge(spec, scene)) for gate, spec in asked)
    answers = tuple(
        _softened(gate, _agreed(draft, answer, judged), draft.row, judged)
        for gate, answer in given
        if answer is not None
    )
    keep(draft, answers)
    return answers


def lost_its_control(row: Rollout) -> bool:
    """True where `auto` has just given green its control group too, and may still give it back to compare."""
    steps = row.plan.steps if row.plan.auto is not None else ()
    is_last = 0 < row.progress.step == len(steps) - 1 and steps[row.progress.step].weight == ALL
    return is_last and steps[row.progress.step - 1].is_watch and row.evidence.outages_passed < OUTAGES_MAX


def _agreed(draft: Draft, answer: Answer, judged: Colour) -> Answer:
    """The answer, or a HOLD in the place of a FAIL that one look alone may be wrong about, until looks agree.

    Doubt ends with a look that shows something else. One that could not be made says nothing, and leaves it.
    """
    last = next((one for one in draft.row.answers if one.answer.gate == answer.gate), None)
    is_of_last_look = last is not None and last.at == draft.row.ticks.ticked_at
    doubted_since = last.answer.doubted_since if last is not None and is_of_last_look else None
    if answer.sure_after is None:
        is_blind = (
            doubted_since is not None and answer.verdict is Verdict.HOLD and not _could_see(draft, judged)
        )
        return replace(answer, doubted_since=doubted_since) if is_blind else answer
    since = doubted_since or draft.now
    sure_at = since + answer.sure_after
    if draft.now >= sure_at:
        return answer
    draft.wake_by(sure_at)
    held = hold(
        answer.gate,
        f"{answer.reason}; one look alone may be an old answer of AWS",
        clears_when="the next looks show otherwise",
        numbers=dict(answer.numbers),
        is_evidence=False,
    )
    return replace(held, doubted_since=since)


def _could_see(draft: Draft, judged: Colour) -> bool:
    looks = (service_of(draft, judged), *targets_of(draft, judged))
    return not any(seen is None or isinstance(seen, Unread) for seen in looks)


def _softened(gate: Gate[Any], answer: Answer, row: Rollout, judged: Colour) -> Answer:
    """The answer, or a HOLD in the place of a FAIL where the gate cannot know whose doing it is."""
    if answer.verdict is not Verdict.FAIL:
        return answer
    if judged is Colour.BLUE and not gate.may_fail_in_settling:
        return hold(gate.name, answer.reason, clears_when=gate.settles_when, numbers=dict(answer.numbers))
    if gate.needs_control and lost_its_control(row):
        words = f"{answer.reason}; without a control group the cause cannot be told"
        clears = "blue has its control group again"
        held = hold(gate.name, words, clears_when=clears, numbers=dict(answer.numbers))
        return replace(held, wants_control=True)
    return answer


def keep(draft: Draft, answers: tuple[Answer, ...]) -> None:
    """Keep these answers as the newest of their gates, and record where a verdict changed."""
    known = {judged.answer.gate: judged for judged in draft.row.answers}
    for answer in answers:
        was = known.get(answer.gate)
        if was is None or was.answer.verdict is not answer.verdict:
            draft.tell(
                EventKind.GATE_ANSWERED,
                f"{answer.gate}: {answer.verdict}: {answer.reason}",
                gate=answer.gate,
                verdict=answer.verdict.value,
                **dict(answer.numbers),
            )
        known[answer.gate] = Judged(answer=answer, at=draft.now)
    draft.change(answers=tuple(known.values()))
