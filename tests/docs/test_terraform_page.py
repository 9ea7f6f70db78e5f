"""docs/terraform.md: its blocks are what tests/cases/test_77_* build from and plan with, and they say what the text says."""

import re

from api.cli.commands.outputs import outputs_of
from tests.iac import hcl
from tests.iac import page


def resources() -> dict[str, hcl.Block]:
    return {block.address: block for text in page.blocks("hcl") for block in hcl.parse(text)}


def ignored(block: hcl.Block) -> list[str]:
    lifecycle = block.inner("lifecycle")
    return [name.path for name in lifecycle.attributes["ignore_changes"]] if lifecycle else []


def test_what_forwards_to_the_service_leaves_its_actions_to_teal() -> None:
    kinds = {"aws_lb_listener": "default_action", "aws_lb_listener_rule": "action"}
    found = [block for block in resources().values() if block.labels[0] in kinds]
    assert len(found) == 3
    assert all(ignored(block) == [kinds[block.labels[0]]] for block in found)


def test_the_service_leaves_its_revision_and_its_count_to_releases_and_scaling() -> None:
    service = resources()["aws_ecs_service.checkout"]
    assert ignored(service) == ["task_definition", "desired_count"]
    assert resources()["aws_ecs_task_definition.checkout"].attributes["skip_destroy"] is True
    assert resources()["aws_appautoscaling_target.checkout"].inner("suspended_state") is None


def test_every_reference_is_to_a_block_of_the_page_or_to_what_a_reader_has() -> None:
    theirs = re.compile(r"var\.|aws_lb\.main\.|aws_lb_target_group\.search\.|aws_ecs_cluster\.prod\.")
    named = re.findall(r"\b(?:aws_\w+|var)\.\w+(?:\.\w+)?", "\n".join(page.blocks("hcl")))
    parts = ("arn", "name", "arn_suffix", "resource_id", "service_namespace", "scalable_dimension")
    known = {name for address in resources() for name in (address, *(f"{address}.{part}" for part in parts))}
    assert named
    assert [name for name in named if name not in known and not theirs.match(name)] == []


def test_the_template_says_neither_a_count_nor_what_is_suspended() -> None:
    (template,) = page.blocks("yaml")
    assert not re.search(r"^ *(DesiredCount|SuspendedState):", template, re.MULTILINE)
    assert "TaskDefinition: !Ref Revision" in template


def test_a_swaps_blocks_ask_for_what_teal_outputs_prints() -> None:
    asked = re.findall(r'data\.external\.teal\.result\["(\w+)"\]', page.TEXT)
    assert set(asked) == {"target_group_arn", "service_name"} <= outputs_of("", None).keys()
    found = {block.address for text in page.blocks("terraform") for block in hcl.parse(text)}
    assert {"data.external.teal", "locals", "removed"} == found
