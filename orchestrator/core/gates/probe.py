"""Gate ``probe``: does green answer Teal's own requests well, before any user reaches it?

The requests go through the test rules (`traffic.test_rules`), which point at green once it is healthy. It is the only
gate that costs no user anything: a green that fails everything, or one request in fifty, is caught here. The first
requests warm green up and are not judged; those that follow are counted. A request that never got as far as a
connection says nothing of green: it holds. So does a listener that cannot be reached from where Teal runs.
"""

import math
from dataclasses import dataclass, replace
from datetime import timedelta

from orchestrator.core.cloud.probes_and_webhooks import Pairs, ProbeAnswer, ProbeSeen
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.text import counted
from orchestrator.core.domain.verdict import Answer, fail, hold, not_applicable, passed
from orchestrator.core.gates.gate import Gate
from orchestrator.core.gates.gathered import BOUNDS_MS, Batch, Probed
from orchestrator.core.gates.scene import Scene

NAME = "probe"
BATCH_SPAN = timedelta(
    seconds=3
)  # of one batch, so that a tick with its requests ends well within its deadline
BATCH_MAX = 100
SAMPLES_MAX = 5
MISSED_BY = 0.05  # the share that is named would have stayed hidden with this chance at most


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSpec:
    """Settings of ``gates.probe``. ``url`` empty: nothing is probed."""

    url: str = ""
    paths: tuple[str, ...] = ("/",)
    method: str = "GET"
    headers: Pairs = ()
    body: str = ""
    statuses: tuple[tuple[int, int], ...] = ((200, 299),)  # from and to, both included
    contains: str = ""
    latency: timedelta | None = None  # an answer that takes longer is wrong
    timeout: timedelta = timedelta(seconds=5)
    count: int = 150
    rate: float = 10.0  # requests a second
    max_failures: int = 0
    warm_up: int = 20  # requests before those that are judged
    verify: bool = True

    @property
    def on(self) -> bool:
        """True where something is probed."""
        return bool(self.url)


def is_over(spec: ProbeSpec, probed: Probed) -> bool:
    """True once there is nothing more to send: enough answers, or more failures than are allowed."""
    return probed.answered >= spec.count or probed.failed > spec.max_failures


def is_warm(spec: ProbeSpec, probed: Probed | None) -> bool:
    """True if green was warmed up by a probe that it passed."""
    return probed is not None and probed.answered >= max(spec.count, 1) and probed.failed <= spec.max_failures


def next_batch(spec: ProbeSpec, probed: Probed) -> Batch | None:
    """The requests to send next; None once there is nothing more to send."""
    if is_over(spec, probed):
        return None
    most = min(BATCH_MAX, max(1, int(spec.rate * BATCH_SPAN.total_seconds())))
    left = spec.warm_up - probed.warmed
    is_warm_up = left > 0
    return Batch(
        number=probed.batches + 1,
        first=probed.warmed if is_warm_up else probed.answered,
        count=min(most, left if is_warm_up else spec.count - probed.answered),
        is_warm_up=is_warm_up,
    )


def wrong(spec: ProbeSpec, answer: ProbeAnswer) -> str:
    """What is wrong with one answer, in words; empty if it is as the file expects."""
    if answer.trouble:
        return f"{answer.path}: {answer.trouble}"
    if not any(low <= answer.status <= high for low, high in spec.statuses):
        return f"{answer.path} answered {answer.status}, not {statuses_text(spec.statuses)}"
    if not answer.has_text:
        return f"{answer.path} answered {answer.status} without the text that is expected"
    if spec.latency is not None and answer.seconds > spec.latency.total_seconds():
        return f"{answer.path} answered later than {_ms(spec.latency)}"
    return ""


def add(spec: ProbeSpec, probed: Probed, batch: Batch, seen: ProbeSeen) -> Probed:
    """What probing has shown, with this batch more. What could not be sent is not counted: it is sent later."""
    probed = replace(probed, batch=None, batches=batch.number, trouble=seen.why or "no request could be sent")
    if not seen.unsent:
        probed = replace(probed, trouble="")
    if batch.is_warm_up:
        return replace(probed, warmed=probed.warmed + len(seen.answers))
    reasons = [reason for answer in seen.answers if (reason := wrong(spec, answer))]
    samples = dict(probed.samples)
    for reason in reasons:
        if reason in samples or len(samples) < SAMPLES_MAX:
            samples[reason] = samples.get(reason, 0) + 1
    latencies = list(probed.latencies)
    times = [answer.seconds for answer in seen.answers if answer.status]
    for seconds in times:
        latencies[sum(1 for bound in BOUNDS_MS if seconds * 1000 > bound)] += 1
    return replace(
        probed,
        answered=probed.answered + len(seen.answers),
        failed=probed.failed + len(reasons),
        samples=tuple(samples.items()),
        latencies=tuple(latencies),
        slowest=max([probed.slowest, *(timedelta(seconds=seconds) for seconds in times)]),
    )


def could_have_missed(answered: int, failed: int) -> float:
    """The share of failures that a green may have and still show so few, with a chance of `MISSED_BY`.

    The upper bound of a Poisson mean: 3.0 events where none was seen (the rule of three), over the answers.
    """
    low, high = float(failed), failed + 10.0 + 4 * math.sqrt(failed + 1)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(failed, middle) > MISSED_BY else (low, middle)
    return min(1.0, high / answered) if answered else 1.0


def _at_most(events: int, mean: float) -> float:
    term = total = math.exp(-mean)
    for number in range(1, events + 1):
        term *= mean / number
        total += term
    return total


def judge(spec: ProbeSpec, scene: Scene) -> Answer:
    """The gate's answer by what was sent so far."""
    probed = scene.probed
    if scene.phase is not Phase.PROVISIONING:
        of = f": {_shown(probed)}" if probed is not None and probed.answered else ""
        return not_applicable(NAME, f"green is probed before users reach it{of}")
    if probed is None:
        return hold(NAME, "no request was sent yet", clears_when=f"{spec.count} requests were answered")
    numbers = {
        "answered": probed.answered,
        "failed": probed.failed,
        "slowest_ms": probed.slowest / timedelta(milliseconds=1),
    }
    if probed.failed > spec.max_failures:
        kinds = "; ".join(f"{reason} ({number} ×)" for reason, number in probed.samples)
        words = f"{probed.failed} of {counted(probed.answered, 'answer')} {'was' if probed.failed == 1 else 'were'}"
        return fail(NAME, f"{words} wrong: {kinds}", numbers=numbers)
    if probed.answered >= spec.count:
        missed = could_have_missed(probed.answered, probed.failed)
        return passed(NAME, _shown(probed), numbers={**numbers, "could_have_missed": missed})
    clears = f"{spec.count} requests were answered"
    if probed.trouble:
        return hold(NAME, f"green could not be asked: {probed.trouble}", clears_when=clears, numbers=numbers)
    if probed.warmed < spec.warm_up:
        words = f"{probed.warmed} of {spec.warm_up} requests that warm green up were answered"
    else:
        words = f"{probed.answered} of {spec.count} requests were answered, {probed.failed} of them wrongly"
    return hold(NAME, words, clears_when=clears, numbers=numbers)


def _shown(probed: Probed) -> str:
    """What so many answers show, and what share of failures they could have missed."""
    good = probed.answered - probed.failed
    share = could_have_missed(probed.answered, probed.failed)
    also = f" and {probed.failed} wrong" if probed.failed else ""
    return (
        f"{counted(good, 'good answer')}{also}: a green that fails more than {_percent(share)} "
        f"would have been found with {1 - MISSED_BY:.0%} (slowest {_ms(probed.slowest)})"
    )


def statuses_text(statuses: tuple[tuple[int, int], ...]) -> str:
    """Statuses as the file has them: ``200-299,304``."""
    return ",".join(f"{low}" if low == high else f"{low}-{high}" for low, high in statuses)


def progress_only(probed: Probed | None) -> bool:
    """True where a HOLD only says that requests are being sent: nothing is wrong, and nobody need look."""
    return probed is None or not probed.trouble


def unable(probed: Probed, batch: Batch, why: str) -> Probed:
    """Nothing of the batch could be sent; it is sent again."""
    return replace(probed, batch=None, batches=batch.number, trouble=why)


def _percent(share: float) -> str:
    return f"{share * 100:.2g} %"


def _ms(time: timedelta) -> str:
    return f"{round(time / timedelta(milliseconds=1))} ms"


PROBE = Gate(
    name=NAME,
    usual=ProbeSpec(),
    is_on=lambda spec: spec.on,
    judge=judge,
    judges_before_traffic=True,
    is_named_last=True,
)
