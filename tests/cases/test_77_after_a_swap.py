"""What ``terraform apply`` sends around a rollout that ends in a swap, with the blocks of docs/terraform.md for it."""

from collections.abc import Iterator

import pytest

from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.rollout.spec import Ending
from tests.cases.looks import live_services, service_of
from tests.iac import page
from tests.iac.stage import Built
from tests.iac.terraform import Terraform

ACTIONS = ("aws_lb_listener.https", "aws_lb_listener_rule.checkout", "aws_lb_listener_rule.shared")
GROUP = "aws_lb_target_group.checkout"
SERVICE = "aws_ecs_service.checkout"
SCALING = {
    each + what for each in ("aws_appautoscaling_",) for what in ("target", "policy", "scheduled_action")
}


@pytest.fixture
def stage() -> Iterator[Built]:
    """What the page's blocks for a swap make, with users."""
    with Built(blocks(Ending.KEEP), without=SCALING) as built:
        yield built


def blocks(ending: Ending) -> list[str]:
    """The page's blocks, with the replacement that the page tells, and the service taken out where it says so."""
    asking, removing = page.blocks("terraform")
    texts = [block for text in page.blocks("hcl") for block in page.parted(text)]
    rules = ('resource "aws_lb_listener"', 'resource "aws_lb_listener_rule"')
    texts = [
        text.replace(f"{GROUP}.arn", "local.serving") if text.startswith(rules) else text for text in texts
    ]
    texts = [text for text in texts if not text.startswith('resource "aws_appautoscaling_')]
    if ending is Ending.KEEP:
        return [*texts, asking]
    return [*(text for text in texts if not text.startswith('resource "aws_ecs_service"')), asking, removing]


def with_actions(terraform: Terraform) -> Terraform:
    """Without the lines that leave the actions to Teal."""
    for address in ACTIONS:
        terraform = terraform.edit(address, ignoring=())
    return terraform


def swapped(stage: Built, terraform: Terraform, ending: Ending, *, key: str = "rehearsal") -> Rollout:
    """A rollout that ends in a swap, with an apply in every second of it."""
    rollout = stage.start(stage.spec(stage.revision(), ending=ending), key=key)
    phases = set()
    while not stage.row(rollout).phase.is_final:
        stage.let_run(stage.world.minute / 60)
        phases.add(stage.row(rollout).phase)
        assert terraform.apply().changes == ()
    assert phases >= {Phase.SHIFTING, Phase.WATCHING, Phase.RETIRING, Phase.SUCCEEDED}, stage.story(rollout)
    return stage.row(rollout)


@pytest.mark.long
def test_case_77_with_swap_keep_nothing_is_planned_before_during_and_after(stage: Built) -> None:
    """A second swap leaves as little to apply as the first, also to who ignores no action."""
    assert with_actions(stage.terraform).plan().changes == ()
    for key in ("first", "second"):
        row = swapped(stage, stage.terraform, Ending.KEEP, key=key)
        assert row.green is not None
        assert live_services(stage) == ["checkout", row.green.name]
        assert service_of(stage)["desiredCount"] == 0
        assert with_actions(stage.terraform).plan().changes == ()
    left = with_actions(stage.terraform).edit(SERVICE, ignoring=()).plan().attributes
    assert left == {f"{SERVICE}.desired_count"}, "the kept service runs nothing"


@pytest.mark.long
def test_case_77_with_swap_delete_terraform_has_forgotten_the_service(stage: Built) -> None:
    """Nothing is planned, and nothing of what was deleted is made anew."""
    forgetful = stage.terraform.written_as(blocks(Ending.DELETE))
    for key in ("first", "second"):
        row = swapped(stage, forgetful, Ending.DELETE, key=key)
        assert row.green is not None
        assert live_services(stage) == [row.green.name]
        assert with_actions(forgetful).plan().changes == ()


@pytest.mark.long
def test_case_77_a_rule_that_an_apply_changes_after_a_swap_still_leads_to_who_serves(stage: Built) -> None:
    swapped(stage, stage.terraform, Ending.KEEP)
    rejected = stage.traffic.totals.rejected
    changed = with_actions(stage.terraform).edit("aws_lb_listener_rule.checkout", tags={"team": "shop"})
    assert changed.apply().attributes == {"aws_lb_listener_rule.checkout.tags"}
    stage.let_run(stage.world.minute)
    assert stage.traffic.totals.rejected == rejected


@pytest.mark.long
def test_case_77_an_action_that_names_the_first_group_would_lead_nowhere_after_a_swap(stage: Built) -> None:
    """Why the page asks who serves: the blocks for `settle` give the users to a group without targets."""
    swapped(stage, stage.terraform, Ending.KEEP)
    texts = [text.replace("local.serving", f"{GROUP}.arn") for text in blocks(Ending.KEEP)]
    unaware = with_actions(stage.terraform.written_as(texts))
    assert unaware.plan().attributes == {
        "aws_lb_listener.https.default_action",
        "aws_lb_listener_rule.checkout.action",
        "aws_lb_listener_rule.shared.action",
    }
