"""What the core may ask for. Each effect is idempotent and states the whole wanted value, so twice is once.

An effect is asked for because what was seen differs from what is wanted; its outcome is learnt by looking again.
``key`` names the effect for retries and for the failures that the engine reports to the next tick.
"""

from dataclasses import dataclass, field
from typing import Literal, assert_never

from orchestrator.core.cloud.resources import ScalingSeen, ScheduleSeen
from orchestrator.core.domain.ids import Json, ListenerArn, RuleArn, TargetGroupArn, TaskDefinitionArn, Tenths
from orchestrator.core.domain.tags import TAKEN_BACK

Tags = tuple[tuple[str, str], ...]
Actions = tuple[tuple[str, tuple[str, ...]], ...]  # of an alarm: (OKActions | AlarmActions | …, ARNs)


RULE_WRITE = "write_rule"


def rule_write_key(rule: RuleArn, green: Tenths | None) -> str:
    """The key of the write that gives green this share on a rule."""
    return f"{RULE_WRITE} {rule} {green}"


def is_rule_write(key: str) -> bool:
    """True for the key of a write of a rule."""
    return key.startswith(f"{RULE_WRITE} ")


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteRule:
    """Replace a rule's whole action list. ELBv2 ModifyRule; ModifyListener for a default rule."""

    rule: RuleArn
    listener: ListenerArn
    is_default: bool
    actions: Json
    green: Tenths | None  # green's share as written; None: green is not in the list
    to_safety: bool  # takes traffic off green: goes first and waits for nothing
    is_test: bool = False  # a rule that no user comes by
    # What the rule held when this was decided: it is written only while it still does. None: in any case.
    expects: Json | None = field(default=None, compare=False)
    # To safety: about how many requests a period it takes off green. Where such writes must wait, the largest is first.
    harm: float = field(default=0.0, compare=False)
    kind: Literal["write_rule"] = "write_rule"

    @property
    def key(self) -> str:
        """Named by rule and what is written."""
        return rule_write_key(self.rule, self.green)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTargetGroup:
    """Make green's target group like blue's. ELBv2 CreateTargetGroup, idempotent by name and settings."""

    name: str
    template: Json
    tags: Tags
    kind: Literal["create_target_group"] = "create_target_group"

    @property
    def key(self) -> str:
        """Named by the group's name."""
        return f"create_target_group {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigureTargetGroup:
    """Set attributes of green's target group. ELBv2 ModifyTargetGroupAttributes."""

    group: TargetGroupArn
    attributes: Tags
    kind: Literal["configure_target_group"] = "configure_target_group"

    @property
    def key(self) -> str:
        """Named by the group."""
        return f"configure_target_group {self.group}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterRevision:
    """Register a revision of a task definition. ECS RegisterTaskDefinition.

    It has no token: what was registered is found again by its tags, and one too many goes when green goes.
    """

    family: str
    template: Json
    tags: Tags
    kind: Literal["register_revision"] = "register_revision"

    @property
    def key(self) -> str:
        """Named by the family."""
        return f"register_revision {self.family}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeregisterRevision:
    """Make a revision INACTIVE that Teal registered and nothing runs any more. ECS DeregisterTaskDefinition."""

    revision: TaskDefinitionArn
    kind: Literal["deregister_revision"] = "deregister_revision"

    @property
    def key(self) -> str:
        """Named by the revision."""
        return f"deregister_revision {self.revision}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateService:
    """Make green. ECS CreateService; with the same token and body a replay returns the same service."""

    cluster: str
    name: str
    template: Json
    task_definition: TaskDefinitionArn
    desired: int
    groups: tuple[
        tuple[TargetGroupArn, TargetGroupArn], ...
    ]  # (blue's group, the group of green in its place)
    token: str
    tags: Tags
    kind: Literal["create_service"] = "create_service"

    @property
    def key(self) -> str:
        """Named by the service."""
        return f"create_service {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleService:
    """Set a service's desired count; starts no deployment. ECS UpdateService."""

    cluster: str
    service: str
    desired: int
    kind: Literal["scale_service"] = "scale_service"

    @property
    def key(self) -> str:
        """Named by service and count."""
        return f"scale_service {self.service} {self.desired}"


def update_key(service: str, attempt: int) -> str:
    """The key of the update of this number."""
    return f"update_service {service} {attempt}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateService:
    """Give blue a revision. ECS UpdateService; one for each recorded attempt."""

    cluster: str
    service: str
    task_definition: TaskDefinitionArn
    desired: int
    deployment_configuration: Json | None  # None: as it is
    attempt: int
    is_forced: bool = False  # ECS replaces the tasks though it is the revision that they run already
    kind: Literal["update_service"] = "update_service"

    @property
    def key(self) -> str:
        """Named by service and attempt."""
        return update_key(self.service, self.attempt)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreDeploymentConfiguration:
    """Give a service a deployment configuration that was read before; starts no deployment. ECS UpdateService."""

    cluster: str
    service: str
    deployment_configuration: Json
    kind: Literal["restore_deployment_configuration"] = "restore_deployment_configuration"

    @property
    def key(self) -> str:
        """Named by the service."""
        return f"restore_deployment_configuration {self.service}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TagFormer:
    """Tag green and its groups with blue's former revision, for break glass. ECS TagResource, ELBv2 AddTags."""

    service: str  # ARN
    groups: tuple[TargetGroupArn, ...]
    former: TaskDefinitionArn
    kind: Literal["tag_former"] = "tag_former"

    @property
    def key(self) -> str:
        """Named by the service."""
        return f"tag_former {self.service}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PutTags:
    """Put Teal's tags on a service and on target groups. ECS TagResource, ELBv2 AddTags."""

    service: str  # ARN
    groups: tuple[TargetGroupArn, ...]
    tags: Tags
    kind: Literal["put_tags"] = "put_tags"

    @property
    def key(self) -> str:
        """Named by the service."""
        return f"put_tags {self.service}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveTags:
    """Take Teal's tags off a service that it did not make. ECS UntagResource."""

    service: str  # ARN
    names: tuple[str, ...]
    kind: Literal["remove_tags"] = "remove_tags"

    @property
    def key(self) -> str:
        """Named by the service."""
        return f"remove_tags {self.service}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetScaling:
    """Write a scalable target's bounds and suspensions. Application Auto Scaling RegisterScalableTarget.

    A service that has none gets one, with `tags`.
    """

    cluster: str
    service: str
    wanted: ScalingSeen
    tags: Tags = ()
    kind: Literal["set_scaling"] = "set_scaling"

    @property
    def key(self) -> str:
        """Named by service and what is wanted."""
        wanted = self.wanted
        bounds = f"{wanted.min_capacity}..{wanted.max_capacity}"
        return f"set_scaling {self.service} {bounds} {wanted.scale_in_suspended}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PutScalingPolicy:
    """Give green a scaling policy. Application Auto Scaling PutScalingPolicy, idempotent by name."""

    cluster: str
    service: str
    name: str
    policy_type: str
    configuration: Json
    kind: Literal["put_scaling_policy"] = "put_scaling_policy"

    @property
    def key(self) -> str:
        """Named by service and policy."""
        return f"put_scaling_policy {self.service} {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PutScheduledAction:
    """Give green a scheduled action. Application Auto Scaling PutScheduledAction, idempotent by name."""

    cluster: str
    service: str
    action: ScheduleSeen
    kind: Literal["put_scheduled_action"] = "put_scheduled_action"

    @property
    def key(self) -> str:
        """Named by service and action."""
        return f"put_scheduled_action {self.service} {self.action.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PutAlarm:
    """Make the alarm that drives one of green's step-scaling policies. CloudWatch PutMetricAlarm."""

    name: str
    settings: Json
    actions: Actions
    tags: Tags
    kind: Literal["put_alarm"] = "put_alarm"

    @property
    def key(self) -> str:
        """Named by the alarm."""
        return f"put_alarm {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeregisterScaling:
    """Take a scalable target away, with its policies and actions. Application Auto Scaling DeregisterScalableTarget."""

    cluster: str
    service: str
    kind: Literal["deregister_scaling"] = "deregister_scaling"

    @property
    def key(self) -> str:
        """Named by the service."""
        return f"deregister_scaling {self.service}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteAlarms:
    """Delete alarms that Teal made. CloudWatch DeleteAlarms."""

    names: tuple[str, ...]
    kind: Literal["delete_alarms"] = "delete_alarms"

    @property
    def key(self) -> str:
        """Named by the alarms."""
        return f"delete_alarms {' '.join(self.names)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteService:
    """Delete a service that runs nothing any more: green, or blue after a swap. ECS DeleteService."""

    cluster: str
    service: str
    kind: Literal["delete_service"] = "delete_service"

    @property
    def key(self) -> str:
        """Named by the service."""
        return f"delete_service {self.service}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteTargetGroup:
    """Delete a target group that Teal made and no rule uses any more. ELBv2 DeleteTargetGroup."""

    group: TargetGroupArn
    kind: Literal["delete_target_group"] = "delete_target_group"

    @property
    def key(self) -> str:
        """Named by the group."""
        return f"delete_target_group {self.group}"


Effect = (
    WriteRule
    | CreateTargetGroup
    | ConfigureTargetGroup
    | RegisterRevision
    | DeregisterRevision
    | CreateService
    | ScaleService
    | UpdateService
    | RestoreDeploymentConfiguration
    | TagFormer
    | PutTags
    | RemoveTags
    | SetScaling
    | PutScalingPolicy
    | PutScheduledAction
    | PutAlarm
    | DeregisterScaling
    | DeleteAlarms
    | DeleteService
    | DeleteTargetGroup
)


def is_to_safety(effect: Effect) -> bool:
    """True for a write that takes traffic off the colour under suspicion: it goes first and waits for no other."""
    return isinstance(effect, WriteRule) and effect.to_safety


def scalable_target(effect: Effect) -> str:
    """The service whose scalable target an effect writes; empty: none.

    Application Auto Scaling refuses a write to a target while another is under way (ConcurrentUpdateException).
    """
    match effect:
        case SetScaling() | PutScalingPolicy() | PutScheduledAction() | DeregisterScaling():
            return f"{effect.cluster} {effect.service}"
        case _:
            return ""


def must_not_stay(effect: Effect) -> bool:
    """True for what must not be there after the end: while it may still land late, no rollout ends."""
    match effect:
        case CreateTargetGroup() | RegisterRevision() | CreateService() | UpdateService():
            return True
        case PutTags(tags=tags):
            return any(name != TAKEN_BACK for name, _ in tags)  # that one is on green alone, which goes
        case PutScalingPolicy() | PutScheduledAction() | PutAlarm():
            return True
        case SetScaling(wanted=wanted):
            return wanted.scale_in_suspended  # lifting a suspension is what the end asks for
        case WriteRule(is_test=is_test, green=green):
            return is_test and green is not None
        case (
            ConfigureTargetGroup() | DeregisterRevision() | ScaleService() | RestoreDeploymentConfiguration()
        ):
            return False
        case (
            TagFormer()
            | RemoveTags()
            | DeregisterScaling()
            | DeleteAlarms()
            | DeleteService()
            | DeleteTargetGroup()
        ):
            return False
        case never:
            assert_never(never)
