"""A corner of an AWS account in which calls can be refused: made call by call as it is needed, and taken away again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

from sandbox.world.kernel.errors import AwsRefusal

Answer = dict[str, Any]
Call = Callable[[str, str, Answer], Answer]
"""(service, operation, parameters) in botocore's names and shapes -> the answer. Raises AwsRefusal."""
TRIES = 24  # to remove a thing that another still holds
FARGATE = {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512"}


class Needs(Exception):
    """A check cannot be made here, for want of what the message names."""


@dataclass(kw_only=True)
class Place:
    """Everything in it is named `name` and made once, when it is first asked for; no task of it ever runs for long."""

    call: Call
    name: str
    vpc: str
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    certificate: str = ""  # an ARN in Certificate Manager; empty: no check has an HTTPS listener
    image: str = "public.ecr.aws/docker/library/busybox:stable"
    stranger: Call | None = None  # calls with temporary credentials that nobody gave
    pause: Callable[[timedelta], None] = lambda _: None  # between tries to remove
    _undo: list[tuple[str, str, Answer]] = field(default_factory=list)

    def elb(self, operation: str, **params: Any) -> Answer:  # noqa: ANN401 - botocore's shapes
        """Elastic Load Balancing. Raises AwsRefusal."""
        return self.call("elbv2", operation, params)

    def ecs(self, operation: str, **params: Any) -> Answer:  # noqa: ANN401 - botocore's shapes
        """ECS. Raises AwsRefusal."""
        return self.call("ecs", operation, params)

    def make(self, undo: str, service: str, operation: str, params: Answer, *path: Any, key: str) -> str:  # noqa: ANN401
        """Make something; `path` leads to its name in the answer, and `undo` takes the name as `key`."""
        found: Any = self.call(service, operation, params)
        for step in path:
            found = found[step]
        self._undo.append((service, undo, {key: found}))
        return str(found)

    # what there is -----------------------------------------------------------------------------------------------

    def new_balancer(self, suffix: str) -> str:
        """An internal load balancer."""
        params = {
            "Name": f"{self.name}-{suffix}",
            "Subnets": list(self.subnets),
            "SecurityGroups": list(self.security_groups),
            "Scheme": "internal",
        }
        path = ("LoadBalancers", 0, "LoadBalancerArn")
        return self.make(
            "DeleteLoadBalancer", "elbv2", "CreateLoadBalancer", params, *path, key="LoadBalancerArn"
        )

    def new_listener(self, balancer: str, action: Answer | None = None, **more: Any) -> str:  # noqa: ANN401
        """A listener that answers 404 unless `action` says otherwise."""
        nothing = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
        params = {"LoadBalancerArn": balancer, "Protocol": "HTTP", "Port": 80, **more}
        params["DefaultActions"] = [action or nothing]
        path = ("Listeners", 0, "ListenerArn")
        return self.make("DeleteListener", "elbv2", "CreateListener", params, *path, key="ListenerArn")

    def group(self, suffix: str, **changes: Any) -> str:  # noqa: ANN401 - botocore's shapes
        """A target group without targets."""
        params = {"Name": f"{self.name}-{suffix}", "Protocol": "HTTP", "Port": 8080, "VpcId": self.vpc}
        params |= {"TargetType": "ip", **changes}
        path = ("TargetGroups", 0, "TargetGroupArn")
        return self.make(
            "DeleteTargetGroup", "elbv2", "CreateTargetGroup", params, *path, key="TargetGroupArn"
        )

    @cached_property
    def balancer(self) -> str:
        """The load balancer."""
        return self.new_balancer("lb")

    @cached_property
    def listener(self) -> str:
        """Its listener."""
        return self.new_listener(self.balancer)

    @cached_property
    def blue(self) -> str:
        """The target group of its rule."""
        return self.group("blue")

    @cached_property
    def rule(self) -> str:
        """Its one rule besides the default one, of priority 1000."""
        params = self.rule_params(self.forward(self.blue))
        return self.make("DeleteRule", "elbv2", "CreateRule", params, "Rules", 0, "RuleArn", key="RuleArn")

    @cached_property
    def cluster(self) -> str:
        """The cluster."""
        path = ("cluster", "clusterName")
        made = {"clusterName": self.name}
        return self.make("DeleteCluster", "ecs", "CreateCluster", made, *path, key="cluster")

    @cached_property
    def definition(self) -> str:
        """A task definition with a container of the place's name and port 8080."""
        return self.new_definition()

    @cached_property
    def service(self) -> str:
        """A service that wants no task."""
        return self.new_service(self.name)

    def new_definition(self) -> str:
        """The next revision."""
        container = {"name": self.name, "image": self.image, "portMappings": [{"containerPort": 8080}]}
        params = {"family": self.name, "containerDefinitions": [container], **FARGATE}
        path = ("taskDefinition", "taskDefinitionArn")
        undo = "DeregisterTaskDefinition"
        return self.make(undo, "ecs", "RegisterTaskDefinition", params, *path, key="taskDefinition")

    def new_service(self, name: str, **changes: Any) -> str:  # noqa: ANN401 - botocore's shapes
        """A service of this name; its name."""
        answer = self.ecs("CreateService", **self.service_params(name) | changes)
        self._undo.append(("ecs", "DeleteService", {"cluster": self.cluster, "service": name, "force": True}))
        return str(answer["service"]["serviceName"])

    # shapes ------------------------------------------------------------------------------------------------------

    @staticmethod
    def forward(*groups: str, **config: Any) -> Answer:  # noqa: ANN401 - botocore's shapes
        """An action that shares requests out evenly."""
        if len(groups) == 1 and not config:
            return {"Type": "forward", "TargetGroupArn": groups[0]}
        tuples = [{"TargetGroupArn": group, "Weight": 1} for group in groups]
        return {"Type": "forward", "ForwardConfig": {"TargetGroups": tuples, **config}}

    def rule_params(self, *actions: Answer, listener: str = "") -> Answer:
        """What a rule of priority 1000 is made with."""
        return {
            "ListenerArn": listener or self.listener,
            "Priority": 1000,
            "Conditions": [{"Field": "path-pattern", "Values": [f"/{self.name}"]}],
            "Actions": list(actions),
        }

    def service_params(self, name: str) -> Answer:
        """What a service in the rule's group is made with."""
        network = {"subnets": list(self.subnets), "securityGroups": list(self.security_groups)}
        assert self.rule
        return {
            "cluster": self.cluster,
            "serviceName": name,
            "taskDefinition": self.definition,
            "desiredCount": 0,
            "launchType": "FARGATE",
            "networkConfiguration": {"awsvpcConfiguration": network},
            "loadBalancers": [
                {"targetGroupArn": self.blue, "containerName": self.name, "containerPort": 8080}
            ],
        }

    def actions(self) -> list[Answer]:
        """The rule's actions as they are now."""
        return list(self.elb("DescribeRules", RuleArns=[self.rule])["Rules"][0]["Actions"])

    # the end -----------------------------------------------------------------------------------------------------

    def close(self) -> list[str]:
        """Remove everything that was made, the newest first; what is left, in words."""
        left = []
        for service, operation, params in reversed(self._undo):
            why = self._removed(service, operation, params)
            if why:
                left.append(f"{service} {operation} {' '.join(map(str, params.values()))}: {why}")
        self._undo.clear()
        return left

    def _removed(self, service: str, operation: str, params: Mapping[str, Any]) -> str:
        why = ""
        for _ in range(TRIES):
            try:
                self.call(service, operation, dict(params))
            except AwsRefusal as refusal:
                if "NotFound" in refusal.code or "NotActive" in refusal.code:
                    return ""
                why = str(refusal)
                self.pause(timedelta(seconds=5))
            else:
                return ""
        return why
