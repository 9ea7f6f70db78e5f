"""Whose doing a stopped task was: by ECS's code, and where its scheduler stopped it by what it says."""

import pytest

from orchestrator.core.cloud.resources import StopSeen
from orchestrator.core.cloud.stop_causes import Cause, cause_of
from tests.builders import FAILED_CHECKS, NOON, SCALED_IN, WANTED


@pytest.mark.parametrize(
    ("code", "reason", "cause"),
    [
        ("TaskFailedToStart", "CannotPullContainerError: no such image", Cause.OWN),
        ("EssentialContainerExited", "Essential container in task exited", Cause.OWN),
        ("", "", Cause.OWN),
        ("UserInitiated", "Task stopped by user", Cause.CHOSEN),
        ("SpotInterruption", "Your Spot Task was interrupted.", Cause.MACHINE),
        ("ServiceSchedulerInitiated", SCALED_IN, Cause.CHOSEN),
        ("ServiceSchedulerInitiated", f"{SCALED_IN}; app: exit code 137", Cause.CHOSEN),
        ("ServiceSchedulerInitiated", FAILED_CHECKS, Cause.OWN),
        ("ServiceSchedulerInitiated", "Task failed ELB health checks in (elb checkout)", Cause.OWN),
        ("ServiceSchedulerInitiated", "Task failed container health checks", Cause.OWN),
        ("ServiceSchedulerInitiated", "Task failed container health checks; app: exit code 143", Cause.OWN),
        ("ServiceSchedulerInitiated", "has stopped 1 running tasks due to AZ rebalancing", Cause.CHOSEN),
        (
            "ServiceSchedulerInitiated",
            "ECS is performing maintenance on the underlying infrastructure hosting the task.",
            Cause.MACHINE,
        ),
        ("ServiceSchedulerInitiated", "Host EC2 (instance i-0abc) terminated.", Cause.MACHINE),
        ("ServiceSchedulerInitiated", "Something new", Cause.UNKNOWN),
        ("ServiceSchedulerInitiated", "", Cause.UNKNOWN),
    ],
)
def test_a_stop_is_judged_by_its_reason_where_its_code_says_no_more_than_that_ecs_did_it(
    code: str, reason: str, cause: Cause
) -> None:
    assert cause_of(StopSeen(task="t", task_definition=WANTED, at=NOON, code=code, reason=reason)) is cause
