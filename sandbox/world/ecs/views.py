"""Services, tasks, deployments and revisions as ECS shows them."""

import hashlib

from sandbox.world.ecs.pace import breaker_threshold
from sandbox.world.ecs.resources import Deployment, Revision, Rollout, Service, Task
from sandbox.world.ecs.state import Containers
from sandbox.world.kernel.errors import Json

KEPT = (  # CreateService members that DescribeServices shows as they were given
    "serviceRegistries",
    "launchType",
    "capacityProviderStrategy",
    "platformVersion",
    "placementConstraints",
    "placementStrategy",
    "networkConfiguration",
    "healthCheckGracePeriodSeconds",
    "enableECSManagedTags",
    "propagateTags",
    "enableExecuteCommand",
    "availabilityZoneRebalancing",
)
PER_DEPLOYMENT = ("networkConfiguration", "launchType", "capacityProviderStrategy")
DEPLOYMENT_ONLY = ("serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations")
REVISION_ONLY = ("gatewayConnectors", "monitoring")


def service(containers: Containers, shown: Service, *, with_tags: bool) -> Json:
    """A service as DescribeServices shows it."""
    settings = shown.settings
    tasks = list(shown.tasks.values())
    answer: Json = {
        "serviceArn": shown.arn,
        "serviceName": shown.name,
        "clusterArn": containers.clusters[shown.cluster]["clusterArn"],
        "loadBalancers": shown.load_balancers,
        "status": shown.status,
        "desiredCount": shown.desired,
        "runningCount": sum(task.last == "RUNNING" for task in tasks),
        "pendingCount": sum(_pending(task) for task in tasks),
        "taskDefinition": shown.definition.arn,
        "deploymentConfiguration": shown.configuration,
        "deployments": [deployment(shown, each) for each in shown.deployments],
        "roleArn": settings.get("role") or linked_role(containers, "ecs.amazonaws.com/AWSServiceRoleForECS"),
        "events": list(shown.events),
        "createdAt": shown.created,
        "schedulingStrategy": "REPLICA",
        "deploymentController": settings["deploymentController"],
        "createdBy": f"arn:aws:iam::{containers.kernel.account}:user/somebody",
        "resourceManagementType": "CUSTOMER",
        **{name: settings[name] for name in KEPT if name in settings},
    }
    if shown.rollouts:
        answer["currentServiceDeployment"] = shown.rollouts[0].arn
        answer["currentServiceRevisions"] = [
            {
                "arn": each.revision.arn,
                "requestedTaskCount": each.desired,
                "runningTaskCount": _running(shown, each),
                "pendingTaskCount": sum(_pending(t) for t in tasks if t.deployment == each.id),
            }
            for each in shown.deployments
        ]
    if with_tags:
        answer["tags"] = [{"key": key, "value": value} for key, value in shown.tags.items()]
    return answer


def deployment(shown: Service, each: Deployment) -> Json:
    """One entry of `deployments`."""
    settings = each.revision.settings
    answer: Json = {
        "id": each.id,
        "status": each.status,
        "taskDefinition": each.revision.definition.arn,
        "desiredCount": each.desired,
        "pendingCount": sum(_pending(t) for t in shown.tasks.values() if t.deployment == each.id),
        "runningCount": _running(shown, each),
        "failedTasks": each.failed_tasks,
        "createdAt": each.created,
        "updatedAt": each.updated,
        "rolloutState": each.state,
        "rolloutStateReason": each.reason,
        **{name: settings[name] for name in (*PER_DEPLOYMENT, *DEPLOYMENT_ONLY) if name in settings},
    }
    if settings.get("launchType") == "FARGATE":
        version = settings.get("platformVersion", "LATEST")
        answer |= {"platformVersion": "1.4.0" if version == "LATEST" else version, "platformFamily": "Linux"}
    return answer


def _pending(task: Task) -> bool:
    return task.started is None and task.desired == "RUNNING"


def _running(shown: Service, each: Deployment) -> int:
    return sum(t.last == "RUNNING" for t in shown.tasks.values() if t.deployment == each.id)


def linked_role(containers: Containers, path: str) -> str:
    """A service-linked role's ARN."""
    return f"arn:aws:iam::{containers.kernel.account}:role/aws-service-role/{path}"


def task(containers: Containers, shown: Task) -> Json:
    """A task as DescribeTasks shows it."""
    answer: Json = {
        "taskArn": shown.arn,
        "clusterArn": containers.clusters[shown.cluster]["clusterArn"],
        "taskDefinitionArn": shown.definition.arn,
        "group": shown.group or f"service:{shown.service.rsplit('/', 1)[-1]}",
        "startedBy": shown.started_by or shown.deployment,
        "desiredStatus": shown.desired,
        "lastStatus": shown.last,
        "createdAt": shown.created,
        "availabilityZone": shown.zone,
        "version": shown.version,
        "healthStatus": "UNKNOWN",
        "containers": [_container(shown, c) for c in shown.definition.body["containerDefinitions"]],
        "attachments": [],
        "attributes": [],
        "overrides": {"containerOverrides": [], **shown.overrides},
        "tags": [],
    }
    if shown.launch_type:
        answer["launchType"] = shown.launch_type
    if shown.provider:
        answer["capacityProviderName"] = shown.provider
    times = {"startedAt": shown.started, "stoppingAt": shown.stopping, "stoppedAt": shown.stopped}
    answer |= {name: at for name, at in times.items() if at is not None}
    if shown.stop_code:
        answer |= {"stopCode": shown.stop_code, "stoppedReason": shown.reason}
    return answer


def _container(shown: Task, definition: Json) -> Json:
    answer: Json = {
        "name": definition["name"],
        "image": definition["image"],
        "taskArn": shown.arn,
        "lastStatus": {"PROVISIONING": "PENDING"}.get(shown.last, shown.last),
        "networkInterfaces": [{"privateIpv4Address": shown.host}] if shown.host else [],
        "healthStatus": "UNKNOWN",
    }
    if shown.exit_code is not None:
        answer["exitCode"] = shown.exit_code
    return answer


def _resolved(shown: Service, each: Revision, image: str) -> Json:
    """The digest of an image, which ECS knows once a task of the revision has pulled it."""
    owns = [deployment for deployment in shown.deployments if deployment.revision is each]
    if not any(_running(shown, deployment) for deployment in owns):
        return {}
    digest = image.partition("@")[2] or f"sha256:{hashlib.sha256(image.encode()).hexdigest()}"
    return {"imageDigest": digest}


def rollout_brief(containers: Containers, shown: Service, each: Rollout) -> Json:
    """An entry of ListServiceDeployments."""
    answer: Json = {
        "serviceDeploymentArn": each.arn,
        "serviceArn": shown.arn,
        "clusterArn": containers.clusters[shown.cluster]["clusterArn"],
        "startedAt": each.created,
        "createdAt": each.created,
        "targetServiceRevisionArn": each.target.arn,
        "status": each.status,
    }
    if each.reason:
        answer["statusReason"] = each.reason
    return answer | ({"finishedAt": each.finished} if each.finished else {})


def rollout(containers: Containers, shown: Service, each: Rollout) -> Json:
    """A service deployment as DescribeServiceDeployments shows it."""
    brief = rollout_brief(containers, shown, each)
    target = brief.pop("targetServiceRevisionArn")
    breaker = each.configuration["deploymentCircuitBreaker"]
    threshold = breaker_threshold(shown.desired, breaker.get("thresholdConfiguration"))
    open_now = each.finished is None
    tripped = breaker["enable"] and each.failures >= threshold
    watching = "MONITORING" if open_now else "MONITORING_COMPLETE"
    answer: Json = {
        **brief,
        "updatedAt": each.updated,
        "targetServiceRevision": {"arn": target, "requestedTaskCount": shown.desired},
        "deploymentConfiguration": each.configuration,
        "deploymentCircuitBreaker": {
            "status": "TRIGGERED" if tripped else watching if breaker["enable"] else "DISABLED",
            "failureCount": each.failures,
            "threshold": threshold,
        },
    }
    if each.source:
        answer["sourceServiceRevisions"] = [{"arn": each.source.arn}]
    if each.rollback:
        answer["rollback"] = each.rollback
    alarms = each.configuration.get("alarms")
    if alarms and alarms["enable"]:
        answer["alarms"] = {
            "status": "TRIGGERED" if each.triggered_alarms else watching,
            "alarmNames": alarms["alarmNames"],
            "triggeredAlarmNames": each.triggered_alarms,
        }
    return answer


def revision(containers: Containers, shown: Service, each: Revision) -> Json:
    """A service revision; the only place that shows gateway connectors and monitoring."""
    members = ("loadBalancers", "serviceRegistries", *PER_DEPLOYMENT, *DEPLOYMENT_ONLY, *REVISION_ONLY)
    answer: Json = {
        "serviceRevisionArn": each.arn,
        "serviceArn": shown.arn,
        "clusterArn": containers.clusters[shown.cluster]["clusterArn"],
        "taskDefinition": each.definition.arn,
        "createdAt": each.created,
        "containerImages": [
            {"containerName": c["name"], "image": c["image"], **_resolved(shown, each, c["image"])}
            for c in each.definition.body["containerDefinitions"]
        ],
        **{name: each.settings[name] for name in members if name in each.settings},
    }
    if each.settings.get("launchType") == "FARGATE":
        version = each.settings.get("platformVersion", "LATEST")
        answer |= {"platformVersion": "1.4.0" if version == "LATEST" else version, "platformFamily": "Linux"}
    return answer
