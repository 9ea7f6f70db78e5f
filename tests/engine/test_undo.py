"""Going back after the end: a rollout of the revision that ran before, with plan `instant`."""

from collections.abc import Iterator

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.errors import NotFound, Refused
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.gates.health import HealthSpec
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.rollout.spec import ApprovalSpec, Spec
from orchestrator.engine.undo import ended, undoing
from tests.cases.looks import definition_of, service_of
from tests.cases.starts import refused
from tests.support.rehearsal import MINUTE, Rehearsal


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal(requests_per_second=10) as rehearsal:
        yield rehearsal


def what_undoes(stage: Rehearsal, name: str) -> Spec:
    async def ask() -> Spec:
        return await undoing(await ended(name, store=stage.store), store=stage.store)

    return stage.run(ask())


def gone_well(stage: Rehearsal, *, key: str = "rehearsal") -> RolloutId:
    rollout = stage.start(stage.spec(stage.revision()), key=key)
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    return rollout


@pytest.mark.long
def test_undoing_rolls_the_former_revision_out_at_once_and_no_request_is_lost(stage: Rehearsal) -> None:
    former = service_of(stage)["taskDefinition"]
    done = gone_well(stage)
    assert service_of(stage)["taskDefinition"] != former
    undone = stage.start(what_undoes(stage, str(done)), key="undo")
    row = stage.until(undone)
    assert row.phase is Phase.SUCCEEDED, stage.story(undone)
    assert [(step.weight, step.bake) for step in row.plan.steps] == [(1000, 15 * MINUTE)], (
        "15 periods of watch"
    )
    assert service_of(stage)["taskDefinition"] == former
    totals = stage.traffic.totals
    assert (totals.rejected, totals.unanswered.total(), totals.errors.total()) == (0, 0, 0)


@pytest.mark.long
@pytest.mark.parametrize("variable", ["", "TEAL_COLOUR"])
def test_a_former_revision_that_somebody_deregistered_is_registered_again(
    stage: Rehearsal, variable: str
) -> None:
    former = service_of(stage)["taskDefinition"]
    rollout = stage.start(stage.spec(stage.revision({"SIZE": "9"}), colour_variable=variable))
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    stage.world.call("ecs", "DeregisterTaskDefinition", {"taskDefinition": former})
    undone = stage.start(what_undoes(stage, str(rollout)), key="undo")
    assert stage.until(undone).phase is Phase.SUCCEEDED, stage.story(undone)
    runs = service_of(stage)["taskDefinition"]
    assert runs != former
    was, now = definition_of(stage, former), definition_of(stage, runs)
    assert (now["status"], now["containerDefinitions"]) == ("ACTIVE", was["containerDefinitions"])
    assert now["tags"]["teal:rollout"] == undone


def test_an_inactive_revision_that_nobody_undoes_is_still_refused(stage: Rehearsal) -> None:
    revision = stage.revision()
    stage.world.call("ecs", "DeregisterTaskDefinition", {"taskDefinition": revision})
    assert "is INACTIVE" in refused(stage, stage.spec(revision))


def test_rules_and_gates_are_those_of_what_is_undone_and_nobody_is_asked_to_approve(stage: Rehearsal) -> None:
    gates = GatesSpec(health=HealthSpec())
    asked = stage.spec(
        stage.revision(),
        gates=gates,
        approval=ApprovalSpec(before_traffic=True),
        rules=tuple(stage.scenery.rules),
        labels=(("commit", "9fceb02"),),
    )
    rollout = stage.start(asked)
    stage.until(rollout, Phase.PROVISIONING)
    stage.command(rollout, CommandKind.APPROVE)
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    back = what_undoes(stage, str(rollout))
    assert (back.gates, back.rules, back.metrics) == (asked.gates, asked.rules, asked.metrics)
    assert back.approval == ApprovalSpec()
    assert dict(back.labels) == {"undoes": rollout}


def test_a_service_s_name_means_its_last_rollout_that_succeeded(stage: Rehearsal) -> None:
    first = gone_well(stage)
    between = service_of(stage)["taskDefinition"]
    gone_well(stage, key="second")
    assert what_undoes(stage, "prod/checkout").task_definition == between
    with pytest.raises(Refused, match="is not the last rollout of prod/checkout that succeeded"):
        what_undoes(stage, str(first))


def test_what_did_not_succeed_cannot_be_undone(stage: Rehearsal) -> None:
    with pytest.raises(NotFound):
        what_undoes(stage, "prod/checkout")
    rollout = stage.start(stage.spec(stage.revision()))
    with pytest.raises(Refused, match="under way") as refused:
        what_undoes(stage, "prod/checkout")
    assert f"teal rollback {rollout}" in refused.value.next_step
    stage.until(rollout, Phase.SHIFTING)
    stage.command(rollout, CommandKind.ROLLBACK)
    stage.until(rollout)
    with pytest.raises(Refused, match="was rolled back"):
        what_undoes(stage, str(rollout))


def test_a_rollback_after_the_end_is_told_how_to_go_back(stage: Rehearsal) -> None:
    rollout = gone_well(stage)
    with pytest.raises(Refused) as refused:
        stage.command(rollout, CommandKind.ROLLBACK)
    assert f"teal start --undo {rollout}" in str(refused.value)
