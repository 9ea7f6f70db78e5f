"""Readiness: everything that one look at a colour must show, and that it takes two of them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.cloud.readiness import cannot_take_all, not_ready
from orchestrator.core.cloud.resources import Absent, ServiceSeen, StopSeen, TargetsSeen, Unread
from orchestrator.core.cloud.stop_causes import own_stops
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.changes import changed
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from tests.builders import BLUE_GROUP, FAILED_CHECKS, FORMER, NOON, SCALED_IN, WANTED, good_deployment
from tests.core.stages import (
    GREEN_GROUP,
    GREEN_NAME,
    MINUTE,
    at,
    held,
    row,
    seen_of,
    service,
    settling,
    written,
)

QUIET = timedelta(seconds=15)
UNREAD = Unread(why="throttled")
SECOND = timedelta(seconds=1)
HEALTHY = (TargetsSeen(healthy=3),)


def green(**changes: Any) -> ServiceSeen:  # noqa: ANN401 - the fields of ServiceSeen
    return service(GREEN_NAME, WANTED, **changes)


def deployed(**changes: Any) -> ServiceSeen:  # noqa: ANN401 - the fields of DeploymentSeen
    return green(deployments=(good_deployment(task_definition=WANTED, **changes),))


def stopped(ago: timedelta, code: str = "EssentialContainerExited", **changes: Any) -> ServiceSeen:  # noqa: ANN401
    stop = StopSeen(task="task/1", task_definition=WANTED, at=NOON - ago, code=code, reason="exit 1")
    return green(stops=(replace(stop, **changes),))


def one_look(service: Any = None, targets: Any = HEALTHY) -> str:  # noqa: ANN401 - any look
    seen = green() if service is None else service
    return not_ready(seen, WANTED, targets, now=NOON, quiet=QUIET)


def test_a_steady_healthy_service_is_ready() -> None:
    assert one_look() == ""


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        pytest.param(UNREAD, "could not be read: throttled", id="unread"),
        pytest.param(Absent(), "does not exist", id="absent"),
        pytest.param(green(status="DRAINING"), "is DRAINING", id="draining"),
        pytest.param(green(status="INACTIVE"), "is INACTIVE", id="inactive"),
        pytest.param(green(deployments=()), "no primary deployment", id="no deployment"),
        pytest.param(
            green(
                deployments=(
                    good_deployment(task_definition=WANTED),
                    good_deployment(id="ecs-svc/2", status="ACTIVE", running=1),
                )
            ),
            "still replacing",
            id="a second deployment",
        ),
        pytest.param(deployed(rollout_state="IN_PROGRESS"), "starts: 3 of 3", id="in progress"),
        pytest.param(
            deployed(rollout_state="FAILED", reason="no capacity"), "FAILED (no capacity)", id="failed"
        ),
        pytest.param(deployed(rollout_state=""), "not reported", id="no state reported"),
        pytest.param(green(desired=0, running=0), "desired count is 0", id="no task wanted"),
        pytest.param(green(running=2), "runs 2 of 3", id="a task short"),
        pytest.param(green(running=4), "runs 4 of 3", id="a task too many"),
        pytest.param(green(pending=1), "runs 3 of 3", id="a task pending"),
        pytest.param(stopped(QUIET - SECOND), "stopped just now: exit 1", id="a task stopped just now"),
        pytest.param(
            stopped(SECOND, reason="", code="TaskFailedToStart"), "TaskFailedToStart", id="stopped, no reason"
        ),
        pytest.param(green(desired=4, running=4), "3 of 4 targets", id="a target short of the count"),
    ],
)
def test_a_service_that_lacks_anything_is_not_ready(seen: Any, words: str) -> None:  # noqa: ANN401 - any look
    assert words in one_look(seen)


def test_a_service_that_was_not_looked_at_is_not_ready() -> None:
    looked = not_ready(None, WANTED, HEALTHY, now=NOON, quiet=QUIET)
    assert "not looked at" in looked


def test_the_wrong_revision_completed_and_healthy_is_not_ready() -> None:
    """ECS may have put the former one back: one deployment, COMPLETED, healthy, and wrong."""
    words = one_look(service(GREEN_NAME, FORMER))
    assert words == f"{GREEN_NAME} runs checkout:42, not checkout:43"


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        pytest.param((), "no target group", id="no group"),
        pytest.param((None,), "not looked at", id="not looked at"),
        pytest.param((UNREAD,), "throttled", id="unread"),
        pytest.param((Absent(),), "does not exist", id="absent"),
        pytest.param((TargetsSeen(),), "0 of 3", id="empty"),
        pytest.param((TargetsSeen(healthy=2, initial=1),), "2 of 3", id="one not checked yet"),
        pytest.param((TargetsSeen(healthy=3, initial=1),), "first health check", id="one more than wanted"),
        pytest.param((TargetsSeen(healthy=2, unhealthy=1),), "2 of 3", id="one unhealthy"),
        pytest.param(
            (TargetsSeen(unused=3, reasons=("Target.NotInUse",)),), "(Target.NotInUse)", id="in no zone"
        ),
        pytest.param((TargetsSeen(healthy=3), TargetsSeen(healthy=2)), "2 of 3", id="the second group"),
    ],
)
def test_every_group_must_hold_as_many_healthy_targets_as_tasks(targets: Any, words: str) -> None:  # noqa: ANN401
    assert words in one_look(targets=targets)


def test_targets_that_drain_or_are_more_than_wanted_are_in_nobodys_way() -> None:
    assert one_look(targets=(TargetsSeen(healthy=4, draining=2),)) == ""


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(stopped(QUIET), id="it stopped before the last look"),
        pytest.param(stopped(SECOND, "ServiceSchedulerInitiated", reason=SCALED_IN), id="ECS stopped it"),
        pytest.param(stopped(SECOND, "UserInitiated"), id="a person stopped it"),
        pytest.param(stopped(SECOND, "SpotInterruption"), id="AWS took its machine"),
        pytest.param(stopped(SECOND, task_definition=FORMER), id="it ran another revision"),
    ],
)
def test_a_stop_that_is_old_chosen_or_anothers_does_not_count(seen: ServiceSeen) -> None:
    assert one_look(seen) == ""


def test_a_colour_whose_task_has_just_failed_its_health_checks_is_not_ready_though_all_are_healthy() -> None:
    """ECS's scheduler stops and replaces it, by the same code as one that it scales in."""
    words = one_look(stopped(SECOND, "ServiceSchedulerInitiated", reason=FAILED_CHECKS))
    assert words == f"a task of {GREEN_NAME} stopped just now: {FAILED_CHECKS}"


def test_stops_for_reasons_that_are_not_known_keep_a_colour_from_being_ready() -> None:
    """Unknown is not good: one of them for a moment, and more than two of them for ten minutes."""
    told = {"code": "ServiceSchedulerInitiated", "reason": "Something new"}
    assert "stopped just now: Something new" in one_look(stopped(SECOND, **told))
    assert one_look(stopped(MINUTE, **told)) == ""
    often = green(stops=stopped(MINUTE, **told).stops * 3)
    assert "ECS's scheduler gives a reason that Teal does not know: Something new" in one_look(often)
    assert one_look(green(stops=stopped(10 * MINUTE, **told).stops * 3)) == ""


def test_own_stops_are_the_revisions_own_doing_in_the_order_given() -> None:
    first, second = stopped(SECOND).stops[0], stopped(MINUTE).stops[0]
    foreign = stopped(SECOND, "UserInitiated").stops[0]
    seen = green(stops=(first, foreign, second))
    assert own_stops(seen, WANTED, NOON - 2 * MINUTE) == (first, second)
    assert own_stops(seen, WANTED, NOON - MINUTE) == (first,)


# two looks ---------------------------------------------------------------------------------------------------------


def provisioned(**changes: Any) -> Rollout:  # noqa: ANN401 - the fields of Rollout
    return row(Phase.PROVISIONING, weight=0, **changes)


@pytest.mark.parametrize(
    ("ready_since", "phase"),
    [
        pytest.param(None, Phase.PROVISIONING, id="the first look"),
        pytest.param(NOON - 9 * SECOND, Phase.PROVISIONING, id="less than a sixth of a period ago"),
        pytest.param(NOON - 10 * SECOND, Phase.SHIFTING, id="a sixth of a period ago"),
    ],
)
def test_green_gets_traffic_only_after_two_looks_that_are_apart(ready_since: Any, phase: Phase) -> None:  # noqa: ANN401
    decision = at(provisioned(ready_since=ready_since))
    assert decision.rollout.phase is phase


@pytest.mark.parametrize(
    "changes",
    [
        {"green": green(running=2)},
        {"green": UNREAD},
        {"green": service(GREEN_NAME, FORMER)},
        {"targets": {BLUE_GROUP: TargetsSeen(healthy=3), GREEN_GROUP: UNREAD}},
    ],
)
def test_a_look_that_is_not_good_makes_the_next_one_the_first_again(changes: dict[str, Any]) -> None:
    known = provisioned(ready_since=NOON - MINUTE)
    broken = at(known, seen_of(known, **changes))
    assert (broken.rollout.phase, broken.rollout.progress.ready_since) == (Phase.PROVISIONING, None)
    after = at(broken.rollout, seen_of(known), now=NOON + 15 * SECOND)
    assert (after.rollout.phase, after.rollout.progress.ready_since) == (
        Phase.PROVISIONING,
        NOON + 15 * SECOND,
    )


def test_blue_gets_traffic_back_only_after_two_looks_that_are_apart() -> None:
    assert not at(settling()).rollout.handover.is_homeward
    assert not at(settling(ready_since=NOON - 9 * SECOND)).rollout.handover.is_homeward
    assert at(settling(ready_since=NOON - 10 * SECOND)).rollout.handover.is_homeward


# taking everything -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seen", "targets", "words"),
    [
        pytest.param(None, None, "not looked at", id="not looked at"),
        pytest.param(UNREAD, None, "throttled", id="unread"),
        pytest.param(Absent(), None, "does not exist", id="absent"),
        pytest.param(service("checkout", FORMER, status="DRAINING"), None, "DRAINING", id="draining"),
        pytest.param(service("checkout", WANTED), None, "somebody deploys checkout:43", id="other revision"),
        pytest.param(service("checkout", FORMER, desired=2), None, "desired count is 2", id="scaled in"),
        pytest.param(
            service("checkout", FORMER), (TargetsSeen(healthy=2),), "2 of 3", id="a target unhealthy"
        ),
        pytest.param(service("checkout", FORMER), (UNREAD,), "throttled", id="targets unread"),
        pytest.param(
            service(
                "checkout",
                FORMER,
                deployments=(
                    good_deployment(),
                    good_deployment(id="ecs-svc/2", status="ACTIVE", task_definition=WANTED),
                ),
            ),
            None,
            "not steadily on",
            id="a second deployment",
        ),
    ],
)
def test_a_colour_that_lacks_anything_could_not_take_everything(seen: Any, targets: Any, words: str) -> None:  # noqa: ANN401
    given = HEALTHY if targets is None else targets
    assert words in cannot_take_all(seen, FORMER, given, 3)


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(service("checkout", FORMER), id="as it was"),
        pytest.param(service("checkout", FORMER, desired=5, running=3), id="it is growing"),
        pytest.param(
            service("checkout", FORMER, deployments=(good_deployment(rollout_state="IN_PROGRESS"),)),
            id="ECS replaces a task of it",
        ),
    ],
)
def test_a_colour_with_enough_healthy_targets_could_take_everything(seen: ServiceSeen) -> None:
    assert cannot_take_all(seen, FORMER, HEALTHY, 3) == ""


@pytest.mark.parametrize(
    ("healthy", "moves"), [pytest.param(3, False, id="still growing"), pytest.param(5, True, id="grown")]
)
@pytest.mark.parametrize("phase", [Phase.PROVISIONING, Phase.SHIFTING])
def test_blue_that_has_scaled_out_must_be_grown_before_more_traffic_leaves_it(
    phase: Phase, healthy: int, *, moves: bool
) -> None:
    known = row(phase, weight=0, ready_since=NOON - MINUTE)
    assert known.green is not None
    known = changed(known, green=replace(known.green, desired=5))
    seen = seen_of(
        known,
        blue=service("checkout", FORMER, desired=5, running=healthy),
        green=green(desired=5, running=5),
        targets={BLUE_GROUP: TargetsSeen(healthy=healthy), GREEN_GROUP: TargetsSeen(healthy=5)},
    )
    decision = at(known, seen)
    went_on = (
        decision.rollout.phase is Phase.SHIFTING if phase is Phase.PROVISIONING else bool(written(decision))
    )
    assert went_on is moves
    assert moves or HoldKind.CAPACITY in held(decision)
