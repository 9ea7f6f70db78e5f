"""Gate `probe`: what an answer must be, when it decides, and what it could have missed."""

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.core.cloud.probes_and_webhooks import ProbeAnswer, ProbeSeen
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.verdict import Answer, Verdict
from orchestrator.core.gates import probe
from orchestrator.core.gates.gathered import Batch, Probed
from orchestrator.core.gates.probe import ProbeSpec
from tests.builders import NOON
from tests.core.gates.scenes import scene

SPEC = ProbeSpec(url="https://test.internal", latency=timedelta(milliseconds=800), warm_up=0)
GOOD = ProbeAnswer(path="/", status=200, seconds=0.02)


def probed(answered: int = 0, failed: int = 0, **changes: object) -> Probed:
    made = Probed(since=NOON, answered=answered, failed=failed)
    return replace(made, **changes)  # type: ignore[arg-type]  # replace checks the names itself


def judged(spec: ProbeSpec, known: Probed | None) -> Answer:
    """The answer before any user met green."""
    return probe.judge(spec, scene(phase=Phase.PROVISIONING, probed=known))


def added(*answers: ProbeAnswer, was: Probed | None = None, spec: ProbeSpec = SPEC) -> Probed:
    """What was known, with one batch of these answers more."""
    known = was or probed()
    is_warm_up = known.warmed < spec.warm_up
    batch = Batch(number=known.batches + 1, first=0, count=len(answers), is_warm_up=is_warm_up)
    return probe.add(spec, replace(known, batch=batch), batch, ProbeSeen(key="key", answers=answers))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (GOOD, ""),
        (replace(GOOD, status=299), ""),
        (replace(GOOD, seconds=0.8), ""),
        (replace(GOOD, seconds=0.81), "/ answered later than 800 ms"),
        (replace(GOOD, status=500), "/ answered 500, not 200-299"),
        (replace(GOOD, status=302), "/ answered 302, not 200-299"),
        (replace(GOOD, has_text=False), "/ answered 200 without the text that is expected"),
        (ProbeAnswer(path="/a", trouble="no answer within 5 s"), "/a: no answer within 5 s"),
    ],
)
def test_an_answer_is_right_or_it_is_said_what_is_wrong(answer: ProbeAnswer, words: str) -> None:
    assert probe.wrong(SPEC, answer) == words


@pytest.mark.parametrize(
    ("known", "verdict", "words"),
    [
        (None, Verdict.HOLD, "no request was sent yet"),
        (probed(0), Verdict.HOLD, "0 of 150 requests were answered, 0 of them wrongly"),
        (probed(149), Verdict.HOLD, "149 of 150 requests were answered"),
        (
            probed(150),
            Verdict.PASS,
            "150 good answers: a green that fails more than 2 % would have been found",
        ),
        (probed(3, 1), Verdict.FAIL, "1 of 3 answers was wrong"),
        (probed(150, 1), Verdict.FAIL, "1 of 150 answers was wrong"),
        (probed(20, trouble="no way there"), Verdict.HOLD, "green could not be asked: no way there"),
        (probed(150, trouble="no way there"), Verdict.PASS, "150 good answers"),
    ],
)
def test_it_fails_at_the_first_failure_too_many_and_passes_at_the_last_answer(
    known: Probed | None, verdict: Verdict, words: str
) -> None:
    answer = judged(SPEC, known)
    assert (answer.verdict, words in answer.reason) == (verdict, True), answer.reason


def test_allowed_failures_are_allowed_and_told() -> None:
    spec = replace(SPEC, max_failures=2)
    answer = judged(spec, probed(150, 2))
    assert answer.verdict is Verdict.PASS
    assert answer.reason.startswith("148 good answers and 2 wrong: a green that fails more than 4.2 %")
    assert judged(spec, probed(150, 3)).verdict is Verdict.FAIL


@pytest.mark.parametrize(("answered", "failed"), [(0, 0), (150, 0), (150, 150)])
def test_once_users_meet_green_it_has_nothing_to_say(answered: int, failed: int) -> None:
    answer = probe.judge(SPEC, scene(probed=probed(answered, failed)))
    assert answer.verdict is Verdict.NOT_APPLICABLE


@pytest.mark.parametrize(("failed", "events"), [(0, 2.996), (1, 4.744), (2, 6.296), (5, 10.513)])
def test_what_could_be_missed_is_the_upper_bound_of_a_poisson_mean(failed: int, events: float) -> None:
    assert probe.could_have_missed(1000, failed) * 1000 == pytest.approx(events, abs=0.001)


def test_without_answers_everything_could_be_missed() -> None:
    assert probe.could_have_missed(0, 0) == 1.0


def test_the_first_requests_warm_green_up_and_are_not_judged() -> None:
    spec = replace(SPEC, warm_up=2)
    bad = replace(GOOD, status=500)
    known = added(bad, bad, spec=spec)
    assert (known.warmed, known.answered, known.failed) == (2, 0, 0)
    known = added(bad, was=known, spec=spec)
    assert (known.answered, known.failed) == (1, 1)


def test_batches_are_as_long_as_the_rate_allows_and_no_longer_than_what_is_left() -> None:
    spec = ProbeSpec(url="https://a.b", warm_up=20, count=50, rate=10)
    first = probe.next_batch(spec, probed())
    assert first == Batch(number=1, first=0, count=20, is_warm_up=True)
    second = probe.next_batch(spec, probed(warmed=20, batches=1))
    assert second == Batch(number=2, first=0, count=30, is_warm_up=False)
    third = probe.next_batch(spec, probed(30, warmed=20, batches=2))
    assert third == Batch(number=3, first=30, count=20, is_warm_up=False)
    assert probe.next_batch(spec, probed(50, warmed=20)) is None
    assert probe.next_batch(spec, probed(10, 1, warmed=20)) is None


def test_the_kinds_of_failures_are_few_and_counted() -> None:
    answers = [replace(GOOD, path=f"/{n}", status=500) for n in range(10)]
    known = added(*answers, replace(GOOD, path="/0", status=500))
    assert known.failed == 11
    assert len(known.samples) == probe.SAMPLES_MAX
    assert dict(known.samples)["/0 answered 500, not 200-299"] == 2


def test_latencies_are_counted_and_the_slowest_is_kept() -> None:
    known = added(GOOD, replace(GOOD, seconds=0.3), replace(GOOD, seconds=7.0))
    assert sum(known.latencies) == 3
    assert known.latencies[-1] == 1
    assert known.slowest == timedelta(seconds=7)


def test_what_was_not_sent_is_not_counted_and_is_told() -> None:
    batch = Batch(number=1, first=0, count=5, is_warm_up=False)
    seen = ProbeSeen(key="key", answers=(GOOD,), unsent=4, why="its name cannot be resolved")
    known = probe.add(SPEC, probed(batch=batch), batch, seen)
    assert (known.answered, known.trouble) == (1, "its name cannot be resolved")
    known = added(GOOD, was=known)
    assert known.trouble == ""
