"""Case 13: what green gets beside its written weight, by what was measured."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import Plan, Step
from orchestrator.engine.views.rollout import RolloutView, view
from tests.cases.rule_stage import LIFE, make_sticky
from tests.support.rehearsal import Rehearsal

PLAN = Plan(
    name="custom",
    steps=(
        Step(weight=Tenths(300), bake=timedelta(seconds=60)),
        Step(weight=Tenths(1000), bake=timedelta(seconds=30)),
    ),
)


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal(requests_per_second=60) as rehearsal:
        yield rehearsal


def shown(stage: Rehearsal) -> tuple[RolloutView, str]:
    """The rollout as doors show it at the end of its first step, and what is said as the step passes."""
    rollout = stage.start(stage.spec(stage.revision(), plan=PLAN))
    stage.until(rollout, Phase.SHIFTING)
    seen = view(stage.run(stage.store.load(rollout)))
    while not stage.events(rollout, EventKind.STEP_PASSED):
        seen = view(stage.run(stage.store.load(rollout)))
        stage.let_run(timedelta(seconds=1))
    return seen, stage.events(rollout, EventKind.STEP_PASSED)[0].event.message


def test_case_13_a_share_within_chance_of_its_weight_says_nothing_of_cookies(stage: Rehearsal) -> None:
    seen, passed = shown(stage)
    assert seen.measured_percent == pytest.approx(30, abs=8)
    assert (seen.share_differs, passed) == ("", "step 1 passed")


def test_case_13_a_share_that_cookies_keep_off_its_weight_names_them(stage: Rehearsal) -> None:
    make_sticky(stage)
    stage.let_run(timedelta(seconds=LIFE))
    seen, passed = shown(stage)
    assert seen.measured_percent is not None
    assert seen.measured_percent < 15
    assert seen.share_differs.startswith("cookies keep users where they were: blue got")
    assert "cookies keep users where they were" in passed


def test_case_13_a_share_that_is_off_without_cookies_names_connections_that_live_on(stage: Rehearsal) -> None:
    stage.traffic.clinging = 0.8
    stage.let_run(2 * stage.world.minute)
    seen, passed = shown(stage)
    assert seen.measured_percent is not None
    assert seen.measured_percent < 20
    assert "connections that live on (keep-alive, WebSockets)" in seen.share_differs
    assert "connections that live on" in passed
    assert "cookies keep" not in passed
