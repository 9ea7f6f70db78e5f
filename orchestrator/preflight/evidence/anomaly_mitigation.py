"""Does the load balancer itself steer users away from failing tasks, and so make a colour look better than it is?

Slow start beside `weighted_random`, and mitigation beside any other algorithm, AWS refuses on blue's own group already:
a copy of its attributes never meets them. Slow start and the choice of a target divide requests within one group and
leave the colours' shares alone.
"""

import json
from collections.abc import Iterator

from orchestrator.core.cloud.survey import Finding, Survey
from orchestrator.preflight.findings import warning

MITIGATION = "load_balancing.algorithm.anomaly_mitigation"
# Source: Elastic Load Balancing, "Edit target group attributes for your Application Load Balancer", Automatic Target
# Weights: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html
HEALTHY_TARGETS = 3


def look(survey: Survey) -> Iterator[Finding]:
    """A warning for every target group of blue's that has anomaly mitigation on."""
    for group in survey.groups:
        if json.loads(group.attributes).get(MITIGATION) == "on":
            yield warning(
                "anomaly-mitigation",
                f"target group {group.name} has anomaly mitigation on, and green's copy too",
                f"with {HEALTHY_TARGETS} healthy targets or more, each colour by itself, the load balancer takes "
                "requests from targets that fail more often than others of their group: a green of which some tasks "
                "fail shows fewer errors than they would give, and one with fewer targets is compared with a blue that "
                "is helped. A green that fails on every task alike is seen as it is",
                f"set {MITIGATION} to off for the time of the rollout if failures of single tasks are to count",
            )
