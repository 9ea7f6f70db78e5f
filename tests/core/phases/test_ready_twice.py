"""What people are told of a colour that does not get ready: what it lacks, not the number of its deployment."""

from datetime import timedelta

from orchestrator.core.cloud.readiness import not_ready
from orchestrator.core.cloud.resources import Absent, ServiceSeen, StopSeen, TargetsSeen
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.rollout import HoldKind
from tests.builders import BLUE_GROUP, NOON, RULE, SCALED_IN, WANTED, good_deployment
from tests.core.stages import GREEN_GROUP, GREEN_NAME, at, baked, row, seen_of, service, settling

NO_ROOM = "(service checkout) was unable to place a task. Reason: Capacity is unavailable at this time."


def starting(running: int, last_event: str = "(service checkout) has started 3 tasks.") -> ServiceSeen:
    deployment = good_deployment(
        task_definition=WANTED, rollout_state="IN_PROGRESS", reason="ecs-svc/1 in progress."
    )
    return service("checkout", WANTED, deployments=(deployment,), running=running, last_event=last_event)


def why(seen: ServiceSeen, healthy: int = 3, *reasons: str) -> str:
    targets = [TargetsSeen(healthy=healthy, reasons=reasons)]
    return not_ready(seen, WANTED, targets, now=NOON, quiet=timedelta(seconds=15))


def test_colour_without_room_is_told_in_the_words_of_ecs() -> None:
    assert why(starting(0, NO_ROOM), 0) == f"checkout starts: 0 of 3 tasks run; ECS says: {NO_ROOM}"


def test_colour_whose_tasks_still_start_is_told_by_their_number() -> None:
    assert why(starting(1), 0) == "checkout starts: 1 of 3 tasks run"


def test_colour_whose_tasks_are_never_healthy_is_told_with_the_load_balancers_reason() -> None:
    told = why(starting(3), 0, "Target.ResponseCodeMismatch")
    assert (
        told == "checkout starts: 3 of 3 tasks run; 0 of 3 targets are healthy (Target.ResponseCodeMismatch)"
    )


def test_colour_that_ecs_has_not_declared_complete_is_not_ready_however_healthy() -> None:
    assert why(starting(3)) == "checkout starts: 3 of 3 tasks run"


def test_blue_whose_tasks_die_on_the_new_revision_holds_and_calls_people_while_green_serves() -> None:
    known = settling()
    stops = tuple(
        StopSeen(
            task=f"task/{n}",
            task_definition=WANTED,
            at=NOON - timedelta(minutes=n),
            code="EssentialContainerExited",
            reason="Essential container in task exited",
        )
        for n in range(3)
    )
    by_ecs = StopSeen(
        task="task/9", task_definition=WANTED, at=NOON, code="ServiceSchedulerInitiated", reason=SCALED_IN
    )
    stops = (by_ecs, *stops)
    seen = service("checkout", WANTED, deployments=starting(0).deployments, running=0, stops=stops)
    targets = {BLUE_GROUP: TargetsSeen(healthy=0), GREEN_GROUP: TargetsSeen(healthy=3)}
    decision = at(known, seen_of(known, blue=seen, targets=targets))
    words = "blue does not start on checkout:43: 3 tasks stopped, last: Essential container in task exited"
    assert [(hold.kind, hold.reason) for hold in decision.rollout.waiting.holds] == [(HoldKind.BLUE, words)]
    paged = [event.message for event in decision.events if event.kind is EventKind.PAGED]
    assert paged == [f"{words}; green serves everybody. Fix what stops them, or `teal rollback {known.id}`"]
    assert decision.effects == ()


def test_green_that_ecs_gave_up_on_is_told_with_what_its_last_task_said() -> None:
    known = row(Phase.PROVISIONING, weight=0)
    gave_up = good_deployment(task_definition=WANTED, rollout_state="FAILED", reason="tasks failed to start.")
    stop = StopSeen(
        task="task/1", task_definition=WANTED, at=NOON, code="EssentialContainerExited", reason="exit code 1"
    )
    green = service(
        GREEN_NAME, WANTED, deployments=(gave_up,), stops=(stop,), tags={"teal:rollout": known.id}
    )
    decision = at(known, seen_of(known, green=green))
    assert decision.rollout.phase is Phase.ROLLING_BACK
    assert decision.rollout.end is not None
    assert (
        decision.rollout.end.reason
        == "green does not start: tasks failed to start; its last task: exit code 1"
    )


def test_green_whose_rule_somebody_deleted_holds_for_that_and_not_for_ill_targets() -> None:
    known = baked()
    unused = TargetsSeen(unused=3, reasons=("Target.NotInUse",))
    targets = {BLUE_GROUP: TargetsSeen(healthy=3), GREEN_GROUP: unused}
    decision = at(known, seen_of(known, rules={RULE: Absent()}, targets=targets))
    assert decision.rollout.phase is Phase.SHIFTING
    assert decision.rollout.waiting.holds[0].reason.endswith("does not exist any more")
