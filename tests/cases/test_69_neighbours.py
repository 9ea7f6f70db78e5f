"""Case 69: another service behind the same load balancer fails, which is nobody's business here."""

from datetime import timedelta

import pytest

from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from tests.cases.rule_stage import call, foreign_group
from tests.support.rehearsal import Rehearsal
from tests.support.virtual_traffic import VirtualTraffic


def ended(stage: Rehearsal) -> tuple[RolloutId, timedelta]:
    """A rollout at its end, and how long it took."""
    began = stage.clock.now()
    rollout = stage.start(stage.spec(stage.revision()))
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    return rollout, stage.clock.now() - began


@pytest.mark.long
def test_case_69_the_503_of_a_neighbour_on_the_same_load_balancer_holds_nothing() -> None:
    """Its target group is empty, so the load balancer answers 503 all the time, under its own name."""
    with Rehearsal() as alone:
        _, usual = ended(alone)
    with Rehearsal() as stage:
        call(
            stage,
            "CreateRule",
            ListenerArn=stage.scenery.listeners[0],
            Priority=5,
            Conditions=[{"Field": "path-pattern", "Values": ["/search/*"]}],
            Actions=[{"Type": "forward", "TargetGroupArn": foreign_group(stage)}],
        )
        neighbour = VirtualTraffic(stage.world, stage.scenery.listeners[0], 200, path="/search/x")
        stage.let_run(3 * stage.world.minute)
        rollout, lasted = ended(stage)
        assert neighbour.totals.rejected > 10_000
        assert lasted <= usual + stage.world.minute
        assert not [e for e in stage.events(rollout, EventKind.HELD) if "503" in e.event.message]
