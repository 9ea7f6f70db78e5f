"""Swaps in a row: the service of record is found again, by the store or by AWS, and nothing is left over."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.errors import Unfit
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.spec import Ending
from orchestrator.engine import commands, service_of_record, undo
from orchestrator.engine.initial_service import look_at
from orchestrator.engine.views import services
from orchestrator.store.memory.store import MemoryStore
from tests.cases.looks import groups_of, live_services, rules_of, service_of
from tests.cases.swap_stage import in_place, swap, swapped, until_recorded
from tests.support.rehearsal import Rehearsal

RECORD = "prod/checkout"


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal(scalable=False) as rehearsal:
        yield rehearsal


def call(stage: Rehearsal, operation: str, service: str, **more: Any) -> None:  # noqa: ANN401
    """Somebody else changes a service."""
    stage.world.call("ecs", operation, {"cluster": stage.scenery.cluster, "service": service, **more})


def test_rollouts_in_a_row_leave_one_service_whose_name_does_not_grow(stage: Rehearsal) -> None:
    """The hand-made service stays without tasks, each former green goes, and the rule keeps its shape."""
    before, first = rules_of(stage), ""
    for number in range(4):
        row = swapped(stage, Ending.KEEP, key=f"swap {number}")
        assert row.green is not None
        assert row.blue is not None
        assert row.blue.name == (first or "checkout")
        first = row.green.name
        assert first == f"checkout-{row.id[-8:]}"
        assert live_services(stage) == ["checkout", first]
        (green,) = [pair.green for pair in row.pairs]
        assert groups_of(stage) == [stage.scenery.target_group, green]
        assert json.dumps(rules_of(stage), sort_keys=True) == in_place(
            before, stage.scenery.target_group, str(green)
        )
        assert stage.run(service_of_record.known(stage.store, RECORD)) == first
    assert service_of(stage)["desiredCount"] == 0
    assert stage.traffic.totals.rejected == 0


def test_a_fresh_store_finds_the_service_of_record_by_its_tags_and_the_weights(stage: Rehearsal) -> None:
    for ending in (Ending.KEEP, Ending.DELETE):
        former = swapped(stage, ending, key=ending.value).green
        assert former is not None
        stage.store = MemoryStore()
        row = swapped(stage, ending, key=f"{ending.value} again")
        assert row.blue is not None
        assert row.blue.name == former.name


def test_tasks_that_a_stack_update_gives_the_kept_service_do_not_make_it_serve(stage: Rehearsal) -> None:
    """It runs again and no rule leads to it: what serves is told by the weights, with a store and without."""
    green = swapped(stage, Ending.KEEP).green
    assert green is not None
    call(stage, "UpdateService", "checkout", desiredCount=2)
    stage.let_run(6 * stage.world.minute)
    for store in (stage.store, MemoryStore()):
        stage.store = store
        known = stage.run(service_of_record.known(store, RECORD))
        looked = stage.run(
            commands.look_before(
                stage.spec(stage.revision(), ending=Ending.KEEP),
                cloud=stage.cloud,
                clock=stage.clock,
                known=known,
            )
        )
        assert looked.survey.blue.name == green.name
        assert "serves-in-place" in [finding.code for finding in looked.findings]


def test_a_store_that_knows_another_service_is_refused_with_what_was_found(stage: Rehearsal) -> None:
    """A swap by another store: neither is believed alone."""
    rollout = stage.start(stage.spec(stage.revision()))
    assert stage.until(rollout).phase is Phase.SUCCEEDED
    knows_blue, stage.store = stage.store, MemoryStore()
    green = swapped(stage, Ending.KEEP).green
    assert green is not None
    stage.store = knows_blue
    with pytest.raises(Unfit) as caught:
        swap(stage, Ending.KEEP, key="another")
    assert f"by this store's rollouts checkout serves; {green.name} has the traffic" in str(caught.value)


def test_a_service_of_record_that_is_gone_is_replaced_by_what_has_the_traffic(stage: Rehearsal) -> None:
    """Somebody went back to the service of their stack by hand and deleted the green: that is told, and taken."""
    green = swapped(stage, Ending.KEEP).green
    assert green is not None
    call(stage, "UpdateService", "checkout", desiredCount=3)
    rule = rules_of(stage)[0]
    rule["Actions"] = json.loads(
        json.dumps(rule["Actions"]).replace(groups_of(stage)[1], stage.scenery.target_group)
    )
    stage.world.call("elbv2", "ModifyRule", {"RuleArn": rule["RuleArn"], "Actions": rule["Actions"]})
    call(stage, "DeleteService", green.name, force=True)
    stage.let_run(6 * stage.world.minute)
    row = swapped(stage, Ending.KEEP, key="again")
    assert row.blue is not None
    assert row.blue.name == "checkout"


def test_a_guest_of_another_stores_rollout_is_not_taken_for_the_service_of_record(stage: Rehearsal) -> None:
    swapped(stage, Ending.DELETE)
    other = swap(stage, Ending.KEEP, key="other")
    stage.until(other, Phase.WATCHING)
    stage.store = MemoryStore()
    with pytest.raises(Unfit, match="another rollout made"):
        swap(stage, Ending.KEEP, key="mine")


def test_a_rollout_that_is_retiring_blue_is_noticed_by_another_store(stage: Rehearsal) -> None:
    other = swap(stage, Ending.DELETE)
    until_recorded(stage, other, EventKind.TRAFFIC_ON_GREEN)
    stage.store = MemoryStore()
    with pytest.raises(Unfit, match="is retiring the one before it"):
        swap(stage, Ending.KEEP, key="mine")


def test_the_green_that_stayed_is_not_named_by_its_own_name(stage: Rehearsal) -> None:
    green = swapped(stage, Ending.KEEP).green
    assert green is not None
    spec = stage.spec(stage.revision())
    with pytest.raises(Unfit, match="write service: prod/checkout"):
        stage.start(replace(spec, service=replace(spec.service, service=green.name)), key="by its own name")


def test_settle_after_a_swap_leaves_the_swapped_service_in_place(stage: Rehearsal) -> None:
    green = swapped(stage, Ending.KEEP).green
    assert green is not None
    revision = stage.revision()
    rollout = stage.start(stage.spec(revision), key="settle")
    row = stage.until(rollout)
    assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
    assert service_of(stage, green.name)["taskDefinition"] == revision
    assert live_services(stage) == ["checkout", green.name]


def test_a_rollback_keeps_the_green_that_stayed_as_it_was(stage: Rehearsal) -> None:
    green = swapped(stage, Ending.KEEP).green
    assert green is not None
    before, tags = rules_of(stage), service_of(stage, green.name)["tags"]
    for kind in (EventKind.STEP_PASSED, EventKind.BLUE_DRAINED):
        rollout = swap(stage, Ending.KEEP, key=kind.value)
        until_recorded(stage, rollout, kind)
        stage.command(rollout, CommandKind.ROLLBACK)
        assert stage.until(rollout).phase is Phase.ROLLED_BACK, stage.story(rollout)
        assert rules_of(stage) == before
        assert live_services(stage) == ["checkout", green.name]
        assert service_of(stage, green.name)["tags"] == tags
        assert stage.run(service_of_record.known(stage.store, RECORD)) == green.name


@pytest.mark.long
def test_undoing_a_swap_is_a_rollout_of_the_former_revision_that_swaps_again(stage: Rehearsal) -> None:
    former = stage.scenery.task_definition
    row = swapped(stage, Ending.DELETE)
    stored = stage.run(undo.ended(row.id, store=stage.store))
    rollout = stage.start(stage.run(undo.undoing(stored, store=stage.store)), key="undo")
    row = stage.until(rollout)
    assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
    assert row.green is not None
    assert service_of(stage, row.green.name)["taskDefinition"] == former
    found = stage.run(services.service(RECORD, store=stage.store))
    assert found.serves == former
    assert found.serving is not None
    assert (found.serving.name, found.serving.task_definition) == (row.green.name, former)


def test_init_begins_from_the_green_that_stayed_under_the_services_own_name(stage: Rehearsal) -> None:
    row = swapped(stage, Ending.DELETE)
    assert row.green is not None
    found = stage.run(
        look_at(row.spec.service, cloud=stage.cloud, scout=stage.cloud.scout(), clock=stage.clock)
    )
    assert (str(found.service), found.survey.blue.name) == (RECORD, row.green.name)
