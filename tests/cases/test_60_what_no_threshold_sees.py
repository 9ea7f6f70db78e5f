"""Cases 60, 61 and 68: harm that errors of green alone do not show."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import Plan, Step
from orchestrator.core.gates.alarms import AlarmsSpec
from orchestrator.core.gates.compare import CompareSpec
from orchestrator.core.gates.guard import GuardSpec
from orchestrator.core.gates.registry import GatesSpec
from tests.support.rehearsal import Rehearsal

STEPS = (
    Step(weight=Tenths(50), bake=timedelta(seconds=60)),
    Step(weight=Tenths(300), bake=timedelta(seconds=120)),
    Step(weight=Tenths(1000), bake=timedelta(seconds=30)),
)
PLAN = Plan(name="custom", steps=STEPS)
ALONE = GatesSpec(guard=GuardSpec(on=False), alarms=AlarmsSpec(), compare=CompareSpec(warm_up=0))


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal(requests_per_second=200) as rehearsal:
        yield rehearsal


def ended(stage: Rehearsal, conduct: dict[str, str]) -> str:
    """Why a rollout to a revision that behaves so was taken back."""
    rollout = stage.start(stage.spec(stage.revision(conduct), plan=PLAN, gates=ALONE))
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert row.end is not None
    return row.end.reason


def test_case_60_green_that_exhausts_what_both_share_is_convicted_by_taking_its_growth_back(
    stage: Rehearsal,
) -> None:
    """Both colours fail once green has a fifth of the traffic: no comparison can tell that from an outage."""
    revision = stage.revision({"TEAL_DEMO_ERROR_SHARED": "0.4", "TEAL_DEMO_SHARED_ABOVE": "0.2"})
    rollout = stage.start(stage.spec(revision, plan=PLAN, gates=ALONE))
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert row.end is not None
    assert "recovered with green at 5 %" in row.end.reason, stage.story(rollout)
    assert stage.events(rollout, EventKind.INTERVENTION_BEGUN)


def test_case_68_a_green_that_leaves_requests_unanswered_is_seen_by_what_is_missing(stage: Rehearsal) -> None:
    assert "worse than blue in unanswered" in ended(stage, {"TEAL_DEMO_UNANSWERED": "0.3"})


def test_case_68_broken_authentication_is_seen_in_the_share_of_4xx(stage: Rehearsal) -> None:
    conduct = {"TEAL_DEMO_ERROR_RATE": "0.3", "TEAL_DEMO_ERROR_STATUS": "401"}
    assert "worse than blue in client errors" in ended(stage, conduct)
