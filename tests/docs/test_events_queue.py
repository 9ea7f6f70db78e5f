"""The template of the events' queue, held to the events themselves and to what a queue's policy must say."""

import json
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from ruamel.yaml.nodes import Node

import docs
from sandbox.world.events.attributes import lets_eventbridge
from sandbox.world.events.patterns import Pattern
from tests.aws.events.test_eventbridge import ALARM
from tests.aws.events.test_eventbridge import CLUSTER
from tests.aws.events.test_eventbridge import of_service
from tests.aws.events.test_eventbridge import task

ROOT = Path(docs.__path__[0]).parent
TEMPLATE = ROOT / "helm-free" / "events-queue.yaml"
PAGE = ROOT / "docs" / "events-queue.md"


def template() -> dict[str, Any]:
    """The template with its references answered: the cluster's parameter, and names in place of ARNs."""
    reader = YAML(typ="safe", pure=True)

    def answered(_: object, tag: str, node: Node) -> str:
        name: str = node.value
        return CLUSTER if name == "ClusterArn" else name.removesuffix(".Arn")

    reader.constructor.add_multi_constructor("!", answered)
    found: dict[str, dict[str, Any]] = reader.load(TEMPLATE.read_text(encoding="utf-8"))
    return found["Resources"]


def rules() -> dict[str, Pattern]:
    return {
        name: Pattern.of(json.dumps(made["Properties"]["EventPattern"]))
        for name, made in template().items()
        if made["Type"] == "AWS::Events::Rule"
    }


@pytest.mark.parametrize(
    ("event", "sent_by"),
    [
        pytest.param(task(), ["Tasks"], id="a task"),
        pytest.param(of_service("ECS Service Action", clusterArn=CLUSTER), ["Tasks"], id="an action"),
        pytest.param(of_service("ECS Deployment State Change"), ["AlarmsAndDeployments"], id="a deployment"),
        pytest.param(ALARM, ["AlarmsAndDeployments"], id="an alarm"),
        pytest.param(task(clusterArn=CLUSTER + "-other"), [], id="a task of another cluster"),
    ],
)
def test_every_event_that_can_wake_a_rollout_is_sent_once(event: str, sent_by: list[str]) -> None:
    assert [name for name, rule in rules().items() if rule.matches(json.loads(event))] == sent_by


def test_every_rule_sends_to_the_queue_and_the_queue_lets_it() -> None:
    made = template()
    policy = json.dumps(made["QueuePolicy"]["Properties"]["PolicyDocument"])
    for name in rules():
        assert [target["Arn"] for target in made[name]["Properties"]["Targets"]] == ["Queue"]
        assert lets_eventbridge(policy, name)
    assert not lets_eventbridge(policy, "arn:aws:events:eu-west-1:123456789012:rule/other")


def test_the_pages_patterns_are_the_templates() -> None:
    blocks = PAGE.read_text(encoding="utf-8").split("```json\n")[1:]
    shown = [json.loads(block.split("```")[0]) for block in blocks]
    written = [
        json.loads(json.dumps(rule.tree).replace(CLUSTER, "arn:aws:ecs:REGION:ACCOUNT:cluster/CLUSTER"))
        for rule in rules().values()
    ]
    assert shown == written
