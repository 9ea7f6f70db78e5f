"""Gate ``health``: targets and tasks of the colour that takes traffic, ahead of any metric."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.cloud.resources import Absent, StopSeen, TargetsSeen, Unread
from orchestrator.core.domain.verdict import Answer, Verdict
from orchestrator.core.gates.health import HealthSpec, judge
from orchestrator.core.gates.scene import Colour
from tests.builders import FAILED_CHECKS, FORMER, NOON, SCALED_IN, WANTED, good_deployment
from tests.core.gates.scenes import scene, stop
from tests.core.stages import GREEN_NAME, MINUTE, service

FAIL, HOLD, PASS = Verdict.FAIL, Verdict.HOLD, Verdict.PASS
UNREAD = Unread(why="throttled")


def asked(**changes: Any) -> Answer:  # noqa: ANN401 - the fields of Scene
    return judge(HealthSpec(), scene(**changes))


def green(**changes: Any) -> Any:  # noqa: ANN401 - the fields of ServiceSeen
    return service(GREEN_NAME, WANTED, **changes)


def deployed(**changes: Any) -> Any:  # noqa: ANN401 - the fields of DeploymentSeen
    return green(deployments=(good_deployment(task_definition=WANTED, **changes),))


@pytest.mark.parametrize("mine", [TargetsSeen(unhealthy=3), TargetsSeen()], ids=["unhealthy", "empty"])
def test_green_is_not_blamed_where_no_target_of_blue_is_healthy_either(mine: TargetsSeen) -> None:
    """What both depend on may be away, and all traffic on blue would help nobody as long as that lasts."""
    both = asked(targets=(mine,), others=(TargetsSeen(unhealthy=3),))
    assert (both.verdict, both.is_evidence) == (HOLD, False)
    assert both.reason.endswith("neither is blue's")
    alone = asked(targets=(mine,), others=(TargetsSeen(healthy=1, unhealthy=2),))
    unknown = asked(targets=(mine,), others=(UNREAD,))
    assert (alone.verdict, unknown.verdict) == (FAIL, FAIL)


def test_all_targets_healthy_is_a_pass() -> None:
    assert (asked().verdict, asked().reason) == (PASS, "all 3 targets of green are healthy")


@pytest.mark.parametrize(
    ("seen", "verdict", "words"),
    [
        pytest.param(None, HOLD, "was not looked at", id="not looked at"),
        pytest.param(UNREAD, HOLD, "throttled", id="unread"),
        pytest.param(Absent(), FAIL, "is gone", id="gone"),
        pytest.param(green(status="DRAINING"), FAIL, "is DRAINING", id="draining"),
        pytest.param(green(status="INACTIVE"), FAIL, "is INACTIVE", id="inactive"),
        pytest.param(green(deployments=()), FAIL, "green's service is", id="no primary deployment"),
        pytest.param(
            deployed(status="ACTIVE"), FAIL, "green's service is", id="only a deployment on its way out"
        ),
        pytest.param(
            deployed(rollout_state="FAILED", reason="tasks failed to start"),
            FAIL,
            "ECS gave up on green: tasks failed to start",
            id="the breaker opened",
        ),
        pytest.param(
            deployed(rollout_state="FAILED", reason=""),
            FAIL,
            "its circuit breaker opened",
            id="the breaker opened without a reason",
        ),
        pytest.param(green(running=2), HOLD, "runs 2 of 3 tasks", id="a task short"),
        pytest.param(green(desired=4, running=4), HOLD, "3 of 4 targets", id="a target short of its count"),
    ],
)
def test_the_service_decides(seen: Any, verdict: Verdict, words: str) -> None:  # noqa: ANN401 - any look
    answer = asked(service=seen)
    assert answer.verdict is verdict
    assert words in answer.reason


@pytest.mark.parametrize(
    ("seen", "verdict", "words"),
    [
        pytest.param((), HOLD, "no target group is known", id="no group"),
        pytest.param((None,), HOLD, "not looked at", id="not looked at"),
        pytest.param((UNREAD,), HOLD, "throttled", id="unread"),
        pytest.param((Absent(),), FAIL, "target group is gone", id="gone"),
        pytest.param((TargetsSeen(),), FAIL, "takes traffic and it has no target", id="empty"),
        pytest.param((TargetsSeen(draining=3),), FAIL, "it has no target", id="all on their way out"),
        pytest.param(
            (TargetsSeen(unhealthy=3, reasons=("Target.Timeout",)),),
            FAIL,
            "none of 3 targets is healthy: Target.Timeout",
            id="all unhealthy",
        ),
        pytest.param((TargetsSeen(initial=3),), FAIL, "none of 3 targets", id="none checked yet"),
        pytest.param((TargetsSeen(unused=3),), FAIL, "none of 3 targets", id="in no enabled zone"),
        pytest.param(
            (TargetsSeen(unavailable=3),), FAIL, "none of 3 targets", id="health checks are switched off"
        ),
        pytest.param(
            (TargetsSeen(healthy=2, unhealthy=1, reasons=("Target.Timeout",)),),
            HOLD,
            "2 of 3 targets are healthy (Target.Timeout)",
            id="one unhealthy",
        ),
        pytest.param(
            (TargetsSeen(healthy=3, initial=1),),
            HOLD,
            "first health check",
            id="a newcomer is not checked yet",
        ),
        pytest.param((TargetsSeen(healthy=3, draining=1),), PASS, "all 3", id="a former task drains"),
        pytest.param((TargetsSeen(healthy=4),), PASS, "all 3", id="more than wanted"),
        pytest.param(
            (TargetsSeen(healthy=3), TargetsSeen()), FAIL, "it has no target", id="the second group is empty"
        ),
        pytest.param((TargetsSeen(healthy=3), UNREAD), HOLD, "throttled", id="the second group is unread"),
        pytest.param((UNREAD, Absent()), FAIL, "is gone", id="one unread and the other gone"),
    ],
)
def test_the_targets_decide(seen: tuple[Any, ...], verdict: Verdict, words: str) -> None:
    answer = asked(targets=seen)
    assert answer.verdict is verdict
    assert words in answer.reason


def test_an_empty_group_without_traffic_hurts_nobody_and_holds() -> None:
    assert asked(weight=0, targets=(TargetsSeen(),)).verdict is HOLD


def test_another_revision_holds_and_is_named_even_if_everything_looks_well() -> None:
    answer = asked(service=service(GREEN_NAME, FORMER))
    assert answer.verdict is HOLD
    assert FORMER in answer.reason
    assert WANTED in answer.clears_when


def by_ecs(reason: str) -> StopSeen:
    return stop(code="ServiceSchedulerInitiated", reason=reason)


def test_a_hold_of_health_is_no_evidence_that_a_promotion_could_waive() -> None:
    for answer in (asked(service=UNREAD), asked(service=green(running=2)), asked(targets=(UNREAD,))):
        assert (answer.verdict, answer.is_evidence) == (HOLD, False)
        assert answer.clears_when


@pytest.mark.parametrize(
    ("stops", "verdict"),
    [
        pytest.param((stop(), stop()), PASS, id="two stops"),
        pytest.param((stop(), stop(), stop()), FAIL, id="three stops"),
        pytest.param(
            (stop(), stop(), stop(ago=10 * MINUTE)), PASS, id="the third is ten minutes old already"
        ),
        pytest.param(
            (stop(), stop(), stop(ago=10 * MINUTE - timedelta(seconds=1))),
            FAIL,
            id="the third is just within ten minutes",
        ),
        *(
            pytest.param((stop(), stop(), stop(code=code)), PASS, id=f"the third is no fault of it: {code}")
            for code in (
                "UserInitiated",
                "SpotInterruption",
                "TerminationNotice",
                "InfrastructureHealth",
            )
        ),
        *(
            pytest.param((stop(), stop(), stop(code=code)), FAIL, id=f"the third counts: {code}")
            for code in ("TaskFailedToStart", "EssentialContainerExited", "")
        ),
        pytest.param((stop(), stop(), by_ecs(SCALED_IN)), PASS, id="the third was scaled in"),
        pytest.param((stop(), stop(), by_ecs(FAILED_CHECKS)), FAIL, id="the third failed its health checks"),
        pytest.param(
            (stop(), stop(), by_ecs("Something new")), HOLD, id="why the third stopped is not known"
        ),
        pytest.param(
            (stop(), stop(), stop(task_definition=FORMER)), PASS, id="the third ran another revision"
        ),
    ],
)
def test_a_colour_that_does_not_stay_up_fails(stops: tuple[Any, ...], verdict: Verdict) -> None:
    assert asked(service=green(stops=stops)).verdict is verdict


def test_flapping_says_how_often_and_why() -> None:
    answer = asked(service=green(stops=(stop(reason="out of memory"), stop(), stop())))
    assert answer.reason == "3 of green's tasks stopped within 10 minutes: out of memory"


def test_tasks_that_stop_about_when_the_other_colours_do_are_held_against_neither() -> None:
    stops = tuple(stop(ago=minutes * MINUTE) for minutes in (1, 2, 3, 9))
    blue = service("checkout", FORMER, stops=(stop(task_definition=FORMER, ago=9 * MINUTE),))
    assert asked(service=green(stops=stops), other=blue).verdict is FAIL, "only the oldest was near blue's"
    near = replace(blue, stops=(stop(task_definition=FORMER, ago=2 * MINUTE),))
    assert asked(service=green(stops=stops), other=near).verdict is PASS


@pytest.mark.parametrize("other", [None, Unread(why="throttled")], ids=["not looked at", "not read"])
def test_stops_hold_until_it_is_known_whether_the_other_colour_had_them_too(other: Unread | None) -> None:
    answer = asked(service=green(stops=(stop(),) * 3), other=other)
    assert (answer.verdict, answer.clears_when) == (HOLD, "blue's stopped tasks can be read")
    assert asked(service=green(stops=(stop(),) * 3), other=Absent()).verdict is FAIL, (
        "blue is gone: it is green's"
    )


def test_tasks_that_stop_while_the_other_colour_has_no_healthy_target_hold() -> None:
    sick = TargetsSeen(unhealthy=3, reasons=("Target.Timeout",))
    answer = asked(service=green(stops=(stop(),) * 3), others=(sick,))
    assert answer.verdict is HOLD
    assert answer.reason.endswith("no target of blue is healthy")


def test_stops_that_nobody_can_explain_hold_the_step_and_say_what_ecs_said() -> None:
    answer = asked(service=green(stops=(by_ecs(""),) * 3))
    assert answer.verdict is HOLD
    assert answer.reason == (
        "green: 3 tasks stopped within 10 minutes, and ECS's scheduler gives a reason that Teal does not know: none"
    )
    assert asked(service=green(stops=(by_ecs(""),) * 2)).verdict is PASS
    early = tuple(stop(code="ServiceSchedulerInitiated", reason="", ago=5 * MINUTE) for _ in range(3))
    assert asked(service=green(stops=early), stops_count_from=NOON - 5 * MINUTE).verdict is PASS


def test_stops_from_before_somebody_mended_it_are_not_counted() -> None:
    early = tuple(stop(ago=5 * MINUTE) for _ in range(3))
    assert asked(service=green(stops=early), stops_count_from=NOON - 5 * MINUTE).verdict is PASS


def test_on_the_way_home_the_same_is_asked_of_blue() -> None:
    blue = service("checkout", WANTED)
    assert asked(judged=Colour.BLUE, service=blue, weight=100).verdict is PASS
    failing = asked(judged=Colour.BLUE, service=blue, weight=100, targets=(TargetsSeen(),))
    assert (failing.verdict, failing.reason) == (FAIL, "blue takes traffic and it has no target")
