"""CloudFormation's stack updates for the template of docs/terraform.md, against the World.

A stack update compares templates and parameters with the former ones. A resource in which anything differs is sent with
all its properties; the others are not looked at. A drift-aware change set compares with what is there instead: to the
resources that differ it sends all properties too.

Sources: CloudFormation's user guide ("Update behaviors of stack resources", "Using drift-aware change sets"). What each
type's handler sends is not public; here it is everything that the template says and the API's update call takes.
"""

from collections.abc import Callable, Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import Node, ScalarNode, SequenceNode

from sandbox.world.world import World

Json = dict[str, Any]
ECS, ELB, SCALING = "ecs", "elbv2", "application-autoscaling"
SERVICE_UPDATE = {
    "TaskDefinition": "taskDefinition",
    "DesiredCount": "desiredCount",
    "HealthCheckGracePeriodSeconds": "healthCheckGracePeriodSeconds",
    "EnableExecuteCommand": "enableExecuteCommand",
    "DeploymentConfiguration": "deploymentConfiguration",
    "NetworkConfiguration": "networkConfiguration",
    "LoadBalancers": "loadBalancers",
}
SERVICE_CREATE = {**SERVICE_UPDATE, "ServiceName": "serviceName", "LaunchType": "launchType"}


def lower(value: Any) -> Any:  # noqa: ANN401 - a property of a template
    """ECS spells its members as CloudFormation does, but for the first letter."""
    if isinstance(value, dict):
        return {name[0].lower() + name[1:]: lower(each) for name, each in value.items()}
    return [lower(each) for each in value] if isinstance(value, list) else value


def without(properties: Json, *names: str) -> Json:
    """The properties but for these."""
    return {name: value for name, value in properties.items() if name not in names}


class Resource:
    """How one type is made, and what an update of it sends."""

    def __init__(self, make: Callable[[World, Json], str], send: Callable[[World, str, Json], None]) -> None:
        self.make, self.send = make, send


def make_group(world: World, given: Json) -> str:
    """CreateTargetGroup, ModifyTargetGroupAttributes."""
    made = world.call(ELB, "CreateTargetGroup", without(given, "TargetGroupAttributes"))["TargetGroups"][0]
    arn = str(made["TargetGroupArn"])
    send_group(world, arn, given)
    return arn


def send_group(world: World, arn: str, given: Json) -> None:
    """ModifyTargetGroup, ModifyTargetGroupAttributes."""
    checks = {name: value for name, value in given.items() if "Health" in name}
    world.call(ELB, "ModifyTargetGroup", {"TargetGroupArn": arn, **checks})
    attributes = {"TargetGroupArn": arn, "Attributes": given["TargetGroupAttributes"]}
    world.call(ELB, "ModifyTargetGroupAttributes", attributes)


def make_rule(world: World, given: Json) -> str:
    """CreateRule."""
    return str(world.call(ELB, "CreateRule", given)["Rules"][0]["RuleArn"])


def send_rule(world: World, arn: str, given: Json) -> None:
    """ModifyRule with both lists."""
    world.call(ELB, "ModifyRule", {"RuleArn": arn, **without(given, "ListenerArn", "Priority")})


def make_service(world: World, given: Json) -> str:
    """CreateService; without a count it is one task (CloudFormation's default at creation)."""
    asked = {member: lower(given[name]) for name, member in SERVICE_CREATE.items() if name in given}
    asked = {"desiredCount": 1, **asked, "cluster": given["Cluster"]}
    return str(world.call(ECS, "CreateService", asked)["service"]["serviceArn"])


def send_service(world: World, arn: str, given: Json) -> None:
    """UpdateService with all that the template says; a count that it does not name stays (aws/aws-cdk#13130)."""
    asked = {member: lower(given[name]) for name, member in SERVICE_UPDATE.items() if name in given}
    world.call(ECS, "UpdateService", {"cluster": given["Cluster"], "service": arn, **asked})


def make_target(world: World, given: Json) -> str:
    """RegisterScalableTarget."""
    world.call(SCALING, "RegisterScalableTarget", given)
    return str(given["ResourceId"])


def send_target(world: World, _: str, given: Json) -> None:
    """RegisterScalableTarget."""
    make_target(world, given)


TYPES: Mapping[str, Resource] = {
    "AWS::ElasticLoadBalancingV2::TargetGroup": Resource(make_group, send_group),
    "AWS::ElasticLoadBalancingV2::ListenerRule": Resource(make_rule, send_rule),
    "AWS::ECS::Service": Resource(make_service, send_service),
    "AWS::ApplicationAutoScaling::ScalableTarget": Resource(make_target, send_target),
}


class Stack:
    """A stack: its template, the parameters and properties of its last update, and what it made."""

    def __init__(self, world: World, text: str, parameters: Mapping[str, Any]) -> None:
        self.world, self.parameters = world, dict(parameters)
        self.made: dict[str, str] = {}  # physical ids by logical ones
        self.template = _parsed(text)
        for name, resource in self.template["Resources"].items():
            properties = self._resolved(resource["Properties"])
            self.made[name] = TYPES[resource["Type"]].make(world, properties)
        self.sent = self._properties()

    def update(self, text: str = "", *, everything: bool = False, **parameters: str) -> tuple[str, ...]:
        """A stack update; the resources that it sent. `everything`: as if each had changed somewhere."""
        self.template = _parsed(text) if text else self.template
        self.parameters |= parameters
        wanted = self._properties()
        changed = tuple(name for name in wanted if everything or wanted[name] != self.sent[name])
        self._send(changed, wanted)
        return changed

    def revert(self, *names: str) -> None:
        """A drift-aware change set that found these resources to differ from the template."""
        self._send(names, self._properties())

    def _send(self, names: tuple[str, ...], wanted: Mapping[str, Json]) -> None:
        for name in names:
            TYPES[self.template["Resources"][name]["Type"]].send(self.world, self.made[name], wanted[name])
        self.sent = dict(wanted)

    def _properties(self) -> dict[str, Json]:
        return {n: self._resolved(each["Properties"]) for n, each in self.template["Resources"].items()}

    def _resolved(self, value: Any) -> Any:  # noqa: ANN401 - a property of a template
        match value:
            case {"Ref": name}:
                return self.parameters.get(name) or self.made[name]
            case {"Fn::Sub": text}:
                for name, physical in self.made.items():
                    text = text.replace(f"${{{name}.Name}}", physical.rpartition("/")[2])
                return text
            case dict():
                return {name: self._resolved(each) for name, each in value.items()}
            case list():
                return [self._resolved(each) for each in value]
            case _:
                return value


def _parsed(text: str) -> Json:
    """A template, its short forms in their long ones."""
    reader = YAML(typ="safe", pure=True)

    def long(loader: Any, tag: str, node: Node) -> Json:  # noqa: ANN401 - ruamel's constructor
        assert isinstance(node, ScalarNode | SequenceNode)
        return {"Ref" if tag == "Ref" else f"Fn::{tag}": loader.construct_scalar(node)}

    reader.constructor.add_multi_constructor("!", long)
    found: Json = reader.load(text)
    return found
