"""A rollback after blue was deleted: it is made anew, as it was."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.spec import Ending
from tests.cases.looks import groups_of, live_services, rules_of, service_of
from tests.cases.swap_stage import BREAKER, lose_sight_after, make_slow_to_stop, swap, until_asked
from tests.support.rehearsal import Rehearsal

SAME = (
    "serviceName",
    "serviceArn",
    "taskDefinition",
    "desiredCount",
    "runningCount",
    "loadBalancers",
    "deploymentConfiguration",
    "healthCheckGracePeriodSeconds",
    "availabilityZoneRebalancing",
    "launchType",
    "networkConfiguration",
    "tags",
)


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal(scalable=False, deployment=BREAKER) as rehearsal:
        yield rehearsal


def shown(stage: Rehearsal) -> dict[str, Any]:
    service = service_of(stage)
    return {name: service.get(name) for name in SAME}


def test_case_48_blue_is_made_anew_from_its_stored_request_and_gets_all_traffic(stage: Rehearsal) -> None:
    """Its name, revision, count, target groups and configuration are those from before; nothing of Teal is on it."""
    before, rules = shown(stage), rules_of(stage)
    rollout = swap(stage, Ending.DELETE)
    lose_sight_after(stage, "DeleteService", timedelta(seconds=10))
    until_asked(stage, rollout, "delete_service")
    stage.command(rollout, CommandKind.ROLLBACK)
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    (told,) = stage.events(rollout, EventKind.BLUE_CALLED_BACK)
    assert "is created again with 3 tasks, which takes about" in told.event.message
    assert shown(stage) == before
    assert rules_of(stage) == rules
    assert live_services(stage) == [stage.scenery.service]
    assert groups_of(stage) == [stage.scenery.target_group]
    assert stage.traffic.totals.rejected == 0


def test_case_48_a_name_that_is_still_draining_is_waited_for_while_green_serves(stage: Rehearsal) -> None:
    """ECS keeps a deleted service's name until it is INACTIVE: nothing is made under another name."""
    make_slow_to_stop(stage, timedelta(seconds=40))
    rollout = swap(stage, Ending.DELETE)
    until_asked(stage, rollout, "scale_service")
    blue = stage.row(rollout).blue
    assert blue is not None
    stage.world.call(
        "ecs", "DeleteService", {"cluster": blue.cluster, "service": blue.name, "force": True}
    )  # by hand, so that it drains
    assert service_of(stage)["status"] == "DRAINING"
    stage.command(rollout, CommandKind.ROLLBACK)
    stage.let_run(timedelta(seconds=10))
    assert "its name to be free again" in stage.row(rollout).waiting.waiting_for
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert live_services(stage) == [stage.scenery.service]
    assert service_of(stage)["runningCount"] == 3
    assert stage.traffic.totals.rejected == 0
