"""What somebody changes after the end of a rollout: a server notices, tells everybody once, and writes nothing."""

from collections.abc import Iterator

import pytest

from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.spec import Ending
from orchestrator.engine.aftercare import Aftercare
from orchestrator.engine.views.services import service
from tests.cases.looks import service_of
from tests.cases.rule_stage import call, foreign_group, rule_of
from tests.cases.swap_stage import swapped
from tests.iac import page
from tests.iac.stage import Stacked
from tests.support.rehearsal import Rehearsal

WRITES = ("Create", "Modify", "Update", "Delete", "Register", "Deregister", "Put", "Add", "Tag")
STALE = page.blocks("yaml")[0].replace(
    "HealthCheckGracePeriodSeconds: 30", "HealthCheckGracePeriodSeconds: 45"
)


@pytest.fixture
def stage() -> Iterator[Stacked]:
    """What the page's template makes, with users."""
    with Stacked(page.blocks("yaml")[0]) as built:
        yield built


def settled(stage: Stacked) -> RolloutId:
    rollout = stage.start(stage.spec(stage.revision()))
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    return rollout


def look_back(stage: Rehearsal) -> None:
    """One look of a server."""
    stage.let_run(stage.world.minute)
    begun = len(stage.world.log)
    stage.run(Aftercare(stage.store, stage.cloud, stage.clock).look())
    made = [record.operation for record in stage.world.log[begun:]]
    assert made, "it looks"
    assert [each for each in made if each.startswith(WRITES)] == [], "and writes nothing"


def messages_of(stage: Rehearsal, rollout: RolloutId) -> list[str]:
    return [seen.event.message for seen in stage.events(rollout, EventKind.CHANGED_AFTERWARDS)]


def shown(stage: Rehearsal) -> str:
    """What `teal services` says of it."""
    return stage.run(service("prod/checkout", store=stage.store)).changed


def test_case_78_what_a_rollout_left_is_looked_at_and_nothing_is_told_while_it_is_there(
    stage: Stacked,
) -> None:
    """A service that is as its last rollout left it is nobody's news."""
    rollout = settled(stage)
    look_back(stage)
    assert (messages_of(stage, rollout), shown(stage)) == ([], "")


def test_case_78_a_former_revision_that_a_stack_update_brings_back_is_told_once_and_left(
    stage: Stacked,
) -> None:
    """A parameter that was left behind rolls the service back past every gate: people hear of it, once."""
    rollout = settled(stage)
    assert stage.stack.update(STALE) == ("Service",)
    look_back(stage)
    look_back(stage)
    words = "checkout was given checkout:1, not by a rollout: the rollout left it on checkout:2"
    assert messages_of(stage, rollout) == [
        f"somebody changed what this rollout left: {words}; it is left as it is"
    ]
    assert shown(stage) == words
    assert service_of(stage)["taskDefinition"].endswith("checkout:1")


def test_case_78_a_rule_that_gives_the_service_nothing_any_more_is_told_and_then_that_it_is_back(
    stage: Stacked,
) -> None:
    """A rule reset to another group, or to weight 0, is not Teal's to write."""
    rollout = settled(stage)
    rule, other = rule_of(stage), foreign_group(stage, "elsewhere")
    actions = [{"Type": "forward", "TargetGroupArn": other}]
    call(stage, "ModifyRule", RuleArn=rule["RuleArn"], Actions=actions)
    look_back(stage)
    assert shown(stage) == "rule 100 of load balancer main gives checkout nothing: it forwards to elsewhere"
    stage.stack.revert("Rule")
    look_back(stage)
    assert messages_of(stage, rollout)[-1] == "what this rollout left is there again"
    assert shown(stage) == ""


def test_case_78_what_cannot_be_read_is_no_news(stage: Stacked) -> None:
    """A look that AWS does not answer says nothing, and the next one does."""
    rollout = settled(stage)
    stage.stack.update(STALE)
    stage.world.faults.outage(("ecs",))
    look_back(stage)
    assert messages_of(stage, rollout) == []
    stage.world.faults.end_outage()
    look_back(stage)
    assert len(messages_of(stage, rollout)) == 1


@pytest.mark.parametrize("ending", [Ending.KEEP, Ending.DELETE])
def test_case_78_after_a_swap_it_is_greens_place_that_is_looked_after(ending: Ending) -> None:
    """Where green stayed, a rule that leads to blue's group again leads to nobody: that is told, green is no news."""
    with Rehearsal(scalable=False) as stage:
        row = swapped(stage, ending)
        look_back(stage)
        assert messages_of(stage, row.id) == []
        actions = [{"Type": "forward", "TargetGroupArn": stage.scenery.target_group}]
        call(stage, "ModifyRule", RuleArn=stage.scenery.rules[0], Actions=actions)
        look_back(stage)
        (words,) = messages_of(stage, row.id)
        assert row.green is not None
        assert f"gives teal-{row.green.name}-0 nothing: it forwards to checkout-blue" in words


def test_case_78_a_service_with_a_rollout_under_way_is_left_to_it(stage: Stacked) -> None:
    """While a rollout runs it is the one that notices."""
    first = settled(stage)
    second = stage.start(stage.spec(stage.revision()), key="second")
    stage.until(second, Phase.SHIFTING)
    stage.run(Aftercare(stage.store, stage.cloud, stage.clock).look())
    assert (messages_of(stage, first), messages_of(stage, second), shown(stage)) == ([], [], "")
