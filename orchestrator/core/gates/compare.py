"""Gate ``compare``: is green worse than blue, beyond what chance explains, or shown not to be?

The statistics stand in `orchestrator.core.statistics`: the test itself, and what was gathered so far. Here it is judged
and put into words. While one colour has no traffic by design the question does not apply.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from orchestrator.core.domain.plan import ALL, NONE
from orchestrator.core.domain.verdict import Answer, fail, hold, not_applicable, passed
from orchestrator.core.gates.gate import Gate
from orchestrator.core.gates.gathered import Standing, StreamName
from orchestrator.core.gates.scene import Colour, Counts, Scene

NAME = "compare"
EVENTS_LEAST = (
    5  # of green, before a comparison alone may fail a rollout: a handful of odd requests decides nothing
)
INTERVALS_LEAST = 5  # informative ones at a weight, before "shown not worse" is claimed
RATIO_SHOWN_MAX = 1e6


class Inconclusive(StrEnum):
    """What a step is worth that shows neither that green is worse nor that it is not."""

    PASS = "pass"
    HOLD = "hold"


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSpec:
    """One stream. ``margin``: green may be so many times as bad as blue before it counts as worse."""

    name: StreamName
    margin: float = 1.25
    over: timedelta = timedelta(0)  # slow: requests that took longer


DEFAULT_STREAMS = (
    StreamSpec(name=StreamName.ERRORS),
    StreamSpec(name=StreamName.UNANSWERED),
    StreamSpec(name=StreamName.CLIENT_ERRORS),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareSpec:
    """Settings of ``gates.compare``.

    ``alpha`` bounds the chance that a good rollout fails, over all its looks; the streams share it. ``beta`` bounds
    the chance that green is called "shown not worse" though it is ``not_worse_than`` times as bad as blue.
    """

    on: bool = True
    streams: tuple[StreamSpec, ...] = DEFAULT_STREAMS
    alpha: float = 0.01
    beta: float = 0.05
    not_worse_than: float = 2.0
    p_max: float | None = None  # an error rate below which green is good whatever blue does
    requests: int = 300  # of green at a weight, before "shown not worse" is claimed
    warm_up: int = 3  # whole intervals with green's first traffic that are not compared
    inconclusive: Inconclusive = Inconclusive.PASS
    intervene: bool = (
        True  # take green's growth back when blue goes bad soon after it, to see whether it is green
    )

    @property
    def threshold(self) -> float:
        """The logarithm of evidence at which a stream fails: each has its share of alpha."""
        return math.log(max(1, len(self.streams)) / self.alpha)

    @property
    def proof(self) -> float:
        """The logarithm of evidence at which "not worse" is shown; two ways to show it share beta."""
        return math.log((1 if self.p_max is None else 2) / self.beta)

    def stream(self, name: StreamName) -> StreamSpec | None:
        """The settings of one stream; None if it is not compared."""
        return next((stream for stream in self.streams if stream.name is name), None)


def judge(spec: CompareSpec, scene: Scene) -> Answer | None:
    """FAIL once a stream's evidence has reached its threshold; it stays one. No information is never a PASS.

    None while nothing is compared: blue's last hour was not read yet.
    """
    standings = scene.standings
    if not standings:
        return None
    if scene.judged is Colour.BLUE:
        return not_applicable(NAME, "both colours run the same revision")
    failed = next((standing for standing in standings if standing.has_failed), None)
    if failed is not None:
        return fail(NAME, _worse(failed, spec), numbers=_numbers(standings))
    if scene.weight in (NONE, ALL):
        only = "blue" if scene.weight == NONE else "green"
        return not_applicable(NAME, f"only {only} has traffic; {_standing(standings)}")
    lacking = _lacking(spec, scene, standings)
    if lacking is not None:
        return hold(NAME, lacking[0], clears_when=lacking[1], numbers=_numbers(standings))
    if all(_is_shown(standing, spec) for standing in standings if _counts(standing)):
        words = (
            f"green is shown not to be {spec.not_worse_than:g} times as bad as blue: {_standing(standings)}"
        )
        return passed(NAME, words, numbers=_numbers(standings))
    words = f"no evidence against green: {_standing(standings)}"
    if spec.inconclusive is Inconclusive.HOLD:
        clears = f"green is shown not to be {spec.not_worse_than:g} times as bad"
        return hold(NAME, words, clears_when=clears, numbers=_numbers(standings))
    return passed(NAME, words, numbers=_numbers(standings))


def _lacking(spec: CompareSpec, scene: Scene, standings: Sequence[Standing]) -> tuple[str, str] | None:
    """What is missing for a comparison at this weight, and what would clear it; None: there is one."""
    if not scene.intervals:
        return "waits for CloudWatch's first whole period at this weight", "CloudWatch has one"
    newest = scene.intervals[-1]
    for colour in Colour:
        if not _has_requests(newest.of(colour)):
            words = f"no request reached {colour} in the period from {newest.start:%H:%M:%S}Z"
            return words, f"requests reach {colour}"
    if not any(standing.at_weight for standing in standings):
        words = f"green's first {spec.warm_up} whole periods are its warm-up and are not compared"
        return words, "a whole period after its warm-up was measured"
    return None


def _has_requests(counts: Counts | None) -> bool:
    return counts is not None and counts.requests > 0


def _counts(standing: Standing) -> bool:
    """Latency alone never promotes: what fails fast looks fast."""
    return standing.name is not StreamName.SLOW


def _is_shown(standing: Standing, spec: CompareSpec) -> bool:
    is_enough = standing.at_weight >= INTERVALS_LEAST and standing.green_at_weight >= spec.requests
    return is_enough and max(standing.log_not_worse, standing.log_below) >= spec.proof


def _worse(standing: Standing, spec: CompareSpec) -> str:
    chance = math.exp(min(standing.log_e, math.log(RATIO_SHOWN_MAX)))
    return (
        f"green is worse than blue in {_word(standing.name)}: {_rates(standing)} since traffic began; "
        f"evidence {chance:,.0f} to 1, and {math.exp(spec.threshold):,.0f} to 1 is enough"
    )


def _standing(standings: Sequence[Standing]) -> str:
    rates = [f"{_word(one.name)} {_rates(one)}" for one in standings if one.green_requests]
    return "; ".join(rates) or "nothing was compared yet"


def _word(name: StreamName) -> str:
    return name.value.replace("_", " ")


def _rates(standing: Standing) -> str:
    return (
        f"{_rate(standing.green_events, standing.green_requests)} on green, "
        f"{_rate(standing.blue_events, standing.blue_requests)} on blue"
    )


def _rate(events: int, requests: int) -> str:
    return f"{events} of {requests} ({events / requests:.2%})" if requests else "no requests"


def _numbers(standings: Sequence[Standing]) -> dict[str, float]:
    return {f"{one.name}_log_e": round(one.log_e, 6) for one in standings}


COMPARE = Gate(
    name=NAME,
    usual=CompareSpec(),
    is_on=lambda spec: spec.on,
    judge=judge,
    judges_intervals=True,
    is_named_last=True,
)
