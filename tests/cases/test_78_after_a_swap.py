"""What a swap left is changed after its end: shown and told, never written."""

import json
from collections.abc import Iterator

import pytest

from orchestrator.core.domain.events import EventKind
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.rollout.spec import Ending
from orchestrator.engine.aftercare import Aftercare
from orchestrator.engine.views import services
from tests.cases.looks import rules_of
from tests.cases.swap_stage import swapped
from tests.support.rehearsal import Rehearsal


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal(scalable=False) as rehearsal:
        yield rehearsal


def look_back(stage: Rehearsal) -> None:
    stage.run(Aftercare(stage.store, stage.cloud, stage.clock).look())


def messages_of(stage: Rehearsal, row: Rollout) -> list[str]:
    return [seen.event.message for seen in stage.events(row.id, EventKind.CHANGED_AFTERWARDS)]


def shown(stage: Rehearsal) -> str:
    return stage.run(services.service("prod/checkout", store=stage.store)).changed


def test_case_78_what_a_swap_left_is_no_change(stage: Rehearsal) -> None:
    """The rule leads to green's group and blue has no task: that is how the rollout left it."""
    row = swapped(stage, Ending.KEEP)
    look_back(stage)
    assert messages_of(stage, row) == []


def test_case_78_a_stack_update_that_resets_the_rule_to_the_former_group_is_told_and_left_as_it_is(
    stage: Rehearsal,
) -> None:
    """The stack knows the target group from before the swap, which has no target any more."""
    (before,) = rules_of(stage)
    row = swapped(stage, Ending.DELETE)
    assert row.green is not None
    actions = json.loads(json.dumps(before["Actions"]))
    stage.world.call("elbv2", "ModifyRule", {"RuleArn": before["RuleArn"], "Actions": actions})
    look_back(stage)
    look_back(stage)
    (message,) = messages_of(stage, row)
    assert "rule 1000 of load balancer prod-lb gives teal-checkout-" in message
    assert "nothing: it forwards to checkout-blue; it is left as it is" in message
    assert shown(stage) in message
    assert rules_of(stage)[0]["Actions"] == before["Actions"]


def test_case_78_the_green_that_stayed_is_deleted_by_somebody(stage: Rehearsal) -> None:
    """It is the service of record: its end is told by its own name."""
    row = swapped(stage, Ending.KEEP)
    assert row.green is not None
    asked = {"cluster": stage.scenery.cluster, "service": row.green.name, "force": True}
    stage.world.call("ecs", "DeleteService", asked)
    stage.let_run(6 * stage.world.minute)
    look_back(stage)
    assert f"{row.green.name} is gone" in shown(stage)
