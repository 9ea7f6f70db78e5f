"""Can green's health checks pass at all, and what do they mean for the load balancer's name in DNS?"""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from orchestrator.core.cloud.survey import Finding, GroupSurvey, Survey
from orchestrator.core.domain.text import load_balancer_name, span
from orchestrator.core.phases.pending import FAILOVER
from orchestrator.core.preflight.environment import Surroundings, TaskSeen
from orchestrator.preflight.findings import error, note, warning

TRAFFIC_PORT = "traffic-port"
INTERVAL, UNHEALTHY = 30, 2  # Elastic Load Balancing's defaults for Application Load Balancers


def look(survey: Survey, around: Surroundings) -> Iterator[Finding]:
    """What speaks against the health checks that green's target groups will have, which are blue's."""
    for group in survey.groups:
        template: dict[str, Any] = json.loads(group.template)
        yield from _enabled(group, template)
        yield from _port(group, template, survey)
        yield from _grace(group, template, survey, around)
        yield from _failover(group, survey)


def _enabled(group: GroupSurvey, template: Mapping[str, Any]) -> Iterator[Finding]:
    if template.get("HealthCheckEnabled") is False:
        yield error(
            "health-check-off",
            f"target group {group.name} has its health checks switched off",
            "no target would ever be seen healthy, so no traffic would ever move to green",
            "switch them on",
        )


def _port(group: GroupSurvey, template: Mapping[str, Any], survey: Survey) -> Iterator[Finding]:
    """A fixed port that no container listens on; only with awsvpc are container ports those of the target."""
    port, wanted = str(template.get("HealthCheckPort", TRAFFIC_PORT)), survey.revision
    if port == TRAFFIC_PORT or wanted is None or wanted.network_mode != "awsvpc":
        return
    if port not in {str(number) for _, number in wanted.ports}:
        yield error(
            "health-check-port",
            f"target group {group.name} checks port {port}, which no container of the new revision has",
            f"no target of green could ever be healthy: its ports are "
            f"{', '.join(str(number) for _, number in wanted.ports) or 'none'}",
            f"add port {port} to a container's portMappings, or check {TRAFFIC_PORT}",
        )


def _grace(
    group: GroupSurvey, template: Mapping[str, Any], survey: Survey, around: Surroundings
) -> Iterator[Finding]:
    """A container that says itself that it starts more slowly than the load balancer waits."""
    if not isinstance(around.wanted, TaskSeen):
        return
    given = timedelta(seconds=json.loads(survey.template).get("healthCheckGracePeriodSeconds") or 0)
    checks = timedelta(seconds=template.get("HealthCheckIntervalSeconds", INTERVAL)) * template.get(
        "UnhealthyThresholdCount", UNHEALTHY
    )
    if around.wanted.start_period > given + checks:
        yield warning(
            "grace-too-short",
            f"a container may take {span(around.wanted.start_period)} to start (its startPeriod); "
            f"{group.name} gives up on it after {span(given + checks)}",
            f"ECS would kill slow starters again and again: the grace period is {span(given)}",
            "raise the service's healthCheckGracePeriodSeconds",
        )


def _failover(group: GroupSurvey, survey: Survey) -> Iterator[Finding]:
    attributes = json.loads(group.attributes)
    least = attributes.get(f"{FAILOVER}count", "1"), attributes.get(f"{FAILOVER}percentage", "off")
    if least == ("off", "off"):
        return
    names = " and ".join(load_balancer_name(arn) for arn in group.load_balancers)
    what = f"a Route 53 record of {names} that evaluates target health follows every target group's health"
    blue = survey.blue.name
    why = (
        f"green's group does not count there unless it is to stay, but {blue}'s does: "
        "without a healthy task it fails the load balancer over"
    )
    if survey.groups_per_load_balancer > len(survey.groups):
        yield warning(
            "dns-failover-shared",
            what,
            f"{why}, also for the other services behind it",
            "check that no record of it has EvaluateTargetHealth, or see to it that another healthy task stays",
        )
    elif survey.minimum_percent == 0:
        yield warning(
            "dns-failover-blue",
            what,
            f"{why}, and it may run none while it takes the new revision over",
            "set the service's minimumHealthyPercent above 0, or check that no record has EvaluateTargetHealth",
        )
    else:
        yield note("dns-failover", what, why)
