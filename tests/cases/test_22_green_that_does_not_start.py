"""A green that does not start, or does not stay up: seen at once, told in ECS's own words, and taken back."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.gates.guard import GuardSpec
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.rollout.rollout import HoldKind
from orchestrator.core.rollout.spec import Limits
from sandbox.scenarios.scenery import until_steady
from tests.cases.looks import green_of, groups_of, live_services, reason_of, tasks_of
from tests.support.rehearsal import Rehearsal

NO_IMAGE = "CannotPullContainerError: pull image manifest has been retried 5 time(s): not found"
NO_SECRET = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed"
NO_LOG = "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times"


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal(requests_per_second=20) as rehearsal:
        yield rehearsal


def is_taken_back_without_traffic(stage: Rehearsal, rollout: RolloutId) -> None:
    assert stage.row(rollout).phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert not stage.events(rollout, EventKind.STEP_STARTED)
    assert (groups_of(stage), live_services(stage)) == ([stage.scenery.target_group], ["checkout"])


def test_case_22_no_place_for_greens_tasks_is_told_in_the_words_of_ecs_and_waited_for(
    stage: Rehearsal,
) -> None:
    """Capacity may come: as soon as it does the rollout goes on by itself."""
    rollout = stage.start(stage.spec(stage.revision()))
    stage.world.capacity.limit = 4  # blue has three tasks
    stage.until(rollout, Phase.PROVISIONING)
    stage.let_run(stage.world.minute)
    row = stage.row(rollout)
    assert row.phase is Phase.PROVISIONING
    assert "1 of 3 tasks run; ECS says: " in row.waiting.waiting_for
    assert "was unable to place a task. Reason: Capacity is unavailable" in row.waiting.waiting_for
    stage.world.capacity.limit = None
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)


def test_case_22_no_place_until_the_limit_takes_green_back_with_that_reason(stage: Rehearsal) -> None:
    """`limits.provision` bounds the waiting."""
    limits = Limits(provision=timedelta(minutes=2))
    rollout = stage.start(stage.spec(stage.revision(), limits=limits))
    stage.world.capacity.limit = 4
    stage.until(rollout)
    assert "green was not ready within 2 min" in reason_of(stage, rollout)
    assert "unable to place a task" in reason_of(stage, rollout)
    is_taken_back_without_traffic(stage, rollout)


@pytest.mark.parametrize("why", [NO_IMAGE, NO_SECRET, NO_LOG], ids=["image", "secret", "log group"])
def test_case_23_two_tasks_that_cannot_fetch_what_they_need_are_enough_and_the_reason_is_kept(
    stage: Rehearsal, why: str
) -> None:
    """It will not get better by trying. ECS forgets stopped tasks within the hour; the log keeps what they said."""
    revision = stage.revision()
    stage.world.behaviour.start_failures["checkout:2"] = why
    rollout = stage.start(stage.spec(revision))
    began = stage.world.now
    stage.until(rollout)
    assert why in reason_of(stage, rollout)
    is_taken_back_without_traffic(stage, rollout)
    stops = stage.events(rollout, EventKind.TASK_STOPPED)
    assert 2 <= len(stops) <= 4
    assert all(f"a task of green stopped: {why}" in seen.event.message for seen in stops)
    (decided,) = stage.events(rollout, EventKind.ROLLBACK_DECIDED)
    assert decided.event.at - began < timedelta(minutes=1)


@pytest.mark.parametrize("after", [5, 20], ids=["at once", "once it has traffic"])
def test_case_24_tasks_that_pass_their_checks_and_die_again_and_again_take_green_back(
    stage: Rehearsal, after: int
) -> None:
    """More than two such ends within ten minutes: not ready, however many run at this moment; or FAIL with traffic."""
    revision = stage.revision({"TEAL_DEMO_CRASH_AFTER": str(after)})
    gates = GatesSpec(guard=GuardSpec(on=False))
    rollout = stage.start(stage.spec(revision, gates=gates))
    stage.until(rollout)
    assert stage.row(rollout).phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert "tasks stopped" in reason_of(stage, rollout)
    assert len(stage.events(rollout, EventKind.TASK_STOPPED)) >= 3
    assert bool(stage.events(rollout, EventKind.STEP_STARTED)) is (after == 20)


@pytest.mark.parametrize("is_paused", [True, False], ids=["before traffic", "once it has traffic"])
def test_case_24_tasks_that_fail_their_health_checks_again_and_again_take_green_back(
    stage: Rehearsal, *, is_paused: bool
) -> None:
    """ECS's scheduler replaces them, with the code of one that is scaled in; at most looks all are healthy."""
    gates = GatesSpec(guard=GuardSpec(on=False))
    rollout = stage.start(stage.spec(stage.revision({"TEAL_DEMO_FLAP": "30"}), gates=gates))
    if is_paused:
        stage.until(rollout, Phase.PROVISIONING)
        stage.command(rollout, CommandKind.PAUSE)
    stage.until(rollout)
    assert stage.row(rollout).phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert "tasks stopped" in reason_of(stage, rollout)
    assert "Task failed ELB health checks in (target-group" in reason_of(stage, rollout)
    stops = stage.events(rollout, EventKind.TASK_STOPPED)
    assert {dict(seen.event.facts)["code"] for seen in stops} == {"ServiceSchedulerInitiated"}
    assert bool(stage.events(rollout, EventKind.STEP_STARTED)) is not is_paused


def test_case_25_ecs_that_gives_up_on_green_is_believed_at_once(stage: Rehearsal) -> None:
    """Its circuit breaker opens after three failed tasks and starts no more; ECS's reason is Teal's."""
    rollout = stage.start(stage.spec(stage.revision({"TEAL_DEMO_UNHEALTHY": "1"})))
    stage.until(rollout)
    is_taken_back_without_traffic(stage, rollout)
    reason = reason_of(stage, rollout)
    assert "green does not start: ECS deployment circuit breaker: tasks failed to start" in reason
    (decided,) = stage.events(rollout, EventKind.ROLLBACK_DECIDED)
    taken = decided.event.at - stage.events(rollout)[0].event.at
    assert taken < stage.row(rollout).spec.limits.provision


@pytest.mark.parametrize(
    ("reason", "hint"),
    [
        ("Target.Timeout", "let the load balancer's security group reach the port of the tasks"),
        ("Target.ResponseCodeMismatch", "see its path and its matcher"),
    ],
)
def test_case_26_targets_that_are_all_unhealthy_are_told_with_what_to_look_at(
    stage: Rehearsal, reason: str, hint: str
) -> None:
    """The load balancer's reason says where to look: the security group, or the health check's path and matcher."""
    stage.world.behaviour.unhealthy_reason = reason
    revision = stage.revision({"TEAL_DEMO_UNHEALTHY": "1"})
    rollout = stage.start(stage.spec(revision, limits=Limits(provision=timedelta(seconds=25))))
    stage.until(rollout)
    told = reason_of(stage, rollout)
    assert f"0 of 3 targets are healthy ({reason})" in told
    assert hint in told
    is_taken_back_without_traffic(stage, rollout)


def test_case_26_tasks_in_a_zone_that_the_load_balancer_does_not_have_end_it_with_the_subnets(
    stage: Rehearsal,
) -> None:
    """Such targets are never used, however long they are waited for: the zone and the service's subnets are named."""
    subnets = ["subnet-0aaa", "subnet-0bbb", "subnet-0ccc"]
    network = {"awsvpcConfiguration": {"subnets": subnets, "securityGroups": ["sg-0123"]}}
    stage.world.call(
        "ecs", "UpdateService", {"cluster": "prod", "service": "checkout", "networkConfiguration": network}
    )
    until_steady(stage.world, stage.scenery)
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout)
    is_taken_back_without_traffic(stage, rollout)
    told = reason_of(stage, rollout)
    assert "green has tasks in eu-west-1c (its subnets: subnet-0aaa, subnet-0bbb, subnet-0ccc)" in told
    assert "not enabled for load balancer prod-lb" in told


def test_case_28_tasks_that_aws_takes_away_hold_the_step_and_are_not_held_against_green(
    stage: Rehearsal,
) -> None:
    """Three interrupted Spot tasks would be flapping if they were green's own doing: the step waits for new ones."""
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.SHIFTING)
    stage.let_run(stage.world.minute / 2)
    for _ in range(2):
        for task in tasks_of(stage, green_of(stage, rollout))[:2]:
            stage.world.interrupt(task)
        stage.let_run(0.4 * stage.world.minute)
        row = stage.row(rollout)
        assert (row.phase, row.progress.step) == (Phase.SHIFTING, 0), stage.story(rollout)
        assert any(hold.kind is HoldKind.CAPACITY for hold in row.waiting.holds), row.waiting.holds
        stage.let_run(stage.world.minute)
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    stops = [seen.event.message for seen in stage.events(rollout, EventKind.TASK_STOPPED)]
    assert stops == ["a task of green stopped: Your Spot Task was interrupted."] * 4
