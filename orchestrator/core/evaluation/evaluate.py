"""Puts the scene together from the row and this tick's observations, and asks every gate that judges in it."""

from collections.abc import Callable
from dataclasses import replace

from orchestrator.core.analysis import intervals
from orchestrator.core.analysis.metric_queries import alarms_since
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import ALL
from orchestrator.core.domain.verdict import Answer, Judged, Verdict, hold
from orchestrator.core.evaluation import webhooks
from orchestrator.core.gates import alarms, compare, guard, health, metric, probe, webhook, window
from orchestrator.core.gates.compare import StreamName
from orchestrator.core.gates.scene import Colour, Counts, Scene
from orchestrator.core.rollout.draft import Draft, service_of, targets_of
from orchestrator.core.rollout.names import names_of
from orchestrator.core.rollout.rollout import Rollout

OUTAGES_MAX = 3  # so often is the control group given back before a guard alone decides

Judge = Callable[[Rollout, Scene], Answer | None]  # None: the file turned the gate off

REGISTRY: dict[str, Judge] = {
    health.NAME: lambda row, scene: (
        health.judge(row.spec.gates.health, scene) if row.spec.gates.health.on else None
    ),
    guard.NAME: lambda row, scene: (
        guard.judge(row.spec.gates.guard, scene) if row.spec.gates.guard.on else None
    ),
    alarms.NAME: lambda row, scene: (
        alarms.judge(row.spec.gates.alarms, scene) if row.spec.gates.alarms.alarms else None
    ),
    metric.NAME: lambda row, scene: (
        metric.judge(row.spec.gates.metrics, scene, is_watch=row.phase is Phase.WATCHING)
        if row.spec.gates.metrics
        else None
    ),
    window.NAME: lambda row, scene: window.judge(row.spec.gates.window, scene, row.spec.override),
    compare.NAME: lambda row, scene: (
        compare.judge(row.spec.gates.compare, scene, [stream.standing for stream in row.comparison])
        if row.comparison
        else None
    ),
    probe.NAME: lambda row, scene: _probe(row) if row.spec.gates.probe.on else None,
    webhook.NAME: lambda row, scene: _webhook(row, scene.judged) if row.spec.gates.webhooks else None,
}


def _probe(row: Rollout) -> Answer:
    is_before = row.phase is Phase.PROVISIONING
    return probe.judge(row.spec.gates.probe, row.probed, is_before_traffic=is_before)


def _webhook(row: Rollout, judged: Colour) -> Answer:
    asked = webhooks.asked(row) if judged is Colour.GREEN else ()
    return webhook.judge(asked, elsewhere="no webhook is asked here")


def ask_before_traffic(draft: Draft) -> tuple[Answer, ...]:
    """The answers of the gates that judge before green has traffic: `probe` and `webhook`."""
    gates = draft.row.spec.gates
    answers = (
        *((_probe(draft.row),) if gates.probe.on else ()),
        *((_webhook(draft.row, Colour.GREEN),) if webhooks.due_hooks(draft.row) else ()),
    )
    keep(draft, answers)
    return answers


def scene_of(draft: Draft, judged: Colour) -> Scene:
    """The scene as this tick saw it."""
    row = draft.row
    assert row.blue is not None
    assert row.green is not None
    weight = row.green_weight if judged is Colour.GREEN else Tenths(ALL - row.green_weight)
    return Scene(
        now=draft.now,
        period=row.spec.metrics.period,
        lag=row.spec.metrics.lag,
        poll=draft.poll,
        judged=judged,
        weight=weight,
        serves_since=row.bake.since,
        stops_count_from=row.stops_count_from or row.created_at,
        revision=row.green.task_definition if judged is Colour.GREEN else row.green.for_blue,
        service=service_of(draft, judged),
        targets=targets_of(draft, judged),
        others=targets_of(draft, judged.other),
        intervals=intervals.at_weight(row),
        earlier=intervals.earlier(row),
        clump=_clump(row),
        usual=Counts.total(row.history) if row.history else None,
        reading=tuple(interval for interval in draft.reading if interval.weight is not None),
        names=names_of(row),
        alarms_at_start=row.blue.alarms,
        alarms=draft.seen.alarms,
        alarms_from=alarms_since(row),
        metrics=draft.seen.metrics,
        freezes=draft.seen.freezes,
    )


def _clump(row: Rollout) -> float:
    stream = next((s for s in row.comparison if s.name is StreamName.ERRORS), None)
    return stream.dispersion.phi if stream and stream.dispersion.estimate is not None else 1.0


def ask_gates(draft: Draft, judged: Colour) -> tuple[Answer, ...]:
    """Every gate's answer; a change of a verdict is recorded, and the newest answers stay in the row."""
    scene = scene_of(draft, judged)
    answers = tuple(a for judge in REGISTRY.values() if (a := judge(draft.row, scene)) is not None)
    if judged is Colour.BLUE:
        answers = tuple(_only_holds(answer) for answer in answers)
    if lost_its_control(draft.row):
        answers = tuple(_without_control(answer) for answer in answers)
    keep(draft, answers)
    return answers


def lost_its_control(row: Rollout) -> bool:
    """True where `auto` has just given green its control group too, and may still give it back to compare."""
    steps = row.plan.steps if row.plan.auto is not None else ()
    is_last = 0 < row.step == len(steps) - 1 and steps[row.step].weight == ALL
    return is_last and steps[row.step - 1].is_watch and row.outages_passed < OUTAGES_MAX


def _without_control(answer: Answer) -> Answer:
    """Errors that begin as the control group is gone may be anybody's: a guard without blue beside it only holds."""
    if answer.gate == guard.NAME and answer.verdict is Verdict.FAIL:
        words = f"{answer.reason}; without a control group the cause cannot be told"
        clears = "blue has its control group again"
        held = hold(answer.gate, words, clears_when=clears, numbers=dict(answer.numbers))
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


def _only_holds(answer: Answer) -> Answer:
    """In settling the release is decided: both colours run it, so alarms and metrics hold at most."""
    clears = {alarms.NAME: "the alarm is OK", metric.NAME: "the metric is within its bounds"}
    if answer.gate in clears and answer.verdict is Verdict.FAIL:
        return hold(answer.gate, answer.reason, clears_when=clears[answer.gate], numbers=dict(answer.numbers))
    return answer
