"""Clusters and task definitions."""

from orchestrator.sandbox.world.ecs.state import Containers, Definition
from orchestrator.sandbox.world.errors import AwsRefusal, Json
from orchestrator.sandbox.world.operation import Operation, operation

_MEMBERS = (
    "taskRoleArn",
    "executionRoleArn",
    "networkMode",
    "volumes",
    "placementConstraints",
    "requiresCompatibilities",
    "cpu",
    "memory",
    "pidMode",
    "ipcMode",
    "proxyConfiguration",
    "inferenceAccelerators",
    "ephemeralStorage",
    "runtimePlatform",
    "enableFaultInjection",
)


class Definitions:
    """CreateCluster, RegisterTaskDefinition, DescribeTaskDefinition."""

    def __init__(self, containers: Containers) -> None:
        self._all = containers

    def operations(self) -> dict[str, Operation]:
        """The operations by their AWS names."""
        return {
            "CreateCluster": operation(self.create_cluster, "clusterName", "tags", "settings"),
            "RegisterTaskDefinition": operation(
                self.register, "family", "containerDefinitions", "tags", *_MEMBERS
            ),
            "DescribeTaskDefinition": operation(self.describe, "taskDefinition", "include"),
        }

    def create_cluster(self, params: Json) -> Json:
        """CreateCluster; an existing one is answered as it is."""
        name = params.get("clusterName", "default")
        if name not in self._all.clusters:
            self._all.clusters[name] = {
                "clusterArn": self._all.kernel.arn("ecs", f"cluster/{name}"),
                "clusterName": name,
                "status": "ACTIVE",
                "registeredContainerInstancesCount": 0,
                "statistics": [],
                "tags": list(params.get("tags", ())),
                "settings": list(
                    params.get("settings", [{"name": "containerInsights", "value": "disabled"}])
                ),
                "capacityProviders": [],
                "defaultCapacityProviderStrategy": [],
            }
        services = [s for s in self._all.services.values() if s.cluster == name and s.status == "ACTIVE"]
        tasks = [task for service in services for task in service.tasks.values()]
        counts = {
            "runningTasksCount": sum(task.last == "RUNNING" for task in tasks),
            "pendingTasksCount": sum(task.started is None for task in tasks),
            "activeServicesCount": len(services),
        }
        return {"cluster": self._all.clusters[name] | counts}

    def register(self, params: Json) -> Json:
        """RegisterTaskDefinition: the family's next revision."""
        if not params["containerDefinitions"]:
            raise AwsRefusal("ClientException", "Container list cannot be empty.")
        family = params["family"]
        known = self._all.definitions.setdefault(family, [])
        kernel = self._all.kernel
        revision = len(known) + 1
        arn = kernel.arn("ecs", f"task-definition/{family}:{revision}")
        body: Json = {
            "taskDefinitionArn": arn,
            "containerDefinitions": [_container(c) for c in params["containerDefinitions"]],
            "family": family,
            "revision": revision,
            "volumes": [],
            "status": "ACTIVE",
            "requiresAttributes": [],
            "placementConstraints": [],
            "compatibilities": ["EC2", *(["FARGATE"] if params.get("networkMode") == "awsvpc" else [])],
            "registeredAt": kernel.now,
            "registeredBy": f"arn:aws:iam::{kernel.account}:user/somebody",
            **{name: params[name] for name in _MEMBERS if name in params},
        }
        definition = Definition(arn=arn, body=body, tags=list(params.get("tags", ())))
        known.append(definition)
        return {"taskDefinition": body, "tags": definition.tags}

    def describe(self, params: Json) -> Json:
        """DescribeTaskDefinition by ARN, ``family:revision``, or family for the latest."""
        definition = self._all.definition(params["taskDefinition"])
        if definition is None:
            raise AwsRefusal("ClientException", "Unable to describe task definition.")
        answer: Json = {"taskDefinition": definition.body}
        return answer | ({"tags": definition.tags} if "TAGS" in params.get("include", ()) else {})


def _container(given: Json) -> Json:
    """A container definition with the defaults that ECS adds."""
    shown: Json = {
        "cpu": 0,
        "portMappings": [],
        "essential": True,
        "environment": [],
        "mountPoints": [],
        "volumesFrom": [],
        "systemControls": [],
        **given,
    }
    shown["portMappings"] = [
        {"hostPort": port["containerPort"], "protocol": "tcp", **port} for port in shown["portMappings"]
    ]
    return shown
