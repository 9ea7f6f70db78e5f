"""Clusters and task definitions."""

from sandbox.world.ecs import capacity_providers
from sandbox.world.ecs.resources import Definition
from sandbox.world.ecs.state import Containers
from sandbox.world.kernel.errors import AwsRefusal, Json, not_here
from sandbox.world.kernel.operation import Operation, new_tags, operation, page

INVALID = "InvalidParameterException"

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
    """CreateCluster, and task definitions: register, describe, list, deregister."""

    def __init__(self, containers: Containers) -> None:
        self._all = containers

    def operations(self) -> dict[str, Operation]:
        """The operations by their AWS names."""
        return {
            "PutAccountSetting": operation(self.put_setting, "name", "value"),
            "CreateCluster": operation(
                self.create_cluster,
                "clusterName",
                "tags",
                "settings",
                "capacityProviders",
                "defaultCapacityProviderStrategy",
            ),
            "DeleteCluster": operation(self.delete_cluster, "cluster"),
            "DescribeClusters": operation(self.describe_clusters, "clusters", "include"),
            "RegisterTaskDefinition": operation(
                self.register, "family", "containerDefinitions", "tags", *_MEMBERS
            ),
            "DescribeTaskDefinition": operation(self.describe, "taskDefinition", "include"),
            "ListTaskDefinitions": operation(
                self.list_revisions, "familyPrefix", "status", "sort", "maxResults", "nextToken"
            ),
            "DeregisterTaskDefinition": operation(self.deregister, "taskDefinition"),
        }

    def put_setting(self, params: Json) -> Json:
        """PutAccountSetting of the long ARNs: for what is made from now on."""
        name = params["name"]
        if name not in self._all.long_arns:
            raise not_here(f"account setting {name}")
        self._all.long_arns[name] = params["value"] == "enabled"
        return {"setting": {"name": name, "value": params["value"]}}

    def create_cluster(self, params: Json) -> Json:
        """CreateCluster; an existing one is answered as it is."""
        name = params.get("clusterName", "default")
        providers = list(params.get("capacityProviders", ()))
        strategy = params.get("defaultCapacityProviderStrategy", [])
        capacity_providers.check(strategy, providers)
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
                "capacityProviders": providers,
                "defaultCapacityProviderStrategy": capacity_providers.completed(strategy),
            }
        return {"cluster": self._cluster(name)}

    def delete_cluster(self, params: Json) -> Json:
        """DeleteCluster: none of its services may be active."""
        name = self._all.cluster(params["cluster"])
        gone = self._cluster(name) | {"status": "INACTIVE"}
        if gone["activeServicesCount"]:
            raise AwsRefusal(
                "ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active."
            )
        del self._all.clusters[name]
        return {"cluster": gone}

    def describe_clusters(self, params: Json) -> Json:
        """DescribeClusters by name or ARN; one that does not exist is a failure. Tags are shown where asked for."""
        hidden: Json = {} if "TAGS" in params.get("include", ()) else {"tags": []}
        asked = [given.rsplit("/", 1)[-1] for given in params.get("clusters", ["default"])]
        return {
            "clusters": [self._cluster(name) | hidden for name in asked if name in self._all.clusters],
            "failures": [
                {"arn": self._all.kernel.arn("ecs", f"cluster/{name}"), "reason": "MISSING"}
                for name in asked
                if name not in self._all.clusters
            ],
        }

    def _cluster(self, name: str) -> Json:
        services = [s for s in self._all.services.values() if s.cluster == name and s.status == "ACTIVE"]
        tasks = [task for task in self._all.tasks.values() if task.cluster == name and task.stopped is None]
        counts = {
            "runningTasksCount": sum(task.last == "RUNNING" for task in tasks),
            "pendingTasksCount": sum(task.started is None for task in tasks),
            "activeServicesCount": len(services),
        }
        return self._all.clusters[name] | counts

    def register(self, params: Json) -> Json:
        """RegisterTaskDefinition: the family's next revision."""
        if not params["containerDefinitions"]:
            raise AwsRefusal("ClientException", "Container list cannot be empty.")
        for container in params["containerDefinitions"]:
            if "memory" not in params and not {"memory", "memoryReservation"} & container.keys():
                raise AwsRefusal(
                    "ClientException",
                    f"Invalid setting for container '{container.get('name')}'. At least one of 'memory' or "
                    "'memoryReservation' must be specified.",
                )
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
        new_tags(params.get("tags", ()), "key", "value", limit_code=INVALID)
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

    def list_revisions(self, params: Json) -> Json:
        """ListTaskDefinitions of a family by its whole name, oldest first unless asked; ACTIVE ones unless asked."""
        wanted = params.get("status", "ACTIVE")
        families = [params["familyPrefix"]] if "familyPrefix" in params else sorted(self._all.definitions)
        known = [each for family in families for each in self._all.definitions.get(family, ())]
        arns = [each.arn for each in known if each.body["status"] == wanted]
        if params.get("sort", "ASC") == "DESC":
            arns.reverse()
        shown, token = page(arns, params.get("nextToken"), params.get("maxResults", 100), code=INVALID)
        return {"taskDefinitionArns": list(shown)} | ({"nextToken": token} if token else {})

    def deregister(self, params: Json) -> Json:
        """DeregisterTaskDefinition by ARN or ``family:revision``: INACTIVE from now on; what runs by it goes on."""
        given = params["taskDefinition"]
        definition = self._all.definition(given) if ":" in given.rsplit("/", 1)[-1] else None
        if definition is None:
            raise AwsRefusal("ClientException", "The specified task definition does not exist.")
        if definition.body["status"] == "ACTIVE":
            definition.body |= {"status": "INACTIVE", "deregisteredAt": self._all.kernel.now}
        return {"taskDefinition": definition.body}


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
