"""What the oracle takes for known: only what one answer said, whole."""

from datetime import UTC, datetime, timedelta

import pytest

from sandbox.scenarios.scenery import Scenery, furnish
from sandbox.world.kernel.errors import Json
from sandbox.world.kernel.log import CallRecord
from sandbox.world.world import World
from tests.sim.oracles.evidence import ANSWERS, Counts, Evidence

AT = datetime(2026, 3, 2, 9, 3, 20, tzinfo=UTC)
REQUESTS, ANSWERED, FAILED = "RequestCount", "HTTPCode_Target_2XX_Count", "HTTPCode_Target_5XX_Count"
BLUE: Counts = {REQUESTS: 400, ANSWERED: 400}


def read(
    evidence: Evidence,
    scenery: Scenery,
    asked: set[str],
    counts: Counts,
    *,
    at: datetime = AT,
    blue: Counts = BLUE,
) -> None:
    """One GetMetricData for both groups, answered."""
    queries: list[Json] = []
    results: list[Json] = []
    groups = {"targetgroup/green/1": counts, scenery.target_group.rsplit(":", 1)[1]: blue}
    for group, told in groups.items():
        for name in sorted(asked):
            dimensions = [{"Name": "TargetGroup", "Value": group}]
            metric = {"MetricName": name, "Dimensions": dimensions}
            number = f"q{len(queries)}"
            queries.append({"Id": number, "MetricStat": {"Metric": metric, "Stat": "Sum"}})
            value = (
                {"Timestamps": [AT], "Values": [told[name]]}
                if name in told
                else {"Timestamps": [], "Values": []}
            )
            results.append({"Id": number, **value})
    evidence.hears(
        CallRecord(
            at=at,
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
        pytest.param(
            [(ANSWERS, {REQUESTS: 20, ANSWERED: 8, FAILED: 12}), (ANSWERS, {REQUESTS: 24, ANSWERED: 24})],
            False,
            id="two answers are not merged into one that AWS never gave",
        ),
    ],
)
def test_what_speaks_against_green_is_what_one_call_that_asked_for_everything_found(
    calls: list[tuple[set[str], Counts]], *, speaks: bool
) -> None:
    world = World(start=AT)
    scenery = furnish(world)
    evidence = Evidence(world, scenery)
    for asked, counts in calls:
        read(evidence, scenery, asked, counts)
    period = evidence.periods.get(AT)
    assert (period is not None and period.speaks_against_green) is speaks


def test_what_convicts_green_was_said_by_every_answer_that_may_be_taken_for_the_last_word() -> None:
    world = World(start=AT)
    scenery = furnish(world)
    evidence = Evidence(world, scenery)
    bad: Counts = {REQUESTS: 100, ANSWERED: 20, FAILED: 80}
    good: Counts = {REQUESTS: 100, ANSWERED: 100}
    read(evidence, scenery, ANSWERS, good, at=AT + timedelta(seconds=61))
    read(evidence, scenery, ANSWERS, bad, at=AT + timedelta(seconds=65))
    assert not evidence.periods[AT].convicts()  # it may change yet
    read(evidence, scenery, ANSWERS, bad, at=AT + timedelta(seconds=80))
    assert evidence.periods[AT].convicts()
    read(evidence, scenery, ANSWERS, good, at=AT + timedelta(minutes=3))
    assert not evidence.periods[AT].convicts()
