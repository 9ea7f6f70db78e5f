"""A service that Terraform or CloudFormation made from the page's own blocks, with its users and an engine."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from api.cli.commands.outputs import outputs_of
from orchestrator.core.domain.errors import NotFound
from orchestrator.engine.views import services
from sandbox.scenarios.scenery import Scenery, register
from sandbox.world.kernel.settings import WorldSettings
from sandbox.world.world import World
from tests.iac import hcl
from tests.iac.cloudformation import Stack
from tests.iac.terraform import Terraform
from tests.support.rehearsal import Rehearsal

SUBNETS, SECURITY_GROUPS = ["subnet-0aaa", "subnet-0bbb"], ["sg-0123"]
CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/1"
SERVICE = "checkout"


class Built(Rehearsal):
    """A rehearsal of what Terraform built from these blocks; every call is checked by botocore's own shapes."""

    def __init__(self, texts: Sequence[str], *, without: Collection[str] = ()) -> None:
        self._texts, self._without = texts, without
        super().__init__(settings=replace(WorldSettings.kind(), validate=True), build=self._build)
        self.let_run(
            6 * self.world.minute
        )  # its policy took tasks away before the first users came, and gives back

    def _build(self, world: World) -> Scenery:
        """The team's network, cluster and load balancer; everything else is made by the first apply."""
        known = around(world)
        blocks = [block for text in self._texts for block in hcl.parse(text)]
        blocks = [block for block in blocks if not block.labels or block.labels[0] not in self._without]
        self.terraform = Terraform(world, blocks, known, self._outputs)
        self.terraform.create()
        state = self.terraform.state
        listener = state["aws_lb_listener.https"]
        rules = world.call("elbv2", "DescribeRules", {"ListenerArn": listener})["Rules"]
        return Scenery(
            cluster=known["aws_ecs_cluster.prod.name"],
            cluster_arn=known["aws_ecs_cluster.prod.arn"],
            service=SERVICE,
            service_arn=state["aws_ecs_service.checkout"],
            load_balancer=known["aws_lb.main.arn"],
            listeners=(listener,),
            rules=tuple(rule["RuleArn"] for rule in rules),
            target_group=state["aws_lb_target_group.checkout"],
            task_definition=state["aws_ecs_task_definition.checkout"],
            alarms=(),
            container=SERVICE,
            container_port=8080,
        )

    def _outputs(self, program: list[str], query: Mapping[str, str]) -> Mapping[str, str]:
        """What `teal outputs` answers Terraform with this query on standard input."""
        assert program == ["teal", "outputs"], program
        name = query["service"]
        try:
            return outputs_of(name, self.run(services.service(name, store=self.store)))
        except (NotFound, AttributeError):  # no rollout of it yet, or nothing of Teal's is up yet
            assert query["allow_unknown"] == "true", "it fails"
            return outputs_of(name, None)


class Stacked(Rehearsal):
    """A rehearsal of what CloudFormation built from this template, scaled to three tasks."""

    def __init__(self, text: str) -> None:
        self._text = text
        super().__init__(settings=replace(WorldSettings.kind(), validate=True), build=self._build)

    def _build(self, world: World) -> Scenery:
        known = around(world)
        listener = world.call(
            "elbv2",
            "CreateListener",
            {
                "LoadBalancerArn": known["aws_lb.main.arn"],
                "Protocol": "HTTP",
                "Port": 80,
                "DefaultActions": [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
            },
        )["Listeners"][0]["ListenerArn"]
        parameters = {
            "Revision": register(world, family=SERVICE),
            "Vpc": known["var.vpc_id"],
            "Subnets": SUBNETS,
            "SecurityGroups": SECURITY_GROUPS,
            "Listener": listener,
        }
        self.stack = Stack(world, self._text, parameters)
        made = self.stack.made
        world.call("ecs", "UpdateService", {"cluster": "prod", "service": SERVICE, "desiredCount": 3})
        return Scenery(
            cluster=known["aws_ecs_cluster.prod.name"],
            cluster_arn=known["aws_ecs_cluster.prod.arn"],
            service=SERVICE,
            service_arn=made["Service"],
            load_balancer=known["aws_lb.main.arn"],
            listeners=(listener,),
            rules=(made["Rule"],),
            target_group=made["TargetGroup"],
            task_definition=parameters["Revision"],
            alarms=(),
            container=SERVICE,
            container_port=8080,
        )

    def scaling(self) -> dict[str, Any]:
        """The service's scalable target as described."""
        asked = {"ServiceNamespace": "ecs", "ResourceIds": [f"service/prod/{SERVICE}"]}
        found = self.world.call("application-autoscaling", "DescribeScalableTargets", asked)
        target: dict[str, Any] = found["ScalableTargets"][0]
        return target


def around(world: World) -> dict[str, Any]:
    """What the page's blocks refer to and the team has already, by the names that they use."""
    balancer = world.call(
        "elbv2",
        "CreateLoadBalancer",
        {"Name": "main", "Subnets": SUBNETS, "SecurityGroups": SECURITY_GROUPS},
    )["LoadBalancers"][0]
    search = world.call(
        "elbv2",
        "CreateTargetGroup",
        {
            "Name": "search",
            "Protocol": "HTTP",
            "Port": 8080,
            "VpcId": balancer["VpcId"],
            "TargetType": "ip",
        },
    )["TargetGroups"][0]
    cluster = world.call("ecs", "CreateCluster", {"clusterName": "prod"})["cluster"]
    return {
        "aws_lb.main.arn": balancer["LoadBalancerArn"],
        "aws_lb.main.arn_suffix": balancer["LoadBalancerArn"].partition(":loadbalancer/")[2],
        "aws_lb_target_group.search.arn": search["TargetGroupArn"],
        "aws_ecs_cluster.prod.arn": cluster["clusterArn"],
        "aws_ecs_cluster.prod.name": cluster["clusterName"],
        "var.vpc_id": balancer["VpcId"],
        "var.certificate_arn": CERTIFICATE,
        "var.subnets": SUBNETS,
        "var.security_groups": SECURITY_GROUPS,
    }
