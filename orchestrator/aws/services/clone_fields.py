"""What becomes of every field of AWS's requests when green is made like blue: the tables behind `clone`.

Each member of CreateService, CreateTargetGroup and RegisterTaskDefinition has one line here. A test walks botocore's
own models, so that a member which AWS adds fails it until somebody decides; docs/cloning.md shows the same tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Fate(StrEnum):
    """What becomes of a field."""

    COPIED = "copied"  # as AWS shows it of blue, left out where empty
    CHANGED = "changed"  # made from what blue has, or from what the rollout is
    STRIPPED = "stripped"  # green is made without it, which does no harm
    REFUSED = "refused"  # a blue that has it cannot be rolled out


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field's fate, and why in words for people."""

    fate: Fate
    why: str
    refusal: str = ""  # how preflight names what blue has, where it refuses


def _copied(why: str = "As blue has it.") -> Field:
    return Field(fate=Fate.COPIED, why=why)


def _changed(why: str) -> Field:
    return Field(fate=Fate.CHANGED, why=why)


def _stripped(why: str) -> Field:
    return Field(fate=Fate.STRIPPED, why=why)


def _refused(refusal: str, why: str) -> Field:
    return Field(fate=Fate.REFUSED, why=why, refusal=refusal)


SERVICE: Mapping[str, Field] = {
    "availabilityZoneRebalancing": _changed(
        "As blue has it, and always sent: a service that was never asked counts as DISABLED, "
        "while one that is made without it gets ENABLED."
    ),
    "capacityProviderStrategy": _copied(),
    "clientToken": _changed("Made from the rollout's id, so that a repeated call makes one service."),
    "cluster": _changed("Blue's cluster, by its ARN."),
    "deploymentConfiguration": _changed("See the table of its members."),
    "deploymentController": _changed("ECS; a blue with another controller is refused."),
    "desiredCount": _changed(
        "As many tasks as blue wants at that moment; one at first where `background` says so."
    ),
    "enableECSManagedTags": _copied(),
    "enableExecuteCommand": _copied(),
    "gatewayConnectors": _refused(
        "an ingress that ECS owns (gatewayConnectors)",
        "ECS alone routes to it, and it has no weights. Shown by service revisions only.",
    ),
    "healthCheckGracePeriodSeconds": _changed(
        "As blue has it, and always sent where there is a load balancer: the default of 0 kills slow starters."
    ),
    "launchType": _changed("As blue has it; left out where there is a capacity provider strategy."),
    "loadBalancers": _changed(
        "Every entry of blue, each with green's target group. See the table of its members."
    ),
    "monitoring": _copied(
        "As blue's service revision has it, the only place that shows it: alarms and policies on metrics of "
        "high resolution would see nothing of green without it."
    ),
    "networkConfiguration": _copied(),
    "placementConstraints": _copied(),
    "placementStrategy": _copied(),
    "platformVersion": _copied("As blue has it, `LATEST` where it says so."),
    "propagateTags": _changed("As blue has it; left out where it is NONE."),
    "role": _changed(
        "Blue's own role for its load balancer, where ECS takes one: without awsvpc and with one target group."
    ),
    "schedulingStrategy": _changed("REPLICA; a blue of another kind is refused."),
    "serviceConnectConfiguration": _copied(
        "As blue's newest deployment has it, where blue is a client. A blue that serves names is refused: "
        "a name belongs to one ECS service."
    ),
    "serviceName": _changed("Blue's name and the end of the rollout's id."),
    "serviceRegistries": _stripped(
        "Green would answer in service discovery at weight 0, in proportion to its tasks. `discovery: keep` in the "
        "file copies it all the same."
    ),
    "tags": _changed("Blue's, but for those of AWS and of Teal, and Teal's own."),
    "taskDefinition": _changed("The revision that the rollout is for, by its ARN."),
    "volumeConfigurations": _copied(
        "As blue's newest deployment has it: every task of green gets volumes of its own. "
        "Teal's role needs iam:PassRole for the role it names."
    ),
    "vpcLatticeConfigurations": _refused(
        "VPC Lattice target groups (vpcLatticeConfigurations)",
        "Its traffic is divided by VPC Lattice's own rules, which Teal does not write: in blue's group green "
        "would get traffic at any weight.",
    ),
}
"""CreateService."""

LOAD_BALANCER: Mapping[str, Field] = {
    "advancedConfiguration": _refused(
        "a load balancer entry that ECS's own blue/green deployments rewrite (advancedConfiguration)",
        "Two controllers would write the same rule.",
    ),
    "containerName": _copied(),
    "containerPort": _copied(),
    "loadBalancerName": _refused("a Classic Load Balancer: it has no weights", "It has no weights."),
    "targetGroupArn": _changed("The group of green that stands beside blue's."),
}
"""An entry of CreateService's loadBalancers."""

CONFIGURATION: Mapping[str, Field] = {
    "alarms": _stripped("As long as Teal is in control it is Teal that judges."),
    "bakeTimeInMinutes": _stripped("The plan's bakes take its place."),
    "canaryConfiguration": _stripped("The plan takes its place."),
    "deploymentCircuitBreaker": _changed(
        "On, with blue's threshold, and without `rollback`: a green that does not start ends in FAILED instead of "
        "being tried for ever, and there is no earlier deployment to go back to."
    ),
    "earlySuccessCriteria": _stripped("Green counts as ready when all its tasks are."),
    "lifecycleHooks": _stripped(
        "Hooks of ECS's own deployments; the file's gates take their place. Preflight names them (`lifecycle-hooks`)."
    ),
    "linearConfiguration": _stripped("The plan takes its place."),
    "maximumPercent": _copied(),
    "minimumHealthyPercent": _copied(),
    "strategy": _changed("ROLLING; a blue with another strategy is refused."),
}
"""CreateService's deploymentConfiguration."""

BREAKER: Mapping[str, Field] = {
    "enable": _changed("On."),
    "resetOnHealthyTask": _copied(),
    "rollback": _changed("Off."),
    "thresholdConfiguration": _copied(),
}
"""The deploymentCircuitBreaker of a deploymentConfiguration."""

GROUP: Mapping[str, Field] = {
    "HealthCheckEnabled": _copied(),
    "HealthCheckIntervalSeconds": _copied(),
    "HealthCheckPath": _copied(),
    "HealthCheckPort": _copied(),
    "HealthCheckProtocol": _copied(),
    "HealthCheckTimeoutSeconds": _copied(),
    "HealthyThresholdCount": _copied(),
    "IpAddressType": _copied(),
    "Matcher": _copied(),
    "Name": _changed("`teal-`, the service's name and the end of the rollout's id."),
    "Port": _copied(),
    "Protocol": _copied(),
    "ProtocolVersion": _copied(),
    "Tags": _changed("Blue's group's, but for those of AWS and of Teal, and Teal's own."),
    "TargetControlPort": _copied(),
    "TargetType": _copied(),
    "UnhealthyThresholdCount": _copied(),
    "VpcId": _copied(),
}
"""CreateTargetGroup. Of the attributes those are copied that differ from `clone_requests.ATTRIBUTE_DEFAULTS`."""

DEFINITION: Mapping[str, Field] = {
    "containerDefinitions": _changed(
        "As they are, but for the images that `revision.images` names; green's own revision also has the variable "
        "that `revision.colour_variable` names."
    ),
    "cpu": _copied(),
    "enableFaultInjection": _copied(),
    "ephemeralStorage": _copied(),
    "executionRoleArn": _copied("As it is. Teal's role needs iam:PassRole for it."),
    "family": _changed(
        "The same, so that the service's history stays in one place; green's own revision, which knows its colour, "
        "is registered in the family's name with `-green`."
    ),
    "inferenceAccelerators": _copied(),
    "ipcMode": _copied(),
    "memory": _copied(),
    "networkMode": _copied(),
    "pidMode": _copied(),
    "placementConstraints": _copied(),
    "proxyConfiguration": _copied(
        "As blue has it. Its only type is APPMESH, and AWS ended App Mesh on 2026-09-30: preflight refuses a revision "
        "that has one."
    ),
    "requiresCompatibilities": _copied(),
    "runtimePlatform": _copied(),
    "tags": _changed("The same, but for those of AWS and of Teal, and Teal's own."),
    "taskRoleArn": _copied("As it is. Teal's role needs iam:PassRole for it."),
    "volumes": _copied(),
}
"""RegisterTaskDefinition, where the file names images or a colour variable."""


def of_fate(table: Mapping[str, Field], fate: Fate) -> tuple[str, ...]:
    """The fields of a table that have this fate."""
    return tuple(name for name, field in table.items() if field.fate is fate)
