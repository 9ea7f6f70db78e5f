"""Gate ``guard``: does one interval alone speak loudly enough against the colour that takes traffic?

Not a comparison with a stated error rate: it catches what nobody needs statistics for, in the first whole interval.
"""

from dataclasses import dataclass

from orchestrator.core.domain.verdict import Answer, fail, hold, not_applicable, passed
from orchestrator.core.gates.gate import Gate, setting
from orchestrator.core.gates.scene import Colour, Counts, Interval, Scene

NAME = "guard"
REQUESTS_LEAST = 20
ERRORS_LEAST = 5
ALWAYS_OVER = 0.5
TIMES_WORSE = 4
TIMES_WORSE_OUTRIGHT = 2
MEASURED = "CloudWatch has one whole period at this weight"


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardSpec:
    """The circuit breaker on green's errors."""

    on: bool = True
    errors: float = setting(
        0.05, "Error rate above which green, if far worse than blue, fails.", is_share=True
    )  # of requests, 0–1


def judge(spec: GuardSpec, scene: Scene) -> Answer:
    """FAIL on one interval with at least 20 requests that is bad in itself and beside the other colour.

    Bad are 5 errors and too large a share of them, or most requests without an answer. Where blue's errors come in
    clumps, it takes so many times as many.
    """
    if scene.weight == 0:
        return not_applicable(NAME, f"{scene.judged} takes no traffic")
    # A period in which the weight rose holds green's first errors a whole period sooner than the next one does.
    earlier = scene.earlier if scene.judged is Colour.GREEN else ()
    counted = (*earlier, *scene.intervals)
    failing = next((fails for interval in counted if (fails := _failure(spec, scene, interval))), None)
    if failing is not None:
        return failing
    if not scene.intervals:
        return hold(
            NAME,
            "waits for CloudWatch's first whole period at this weight",
            clears_when=MEASURED,
        )
    alarming = next((interval for interval in scene.reading if _failure(spec, scene, interval)), None)
    if alarming is not None:
        return hold(
            NAME,
            f"the period from {alarming.start:%H:%M:%S}Z speaks against {scene.judged}, and was read only once",
            clears_when="that period was read again",
        )
    return _of_newest(spec, scene, scene.intervals[-1])


def _of_newest(spec: GuardSpec, scene: Scene, interval: Interval) -> Answer:
    mine, others = interval.of(scene.judged), interval.of(scene.judged.other)
    if mine is None:
        return hold(
            NAME,
            f"no request reached {scene.judged} in the period from {interval.start:%H:%M:%S}Z",
            clears_when=f"requests reach {scene.judged}",
        )
    rate, other_rate = mine.error_rate, others.error_rate if others else 0.0
    if others and mine.errors >= ERRORS_LEAST and rate > spec.errors and other_rate > spec.errors:
        return hold(
            NAME,
            f"both colours fail: {scene.judged} {rate:.1%}, {scene.judged.other} {other_rate:.1%}",
            clears_when=f"errors are below {spec.errors:.1%} again",
            numbers=_numbers(mine),
        )
    if _is_silent(mine) and _beside(scene, interval) is None:
        return hold(
            NAME,
            f"{_unanswered(mine)} on {scene.judged}, and it is not known whether that is usual",
            clears_when=f"most requests on {scene.judged} are answered",
            numbers=_numbers(mine),
        )
    few = "" if mine.requests >= REQUESTS_LEAST else f" (fewer than {REQUESTS_LEAST}: too few to tell much)"
    seen = f"{mine.errors} of {mine.requests} requests failed on {scene.judged} in the last whole period{few}"
    return passed(NAME, seen, numbers=_numbers(mine))


def _failure(spec: GuardSpec, scene: Scene, interval: Interval) -> Answer | None:
    """What one interval alone says against the judged colour; None: it does not speak loudly enough."""
    mine, others = interval.of(scene.judged), interval.of(scene.judged.other)
    if mine is None:
        return None
    if interval.weight is not None and _hangs(scene, interval, mine):
        words = f"{_unanswered(mine)} on {scene.judged} in the period from {interval.start:%H:%M:%S}Z"
        return fail(NAME, words, numbers=_numbers(mine))
    if not _fails(spec, scene, interval, mine):
        return None
    beside = f", on {scene.judged.other} {others.error_rate:.1%}" if others else ""
    return fail(
        NAME,
        f"{mine.errors} of {mine.requests} requests ({mine.error_rate:.1%}) failed on {scene.judged} "
        f"in the period from {interval.start:%H:%M:%S}Z{beside}",
        numbers=_numbers(mine),
    )


def _hangs(scene: Scene, interval: Interval, mine: Counts) -> bool:
    """True if most requests got no answer at all, which no error of the colour's own counts, and that is unusual.

    It is usual where connections stay open, as WebSockets do: the other colour's requests, or blue's before the
    rollout, look the same then.
    """
    beside = _beside(scene, interval)
    return _is_silent(mine) and beside is not None and not _mostly_silent(beside)


def _beside(scene: Scene, interval: Interval) -> Counts | None:
    others = interval.of(scene.judged.other)
    return others if others is not None and others.requests else scene.usual


def _is_silent(counts: Counts) -> bool:
    return counts.requests >= REQUESTS_LEAST and _mostly_silent(counts)


def _mostly_silent(counts: Counts) -> bool:
    return counts.unanswered > ALWAYS_OVER * counts.requests


def _unanswered(counts: Counts) -> str:
    return f"{counts.unanswered} of {counts.requests} requests got no answer"


def _fails(spec: GuardSpec, scene: Scene, interval: Interval, mine: Counts) -> bool:
    others = interval.of(scene.judged.other)
    if mine.requests < REQUESTS_LEAST or mine.errors < ERRORS_LEAST * scene.clump:
        return False
    other_rate = min(1.0, others.error_rate * interval.dilution) if others else 0.0
    if mine.error_rate > ALWAYS_OVER and mine.error_rate >= TIMES_WORSE_OUTRIGHT * other_rate:
        return True  # where the other colour is nearly as bad it is an outage of both, which going back does not mend
    return mine.error_rate > spec.errors and mine.error_rate > TIMES_WORSE * other_rate


def _numbers(counts: Counts) -> dict[str, float]:
    return {
        "requests": counts.requests,
        "errors": counts.errors,
        "error_rate": round(counts.error_rate, 6),
        "unanswered": counts.unanswered,
    }


GUARD = Gate(
    name=NAME,
    usual=GuardSpec(),
    is_on=lambda spec: spec.on,
    judge=judge,
    says="One interval's errors of green against blue's.",
    judges_intervals=True,
    needs_control=True,  # errors that begin as the control group is gone may be anybody's
    may_stand_alone=True,
)
