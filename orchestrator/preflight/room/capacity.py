"""Is there room for both colours, and can blue roll in settling?"""

from collections.abc import Iterator

from orchestrator.core.cloud.survey import Finding, GroupSurvey, Survey
from orchestrator.core.domain.text import counted
from orchestrator.core.rollout.spec import Background, Spec
from orchestrator.preflight.findings import error, note, warning


def look(spec: Spec, survey: Survey) -> Iterator[Finding]:
    """What speaks against the tasks, and how many there will be."""
    yield from _background(spec)
    for group in survey.groups:
        yield from _targets(group)
    if survey.zones_without_targets:
        yield warning(
            "zone-without-targets",
            f"no task of blue serves in {', '.join(survey.zones_without_targets)}",
            "cross-zone load balancing is off: requests that enter there fail, on green as on blue",
            "run at least one task in each of the load balancer's zones",
        )
    if survey.blue.desired > 0 and not spec.ending.is_swap:
        yield from _rolling(survey)


def _background(spec: Spec) -> Iterator[Finding]:
    if spec.background is Background.NONE:
        yield note(
            "background-none",
            "green's tasks are taken to do nothing but answer requests",
            "at weight 0 they would still read queues and keep schedules: then write background: safe, or suspend",
        )
        return
    does = (
        "share blue's work in the background"
        if spec.background is Background.SAFE
        else "are to leave it alone"
    )
    yield warning(
        "background-work",
        f"green's tasks {does} from their first moment, at any weight",
        "green has one task until everything before traffic has passed, then all; "
        + (
            "blue's workers end when green has taken its place"
            if spec.ending.is_swap
            else "its workers end and blue's start again when blue takes the new revision over"
        ),
        "see that the work bears two revisions side by side, and being stopped half-way",
    )


def largest_and_least(survey: Survey) -> tuple[int, int]:
    """How many tasks blue may have and must keep while ECS rolls it.

    Source: ECS, DeploymentConfiguration: maximumPercent rounds down, minimumHealthyPercent up.
    """
    desired = survey.blue.desired
    return desired * survey.maximum_percent // 100, -(-desired * survey.minimum_percent // 100)


def _rolling(survey: Survey) -> Iterator[Finding]:
    largest, least = largest_and_least(survey)
    desired = survey.blue.desired
    if largest <= least:
        yield error(
            "blue-cannot-roll",
            f"of {counted(desired, 'task')} at most {largest} may run ({survey.maximum_percent} %) "
            f"and at least {least} must stay ({survey.minimum_percent} %)",
            "ECS could neither start nor stop a task when blue takes the new revision over",
            "raise maximumPercent, or run more tasks",
        )
        return
    yield note(
        "peak-tasks",
        f"up to {counted(desired + largest, 'task')} at once: {desired} of green, {largest} of blue while it rolls",
        f"blue alone runs {desired}: quotas, addresses and database connections must allow the rest",
    )


def _targets(group: GroupSurvey) -> Iterator[Finding]:
    targets = group.targets
    if targets is None:
        yield warning(
            "targets-unread",
            f"the health of {group.name}'s targets could not be read",
            "no traffic moves until it can be: blue must be able to take everything back",
            "allow elasticloadbalancing:DescribeTargetHealth",
        )
    elif targets.registered and not targets.healthy:
        yield error(
            "blue-unhealthy",
            f"no target of {group.name} is healthy: {', '.join(targets.reasons) or 'no reason given'}",
            "blue could not take traffic back, so none would be moved",
            "repair blue first",
        )
    elif targets.unhealthy or targets.unavailable:
        bad = targets.unhealthy + targets.unavailable
        yield warning(
            "blue-partly-unhealthy",
            f"{bad} of {counted(targets.registered, 'target')} of {group.name} are not healthy: "
            f"{', '.join(targets.reasons) or 'no reason given'}",
            "no traffic moves until blue could take everything back",
            "see why in `aws elbv2 describe-target-health`; the rollout holds before its first traffic until they are",
        )
