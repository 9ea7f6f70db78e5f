"""An ordinary load-balanced service, built through the World's own calls as a user would build it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sandbox.world.kernel.errors import AwsRefusal, Json
from sandbox.world.world import World

_SUBNETS = ["subnet-0aaa", "subnet-0bbb"]
_SECURITY_GROUP = "sg-0123"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenery:
    """What `furnish` built: names as a user would give them, ARNs as AWS gave them."""

    cluster: str
    cluster_arn: str
    service: str
    service_arn: str
    load_balancer: str
    listeners: tuple[str, ...]
    rules: tuple[str, ...]  # those that forward to the service, the default one last if it does
    target_group: str
    task_definition: str
    alarms: tuple[str, ...]
    container: str
    container_port: int
    test_listener: str = ""  # a second listener that users do not come by; empty: there is none
    test_rules: tuple[str, ...] = ()


def furnish(  # noqa: PLR0913 - every one has a default, and callers name what they change
    world: World,
    *,
    cluster: str = "prod",
    service: str = "checkout",
    desired: int = 3,
    container_port: int = 8080,
    environment: Mapping[str, str] | None = None,
    command: Sequence[str] = (),
    rules: int = 1,
    default_rule: bool = False,
    listener_port: int = 80,
    draining: timedelta = timedelta(seconds=2),
    check_interval: timedelta = timedelta(seconds=5),
    scalable: bool = True,
    alarms: bool = True,
    load_balancer: str | None = None,
    deployment: Json | None = None,
    test_port: int = 0,
) -> Scenery:
    """Build a service behind a listener with `rules` path rules (the listener's default is 404 unless asked).

    With virtual tasks it is steady a little later: see `until_steady`. A second service can share the
    `load_balancer` (ARN) of a first; it then needs another listener port. `test_port`: a test listener on this port
    forwards to the service too; 0: there is none.
    """
    elb = _ElbBuilder(world, service)
    balancer = load_balancer or elb.balancer(f"{cluster}-lb")
    group = elb.group(container_port, draining=draining, check_interval=check_interval)
    listener = elb.listener(balancer, listener_port, group if default_rule else None)
    rule_arns = [elb.rule(listener, group, number) for number in range(rules)]
    if default_rule:
        shown = world.call("elbv2", "DescribeRules", {"ListenerArn": listener})["Rules"]
        rule_arns += [rule["RuleArn"] for rule in shown if rule["IsDefault"]]
    test_listener = elb.listener(balancer, test_port, None) if test_port else ""
    test_rules = (elb.rule(test_listener, group, 0),) if test_listener else ()
    cluster_arn = world.call("ecs", "CreateCluster", {"clusterName": cluster})["cluster"]["clusterArn"]
    definition = register(
        world, family=service, container_port=container_port, environment=environment, command=command
    )
    created = _create_service(world, cluster, service, definition, group, container_port, desired, deployment)
    if scalable:
        _scalable(world, cluster, service, desired)
    names = (alarm(world, f"{service}-5xx", balancer, group),) if alarms else ()
    return Scenery(
        cluster=cluster,
        cluster_arn=cluster_arn,
        service=service,
        service_arn=created,
        load_balancer=balancer,
        listeners=(listener,),
        rules=tuple(rule_arns),
        target_group=group,
        task_definition=definition,
        alarms=names,
        container=service,
        container_port=container_port,
        test_listener=test_listener,
        test_rules=test_rules,
    )


def register(
    world: World,
    *,
    family: str,
    container_port: int = 8080,
    environment: Mapping[str, str] | None = None,
    command: Sequence[str] = (),
) -> str:
    """Register the next revision of a family with one container of the same name; returns its ARN."""
    container: Json = {
        "name": family,
        "image": f"example.com/{family}:latest",
        "essential": True,
        "portMappings": [{"containerPort": container_port}],
        "environment": [{"name": name, "value": value} for name, value in (environment or {}).items()],
        "stopTimeout": 10,
    }
    if command:
        container["command"] = list(command)
    definition: Json = {
        "family": family,
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "256",
        "memory": "512",
        "containerDefinitions": [container],
    }
    answer = world.call("ecs", "RegisterTaskDefinition", definition)
    return str(answer["taskDefinition"]["taskDefinitionArn"])


def alarm(
    world: World, name: str, balancer: str, group: str, *, threshold: float = 5, periods: int = 2
) -> str:
    """An alarm on a target group's own 5XX answers; returns its name."""
    world.call(
        "cloudwatch",
        "PutMetricAlarm",
        {
            "AlarmName": name,
            "Namespace": "AWS/ApplicationELB",
            "MetricName": "HTTPCode_Target_5XX_Count",
            "Dimensions": [
                {"Name": "LoadBalancer", "Value": balancer.split(":loadbalancer/", 1)[1]},
                {"Name": "TargetGroup", "Value": group.rsplit(":", 1)[1]},
            ],
            "Statistic": "Sum",
            "Period": int(world.minute.total_seconds()),
            "EvaluationPeriods": periods,
            "Threshold": threshold,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
        },
    )
    return name


def until_steady(world: World, scenery: Scenery, *, within: timedelta = timedelta(minutes=10)) -> None:
    """Advance virtual time until the service's only deployment is complete. Raises TimeoutError."""
    end = world.now + within
    while world.now < end:
        asked = {"cluster": scenery.cluster, "services": [scenery.service]}
        try:
            services = world.call("ecs", "DescribeServices", asked)["services"]
        except AwsRefusal as refusal:
            if refusal.code != "ThrottlingException":
                raise
            services = []
        if services and [d["rolloutState"] for d in services[0]["deployments"]] == ["COMPLETED"]:
            return
        world.advance(timedelta(seconds=1))
    raise TimeoutError(f"{scenery.service} is not steady after {within}")


class _ElbBuilder:
    """The load balancer's part."""

    def __init__(self, world: World, service: str) -> None:
        self._world = world
        self._service = service

    def balancer(self, name: str) -> str:
        params = {"Name": name, "Subnets": _SUBNETS, "SecurityGroups": [_SECURITY_GROUP]}
        answer = self._world.call("elbv2", "CreateLoadBalancer", params)
        return str(answer["LoadBalancers"][0]["LoadBalancerArn"])

    def group(self, port: int, *, draining: timedelta, check_interval: timedelta) -> str:
        seconds = max(1, int(check_interval.total_seconds()))
        balancer_vpc = self._world.call("elbv2", "DescribeLoadBalancers", {})["LoadBalancers"][0]["VpcId"]
        params = {
            "Name": f"{self._service}-blue",
            "Protocol": "HTTP",
            "Port": port,
            "VpcId": balancer_vpc,
            "TargetType": "ip",
            "HealthCheckPath": "/healthz",
            "HealthCheckIntervalSeconds": seconds,
            "HealthCheckTimeoutSeconds": max(1, seconds - 1),
            "HealthyThresholdCount": 2,
        }
        arn = str(self._world.call("elbv2", "CreateTargetGroup", params)["TargetGroups"][0]["TargetGroupArn"])
        delay = {"Key": "deregistration_delay.timeout_seconds", "Value": str(int(draining.total_seconds()))}
        self._world.call(
            "elbv2", "ModifyTargetGroupAttributes", {"TargetGroupArn": arn, "Attributes": [delay]}
        )
        return arn

    def listener(self, balancer: str, port: int, group: str | None) -> str:
        action: Json = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
        if group:
            action = {"Type": "forward", "TargetGroupArn": group}
        params = {"LoadBalancerArn": balancer, "Protocol": "HTTP", "Port": port, "DefaultActions": [action]}
        return str(self._world.call("elbv2", "CreateListener", params)["Listeners"][0]["ListenerArn"])

    def rule(self, listener: str, group: str, number: int) -> str:
        path = "/*" if number == 0 else f"/{self._service}-{number}/*"
        params = {
            "ListenerArn": listener,
            "Priority": 1000 - number,  # the catch-all comes last
            "Conditions": [{"Field": "path-pattern", "Values": [path]}],
            "Actions": [{"Type": "forward", "TargetGroupArn": group}],
        }
        return str(self._world.call("elbv2", "CreateRule", params)["Rules"][0]["RuleArn"])


def _create_service(
    world: World,
    cluster: str,
    service: str,
    definition: str,
    group: str,
    port: int,
    desired: int,
    deployment: Json | None,
) -> str:
    params: Json = {
        "cluster": cluster,
        "serviceName": service,
        "taskDefinition": definition,
        "desiredCount": desired,
        "launchType": "FARGATE",
        "networkConfiguration": {
            "awsvpcConfiguration": {
                "subnets": _SUBNETS,
                "securityGroups": [_SECURITY_GROUP],
                "assignPublicIp": "DISABLED",
            }
        },
        "loadBalancers": [{"targetGroupArn": group, "containerName": service, "containerPort": port}],
        "healthCheckGracePeriodSeconds": 30,
        "availabilityZoneRebalancing": "DISABLED",
        "tags": [{"key": "team", "value": "shop"}],
    }
    if deployment:
        params["deploymentConfiguration"] = deployment
    for _ in range(50):
        try:
            return str(world.call("ecs", "CreateService", params)["service"]["serviceArn"])
        except AwsRefusal as refusal:
            if "new ARN" in refusal.message:  # the account gives services no tags
                del params["tags"]
            elif "associated load balancer" not in refusal.message:
                raise
            # the association is not visible yet: ask again, as one does on AWS
    raise TimeoutError("the target group's association never became visible")


def _scalable(world: World, cluster: str, service: str, desired: int) -> None:
    world.call(
        "application-autoscaling",
        "RegisterScalableTarget",
        {
            "ServiceNamespace": "ecs",
            "ResourceId": f"service/{cluster}/{service}",
            "ScalableDimension": "ecs:service:DesiredCount",
            "MinCapacity": max(1, desired - 1) if desired else 0,
            "MaxCapacity": max(desired * 4, 4),
        },
    )
