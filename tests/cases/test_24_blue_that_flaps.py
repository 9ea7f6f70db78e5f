"""Case 24 the other way: blue on the new revision passes its checks, fails them and is replaced, while green serves."""

from datetime import timedelta

from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.phases import Phase
from orchestrator.core.gates.guard import GuardSpec
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.rollout.rollout import HoldKind
from tests.cases.looks import tasks_of
from tests.support.rehearsal import Rehearsal


def test_case_24_blue_that_flaps_in_settling_holds_and_calls_people_after_three_tasks() -> None:
    with Rehearsal(requests_per_second=20) as stage:
        gates = GatesSpec(guard=GuardSpec(on=False))
        rollout = stage.start(stage.spec(stage.revision(), gates=gates))
        stage.until(rollout, Phase.SETTLING)
        flapping: set[str] = set()
        began = stage.world.now
        while not stage.events(rollout, EventKind.PAGED):
            assert stage.world.now < began + timedelta(minutes=5), stage.story(rollout)
            assert stage.row(rollout).phase is Phase.SETTLING, stage.story(rollout)
            stage.let_run(timedelta(seconds=5))
            are_told = len(stage.events(rollout, EventKind.TASK_STOPPED)) == len(flapping)
            if stage.row(rollout).handover.is_homeward and are_told:
                (task, *_) = tasks_of(stage)
                stage.world.virtual_tasks.change(task, never_healthy=True)
                flapping.add(task)
        row = stage.row(rollout)
        (hold,) = [h for h in row.waiting.holds if h.kind in (HoldKind.FAILED, HoldKind.BLUE)]
        assert "3 of blue's tasks stopped within 10 minutes: Task failed ELB health checks in" in hold.reason
        assert len(stage.events(rollout, EventKind.TASK_STOPPED)) == 3
        assert row.green_weight > 0, "green serves on"
