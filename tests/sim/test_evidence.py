"""What the oracle takes for known: only what an answer could say."""

from datetime import UTC, datetime

import pytest

from sandbox.scenarios.scenery import furnish
from sandbox.world.kernel.log import CallRecord
from sandbox.world.world import World
from tests.sim.evidence import ANSWERS, Evidence

AT = datetime(2026, 3, 2, 9, 3, 20, tzinfo=UTC)
REQUESTS, ANSWERED = "RequestCount", "HTTPCode_Target_2XX_Count"


def read(evidence: Evidence, asked: set[str], counts: dict[str, float]) -> None:
    """One GetMetricData for green's group, answered."""
    names = sorted(asked)
    queries = [
        {
            "Id": f"q{number}",
            "MetricStat": {
                "Metric": {"MetricName": name, "Dimensions": [{"Name": "TargetGroup", "Value": "green"}]}
            },
        }
        for number, name in enumerate(names)
    ]
    results = [
        {"Id": f"q{number}", "Timestamps": [AT], "Values": [counts[name]]}
        if name in counts
        else {"Id": f"q{number}", "Timestamps": [], "Values": []}
        for number, name in enumerate(names)
    ]
    evidence.hears(
        CallRecord(
            at=AT,
            service="cloudwatch",
            operation="GetMetricData",
            params={"MetricDataQueries": queries},
            answer={"MetricDataResults": results},
            error=None,
        )
    )


@pytest.mark.parametrize(
    ("calls", "speaks"),
    [
        pytest.param([(ANSWERS, {REQUESTS: 48, ANSWERED: 48})], False, id="all were answered"),
        pytest.param([(ANSWERS, {REQUESTS: 48})], True, id="none was answered"),
        pytest.param([({REQUESTS}, {REQUESTS: 48})], False, id="nobody asked for answers"),
        pytest.param(
            [(ANSWERS, {REQUESTS: 10, ANSWERED: 10}), ({REQUESTS}, {REQUESTS: 48})],
            False,
            id="more requests were counted later, by a call that did not ask for answers",
        ),
        pytest.param(
            [({REQUESTS}, {REQUESTS: 48}), (ANSWERS, {REQUESTS: 48, ANSWERED: 3})],
            True,
            id="a later call that asked for answers found few",
        ),
    ],
)
def test_unanswered_is_what_one_call_that_asked_for_every_class_of_answers_found(
    calls: list[tuple[set[str], dict[str, float]]], *, speaks: bool
) -> None:
    world = World(start=AT)
    evidence = Evidence(world, furnish(world))
    for asked, counts in calls:
        read(evidence, asked, counts)
    assert evidence._periods[AT].speaks_against_green is speaks
