"""Provisioning: green is made once, is given up as soon as it is plain that it will not start, and waits for blue."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.cloud.effects import CreateService, ScaleService
from orchestrator.core.cloud.resources import Absent, ServiceSeen, StopSeen, TargetsSeen, Unread
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.changes import changed
from orchestrator.core.rollout.names import tags_of
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from tests.builders import BLUE_GROUP, FAILED_CHECKS, FORMER, NOON, RULE, SCALED_IN, WANTED, good_deployment
from tests.core.stages import (
    GREEN_GROUP,
    GREEN_NAME,
    ID,
    MINUTE,
    asked,
    at,
    held,
    only,
    row,
    seen_of,
    service,
    written,
)

UNREAD = Unread(why="a test")
SECOND = timedelta(seconds=1)
POLL = timedelta(seconds=15)
BIGGER = service("checkout", FORMER, desired=5, running=5)


def provisioning(**changes: Any) -> Rollout:  # noqa: ANN401 - the fields of Rollout
    """Green was asked for and is in every rule at weight 0."""
    return row(Phase.PROVISIONING, weight=0, **changes)


def unasked() -> Rollout:
    """Green was not asked for yet."""
    known = provisioning()
    assert known.green is not None
    return changed(known, green=replace(known.green, is_asked=False))


def ready(**changes: Any) -> Rollout:  # noqa: ANN401 - the fields of Rollout
    """Green was ready in one look already."""
    return provisioning(**{"ready_since": NOON - MINUTE, **changes})


def green(**changes: Any) -> ServiceSeen:  # noqa: ANN401 - the fields of ServiceSeen
    """Green as it should be, but for these."""
    return service(GREEN_NAME, WANTED, **changes)


def stop(ago: int, *, code: str = "TaskFailedToStart", reason: str = "no image") -> StopSeen:
    """A task of green that stopped so many minutes ago."""
    at_that_time = NOON - ago * MINUTE
    return StopSeen(task=f"task/{ago}", task_definition=WANTED, at=at_that_time, code=code, reason=reason)


# green is made -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "seen", "effects", "holds"),
    [
        pytest.param(unasked(), {}, ["create_service"], set(), id="there is none"),
        pytest.param(
            provisioning(), {"green": Absent()}, ["create_service"], set(), id="asked for, and not there"
        ),
        pytest.param(provisioning(), {}, [], set(), id="it is there"),
        pytest.param(unasked(), {"green": UNREAD}, [], {HoldKind.AWS}, id="unread"),
        pytest.param(unasked(), {"green": None}, [], set(), id="not looked at"),
        pytest.param(unasked(), {"blue": UNREAD}, [], {HoldKind.AWS}, id="blue's size is unread"),
        pytest.param(unasked(), {"blue": Absent()}, [], {HoldKind.AWS}, id="blue is gone"),
        pytest.param(unasked(), {"blue": None}, [], {HoldKind.AWS}, id="blue was not looked at"),
        pytest.param(
            provisioning(),
            {"blue": UNREAD, "green": Absent()},
            ["create_service"],
            set(),
            id="asked for with a size that is on disk",
        ),
        pytest.param(
            unasked(), {"rules": {RULE: UNREAD}}, ["create_service"], {HoldKind.AWS}, id="a rule is unread"
        ),
    ],
)
def test_green_is_made_where_it_is_missing(
    known: Rollout, seen: Mapping[str, Any], effects: list[str], holds: set[HoldKind]
) -> None:
    decision = at(known, seen_of(known, **seen))
    assert (asked(decision), held(decision)) == (effects, holds)
    assert decision.rollout.phase is Phase.PROVISIONING


def test_green_is_blues_copy_with_the_new_revision_beside_blues_own_group() -> None:
    known = unasked()
    effect = only(at(known), CreateService)
    assert known.blue is not None
    assert (effect.name, effect.task_definition, effect.template) == (
        GREEN_NAME,
        WANTED,
        known.blue.template,
    )
    assert effect.groups == ((BLUE_GROUP, GREEN_GROUP),)
    assert effect.tags == tags_of(known)


def test_green_is_made_as_large_as_blue_is_now_and_asked_for_again_with_the_same_size() -> None:
    known = unasked()
    first = at(known, seen_of(known, blue=BIGGER))
    assert only(first, CreateService).desired == 5
    made = first.rollout
    assert made.green is not None
    assert (made.green.is_asked, made.ticks.created_last) == (True, NOON)
    smaller = seen_of(known, blue=service("checkout", FORMER, desired=4, running=4), green=Absent())
    again = at(made, smaller, now=NOON + MINUTE)
    assert only(again, CreateService) == only(first, CreateService), "a token is good for one call only"


@pytest.mark.parametrize("tags", [{}, {"teal:rollout": "checkout-99999999"}])
def test_somebody_elses_service_is_never_taken_but_another_name_is(tags: dict[str, str]) -> None:
    known = provisioning()
    decision = at(known, seen_of(known, green=green(tags=tags)))
    assert not decision.effects
    was, now = known.green, decision.rollout.green
    assert was is not None
    assert now is not None
    assert (now.name, now.is_asked) == ("checkout-0a1b2c3d-2", False)
    assert now.token != was.token, "ECS may know the token with the other name"
    following = at(decision.rollout, seen_of(decision.rollout), now=NOON + MINUTE)
    effect = only(following, CreateService)
    assert (effect.name, effect.token) == (now.name, now.token)


# green does not start ----------------------------------------------------------------------------------------------

GAVE_UP = good_deployment(task_definition=WANTED, rollout_state="FAILED", reason="tasks failed to start.")
STARTS = good_deployment(task_definition=WANTED, rollout_state="IN_PROGRESS", reason="in progress.")


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        pytest.param(green(), "", id="nothing stopped"),
        pytest.param(green(stops=(stop(1),)), "", id="one failed to start"),
        pytest.param(
            green(stops=(stop(1), stop(2, reason="no room"))),
            "",
            id="two failed to start, of different reasons",
        ),
        pytest.param(
            green(stops=(stop(1), stop(2))), "2 tasks stopped, no image", id="two failed, of the same reason"
        ),
        pytest.param(
            green(stops=(stop(1, reason=""), stop(2, reason=""))),
            "2 tasks stopped, TaskFailedToStart",
            id="two failed, without a reason",
        ),
        pytest.param(
            green(stops=tuple(stop(n, code="EssentialContainerExited", reason="exit 1") for n in (1, 2))),
            "",
            id="two exited",
        ),
        pytest.param(
            green(stops=tuple(stop(n, code="EssentialContainerExited", reason="exit 1") for n in (1, 2, 3))),
            "3 tasks stopped, exit 1",
            id="three exited",
        ),
        pytest.param(
            green(
                stops=tuple(stop(n, code="ServiceSchedulerInitiated", reason=SCALED_IN) for n in (1, 2, 3))
            ),
            "",
            id="ECS itself stopped three",
        ),
        pytest.param(
            green(
                stops=tuple(
                    stop(n, code="ServiceSchedulerInitiated", reason=FAILED_CHECKS) for n in (1, 2, 3)
                )
            ),
            f"3 tasks stopped, {FAILED_CHECKS}",
            id="ECS replaced three that failed their health checks",
        ),
        pytest.param(
            green(stops=tuple(replace(stop(n), task_definition=FORMER) for n in (1, 2, 3))),
            "",
            id="tasks of another revision",
        ),
        pytest.param(
            green(stops=(stop(61), stop(62), stop(63))), "", id="three stopped before the rollout began"
        ),
        pytest.param(
            green(deployments=(GAVE_UP,)), "green does not start: tasks failed to start", id="ECS gave up"
        ),
        pytest.param(
            green(deployments=(GAVE_UP,), stops=(stop(1),)),
            "tasks failed to start; its last task: no image",
            id="ECS gave up, and a task says why",
        ),
        pytest.param(green(deployments=(STARTS,), running=1), "", id="it starts"),
    ],
)
def test_green_is_given_up_as_soon_as_it_is_certain_that_it_does_not_start(
    seen: ServiceSeen, reason: str
) -> None:
    known = provisioning()
    decision = at(known, seen_of(known, green=seen))
    assert (decision.rollout.phase is Phase.ROLLING_BACK) is bool(reason)
    if decision.rollout.end:
        assert reason in decision.rollout.end.reason
        assert "set_scaling" not in asked(decision), "what was asked for before was for going on"


# green becomes ready, in two looks ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seen", "waits"),
    [
        pytest.param({"green": green(deployments=(STARTS,), running=1)}, "1 of 3 tasks run", id="it starts"),
        pytest.param({"green": green(running=2)}, "runs 2 of 3 tasks", id="a task is missing"),
        pytest.param({"green": green(pending=1)}, "runs 3 of 3 tasks", id="a task is on its way"),
        pytest.param({"green": green(status="DRAINING")}, "is DRAINING", id="somebody deletes it"),
        pytest.param({"green": green(deployments=())}, "no primary deployment", id="without a deployment"),
        pytest.param({"green": UNREAD}, "could not be read: a test", id="unread"),
        pytest.param({"green": Absent()}, "does not exist", id="absent"),
        pytest.param({"green": None}, "was not looked at", id="not looked at"),
        pytest.param(
            {"green": service(GREEN_NAME, FORMER, tags={"teal:rollout": ID})},
            "runs checkout:42, not checkout:43",
            id="another revision",
        ),
        pytest.param(
            {"targets": {BLUE_GROUP: TargetsSeen(healthy=3)}}, "not looked at", id="no target health"
        ),
        pytest.param(
            {"targets": {BLUE_GROUP: TargetsSeen(healthy=3), GREEN_GROUP: TargetsSeen(healthy=2, initial=1)}},
            "2 of 3 targets are healthy",
            id="a target is not healthy yet",
        ),
        pytest.param(
            {"green": green(stops=(replace(stop(0), at=NOON - 5 * SECOND),))},
            "stopped just now: no image",
            id="a task stopped just now",
        ),
        pytest.param({"blue": BIGGER}, "green grows to 5 tasks", id="blue has grown"),
    ],
)
def test_green_that_is_not_ready_in_one_look_begins_its_two_looks_anew(
    seen: Mapping[str, Any], waits: str
) -> None:
    known = ready()
    decision = at(known, seen_of(known, **seen))
    assert decision.rollout.phase is Phase.PROVISIONING
    assert decision.rollout.progress.ready_since is None
    assert waits in decision.rollout.waiting.waiting_for


def test_traffic_starts_after_two_looks_apart() -> None:
    first = at(provisioning())
    assert (first.rollout.phase, first.rollout.progress.ready_since) == (Phase.PROVISIONING, NOON)
    gap = first.rollout.spec.metrics.look_gap
    early = at(first.rollout, now=NOON + gap - SECOND)
    assert early.rollout.phase is Phase.PROVISIONING
    second = at(early.rollout, now=NOON + gap)
    assert (second.rollout.phase, second.rollout.progress.step) == (Phase.SHIFTING, 0)
    assert not written(second), "the first weight is the next phase's"


def test_green_follows_blue_upwards_only() -> None:
    known = ready()
    bigger = at(known, seen_of(known, blue=BIGGER))
    assert only(bigger, ScaleService).desired == 5
    smaller = service("checkout", FORMER, desired=2, running=2)
    assert "scale_service" not in asked(at(known, seen_of(known, blue=smaller)))
