"""Are the numbers that the file judges by to be had, and what are they on blue right now?"""

from collections.abc import Iterator

from orchestrator.core.cloud.resources import Series, Unread
from orchestrator.core.cloud.survey import Finding, Survey
from orchestrator.core.gates import metric
from orchestrator.core.gates.gate import NoData
from orchestrator.core.gates.metric import LOAD_BALANCER, MetricSpec
from orchestrator.core.rollout.spec import Spec
from orchestrator.preflight.findings import error, note, warning

# What a load balancer tells of HTTP says nothing of a call's own status in gRPC.
_OF_HTTP = "HTTPCode_Target_"


def look(spec: Spec, survey: Survey) -> Iterator[Finding]:
    """What speaks against the file's metrics; each query was asked of blue's names."""
    found = dict(survey.metrics)
    for index, one in enumerate(spec.gates.metrics):
        place = f"gates.metric[{index + 1}]"
        yield from _blind(one, place, survey)
        if one.name in found:
            yield from _asked(one, place, found[one.name])


def _blind(one: MetricSpec, place: str, survey: Survey) -> Iterator[Finding]:
    if any(group.protocol_version == "GRPC" for group in survey.groups) and any(
        each.namespace == LOAD_BALANCER and each.metric.startswith(_OF_HTTP) for each in one.inputs
    ):
        yield error(
            "metric-blind-to-grpc",
            f"{place}: {one.name} counts HTTP answers, and the service speaks gRPC",
            "a failed call is an HTTP 200 to the load balancer: such a number never moves",
            "judge by a metric that the service itself publishes",
        )
    if not metric.asks_of_green(one):
        yield warning(
            "metric-not-greens",
            f"{place}: {one.name} names neither green's target group nor its service",
            "at a small weight green is a small part of what it measures",
            "write {target_group} or {service} where the colour's name belongs",
        )
    if len(survey.groups) > 1 and "{target_group}" in str(one):
        yield warning(
            "metric-of-one-group",
            f"{place}: {one.name} is about the first of {len(survey.groups)} target groups",
            "what the others do is not in it",
            "write {target_group.2} for the second, and so on",
        )


def _asked(one: MetricSpec, place: str, series: Series | Unread) -> Iterator[Finding]:
    if isinstance(series, Unread) and series.is_refused:
        yield error(
            "metric-refused",
            f"{place}{'.query' if one.query else ''}: {one.name}: {series.why}",
            "a query that is not answered would hold the rollout for ever",
            "try it in CloudWatch's console, with blue's names in it",
        )
    elif isinstance(series, Unread):
        yield warning(
            "metric-unread",
            f"{place}: {one.name} could not be read: {series.why}",
            "what its gate will see is not known",
            "try again",
        )
    elif not series:
        silence = {
            NoData.HOLD: "a period without data holds the rollout",
            NoData.PASS: "a period without data counts as good",
            NoData.FAIL: "a period without data fails the rollout",
        }
        yield warning(
            "metric-silent",
            f"{place}: {one.name} has no data of blue in its last sixty periods",
            silence[one.no_data],
            "see whether namespace, metric and dimensions are spelt as CloudWatch has them",
        )
    elif (value := metric.out_of_bounds(one, series)) is not None:
        yield warning(
            "metric-out-of-bounds",
            f"{place}: {one.name} is {value:g} on blue, out of its bounds",
            "green will hardly do better",
            "wait until blue is well, or write bounds that it keeps",
        )
    else:
        yield note("metric", f"{one.name} is {series[-1][1]:g} on blue")
