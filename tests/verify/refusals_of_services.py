"""What ECS refuses."""

from collections.abc import Callable

from tests.verify.check import Check
from tests.verify.place import Place


def _orphan(p: Place) -> object:
    entry = {"targetGroupArn": p.group("orphan"), "containerName": p.name, "containerPort": 8080}
    return p.new_service(f"{p.name}-1", loadBalancers=[entry])


def _container(name: str, port: int) -> Callable[[Place], object]:
    def attempt(p: Place) -> object:
        entry = {"targetGroupArn": p.blue, "containerName": name or p.name, "containerPort": port}
        return p.new_service(f"{p.name}-1", loadBalancers=[entry])

    return attempt


def _another_body(p: Place) -> object:
    token = f"{p.name}-token"
    name = p.new_service(f"{p.name}-2", clientToken=token)
    return p.new_service(name, clientToken=token, healthCheckGracePeriodSeconds=7)


def _without_network(p: Place) -> object:
    params = p.service_params(f"{p.name}-1")
    del params["networkConfiguration"]
    return p.ecs("CreateService", **params)


def _both_launch_types(p: Place) -> object:
    return p.new_service(f"{p.name}-1", capacityProviderStrategy=[{"capacityProvider": "FARGATE"}])


def _deletes_above_0(p: Place) -> object:
    service = {"cluster": p.cluster, "service": p.new_service(f"{p.name}-3")}
    p.ecs("UpdateService", **service, desiredCount=1)
    try:
        return p.ecs("DeleteService", **service)
    finally:
        p.ecs("UpdateService", **service, desiredCount=0)


def _inactive_revision(p: Place) -> object:
    revision = p.new_definition()
    p.ecs("DeregisterTaskDefinition", taskDefinition=revision)
    return p.new_service(f"{p.name}-1", taskDefinition=revision)


def _without_memory(p: Place) -> object:
    container = {"name": "a", "image": p.image}
    return p.ecs("RegisterTaskDefinition", family=p.name, containerDefinitions=[container])


def _eleven(p: Place) -> object:
    return p.ecs("DescribeServices", cluster=p.cluster, services=[f"{p.name}-{n}" for n in range(11)])


_CREATE = "Amazon ECS API Reference, CreateService"
_INVALID = "InvalidParameterException"

SERVICES = (
    Check(
        name="a group without a load balancer",
        code=_INVALID,
        says="does not have an associated load balancer",
        source="github.com/aws/aws-cdk#34290",
        attempt=_orphan,
    ),
    Check(
        name="a container that is not in the definition",
        code=_INVALID,
        says="does not exist in the task definition",
        source=_CREATE,
        attempt=_container("stranger", 8080),
    ),
    Check(
        name="a container port that is not in the definition",
        code=_INVALID,
        says="container port 9 defined",
        source=_CREATE,
        attempt=_container("", 9),
    ),
    Check(
        name="a service's name twice",
        code=_INVALID,
        says="not idempotent",
        source=_CREATE,
        attempt=lambda p: p.new_service(p.service, desiredCount=0, healthCheckGracePeriodSeconds=9),
    ),
    Check(
        name="a token with another body",
        code=_INVALID,
        says="not idempotent",
        source="Ensuring idempotency in Amazon ECS API requests",
        attempt=_another_body,
    ),
    Check(
        name="awsvpc without a network",
        code=_INVALID,
        says="Network Configuration must be provided",
        source=_CREATE,
        attempt=_without_network,
    ),
    Check(
        name="a launch type beside a capacity provider strategy",
        code=_INVALID,
        says="(?i)both a launch type",
        source=_CREATE,
        attempt=_both_launch_types,
    ),
    Check(
        name="deleting a service that wants tasks",
        code=_INVALID,
        says="scaled above 0",
        source="Amazon ECS API Reference, DeleteService",
        attempt=_deletes_above_0,
    ),
    Check(
        name="eleven services in a call",
        code=_INVALID,
        source="Amazon ECS API Reference, DescribeServices: up to 10",
        attempt=_eleven,
    ),
    Check(
        name="updating a service that is not there",
        code="ServiceNotFoundException",
        source="Amazon ECS API Reference, UpdateService",
        attempt=lambda p: p.ecs("UpdateService", cluster=p.cluster, service="none"),
    ),
    Check(
        name="a cluster that is not there",
        code="ClusterNotFoundException",
        source="Amazon ECS API Reference, ListServices",
        attempt=lambda p: p.ecs("ListServices", cluster=f"{p.name}-none"),
    ),
    Check(
        name="a task definition that is not there",
        code="ClientException",
        says="Unable to describe",
        source="Amazon ECS API Reference, DescribeTaskDefinition",
        attempt=lambda p: p.ecs("DescribeTaskDefinition", taskDefinition=f"{p.name}-none:1"),
    ),
    Check(
        name="a service of a revision that is deregistered",
        code="ClientException",
        says="(?i)inactive",
        source="Amazon ECS API Reference, DeregisterTaskDefinition",
        attempt=_inactive_revision,
    ),
    Check(
        name="a container without memory",
        code="ClientException",
        says="memoryReservation",
        source="Amazon ECS task definition parameters, memory",
        attempt=_without_memory,
    ),
)
