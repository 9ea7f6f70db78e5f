"""What is really so in a World, read past its calls: no throttle, no stale answer, no trace in its log."""

import json
from dataclasses import dataclass
from typing import Any

from sandbox.world.autoscaling.targets import ScalableTarget
from sandbox.world.ecs.resources import Service
from sandbox.world.world import World

Actions = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class RuleTruth:
    """A rule's actions, conditions and priority as they are written, whatever is in force yet."""

    actions: str
    conditions: str
    priority: int


class Truth:
    """Looks into a World's state."""

    def __init__(self, world: World) -> None:
        self._balancing, self._containers = world._balancing, world._containers
        self._scaling, self._alarms = world.autoscaling, world._alarms

    def rule(self, arn: str) -> RuleTruth:
        """A rule, or a listener's default rule."""
        listeners = self._balancing.listeners.values()
        found = next((rule for x in listeners for rule in x.in_order() if rule.arn == arn), None)
        assert found is not None, f"the World lost {arn}"
        return RuleTruth(
            actions=json.dumps(found.actions, sort_keys=True),
            conditions=json.dumps(found.conditions, sort_keys=True),
            priority=found.priority,
        )

    def default_rule_of(self, listener: str) -> str:
        """The ARN of a listener's default rule."""
        return self._balancing.listeners[listener].default.arn

    def groups(self) -> dict[str, str]:
        """Every target group's name by ARN."""
        return {group.arn: group.name for group in self._balancing.groups.values()}

    def group_tags(self, arn: str) -> dict[str, str]:
        """A target group's tags."""
        return dict(self._balancing.groups[arn].tags)

    def healthy(self, group: str) -> int:
        """How many targets of a group are healthy."""
        found = self._balancing.groups.get(group)
        return sum(t.state == "healthy" for t in found.targets.values()) if found else 0

    def in_use(self, group: str) -> int:
        """How many targets of a group may still have requests: all that are registered, or draining."""
        found = self._balancing.groups.get(group)
        return len(found.targets) if found else 0

    def services(self) -> list[Service]:
        """Every service that is not INACTIVE."""
        return [service for service in self._containers.services.values() if service.status != "INACTIVE"]

    def service(self, name: str) -> Service | None:
        """A service that is not INACTIVE."""
        return next((service for service in self.services() if service.name == name), None)

    def active_revisions(self, family: str) -> list[str]:
        """The ACTIVE revisions of a family."""
        known = self._containers.definitions.get(family, [])
        return [each.family_revision for each in known if each.body["status"] == "ACTIVE"]

    def runs_only(self, name: str, task_definition: str) -> bool:
        """True if a service's only deployment is a completed one of this revision."""
        service = self.service(name)
        return (
            service is not None
            and len(service.deployments) == 1
            and service.deployments[0].revision.definition.arn == task_definition
            and service.deployments[0].state == "COMPLETED"
        )

    def scalable_target(self, cluster: str, service: str) -> ScalableTarget | None:
        """A service's scalable target, if it has one."""
        return self._scaling._targets.get(f"service/{cluster}/{service}")

    def scalable_targets(self) -> list[str]:
        """The services that have a scalable target."""
        return [resource.rsplit("/", 1)[1] for resource in self._scaling._targets]

    def alarms(self) -> dict[str, str]:
        """Every alarm by name, as it was put."""
        return {name: json.dumps(each.settings, sort_keys=True) for name, each in self._alarms._all.items()}

    def alarm_states(self) -> dict[str, str]:
        """Every alarm's state by its name."""
        return {name: each.state for name, each in self._alarms._all.items()}

    def scales(self, cluster: str, service: str) -> str:
        """A service's policies and scheduled actions, as text that can be compared."""
        target = self.scalable_target(cluster, service)
        if target is None:
            return ""
        policies = {name: (each.kind, each.configuration) for name, each in target.policies.items()}
        actions = {name: each.settings for name, each in target.actions.items()}
        return json.dumps([policies, actions], sort_keys=True, default=str)

    def scaling(self, cluster: str, service: str) -> str:
        """A service's scalable target, as text that can be compared."""
        target = self.scalable_target(cluster, service)
        return "" if target is None else f"{target.least}..{target.most} {sorted(target.suspended.items())}"


def weights(actions: str | Actions) -> dict[str, int]:
    """The weights of the forward in an action list."""
    parsed: Actions = json.loads(actions) if isinstance(actions, str) else actions
    forward = next((a for a in parsed if a["Type"] == "forward"), None)
    if forward is None:
        return {}
    groups = (forward.get("ForwardConfig") or {}).get("TargetGroups") or [
        {"TargetGroupArn": forward["TargetGroupArn"], "Weight": 1}
    ]
    return {group["TargetGroupArn"]: group.get("Weight", 1) for group in groups}


def share(actions: str | Actions, group: str) -> float:
    """A group's share of a rule's requests, 0 to 1."""
    found = weights(actions)
    total = sum(found.values())
    if len(found) == 1:
        return float(group in found)
    return found.get(group, 0) / total if total else 0.0


def besides_weights(actions: str | Actions, *groups: str) -> str:
    """Everything an action list says besides the weights of these groups and whether they stand in it."""
    parsed: Actions = json.loads(actions) if isinstance(actions, str) else json.loads(json.dumps(actions))
    for action in parsed:
        if action["Type"] == "forward":
            config = action.pop("ForwardConfig", None) or {}
            action.pop("TargetGroupArn", None)
            sticky = config.get("TargetGroupStickinessConfig") or {}
            action["sticky"] = sticky if sticky.get("Enabled") else {}
    others = sorted(group for group in weights(actions) if group not in groups)
    return json.dumps([parsed, others], sort_keys=True)
