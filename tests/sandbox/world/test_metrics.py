"""Metrics appear late and only where there is something to count; statistics are CloudWatch's."""

from datetime import datetime, timedelta

import pytest

from tests.sandbox.world.places import START, Shop, Wire, calm, seconds, shop


def answer(s: Shop, count: int = 1, *, status: int = 200, time: float = 0.01) -> None:
    s.world.traffic.count_answer(
        load_balancer=s.scenery.load_balancer,
        group=s.scenery.target_group,
        status=status,
        seconds=time,
        count=count,
    )


def names(s: Shop) -> tuple[str, str]:
    suffix = s.scenery.load_balancer.split(":loadbalancer/")[1]
    return suffix, s.scenery.target_group.rsplit(":", 1)[1]


def read(
    s: Shop,
    metric: str,
    stat: str = "Sum",
    *,
    start: datetime | None = None,
    group: bool = True,
    zone: str = "",
    oldest_first: bool = False,
    **extra: Wire,
) -> list[float]:
    balancer, target_group = names(s)
    dimensions = [{"Name": "LoadBalancer", "Value": balancer}]
    dimensions += [{"Name": "TargetGroup", "Value": target_group}] if group else []
    dimensions += [{"Name": "AvailabilityZone", "Value": zone}] if zone else []
    shown = {"Namespace": "AWS/ApplicationELB", "MetricName": metric, "Dimensions": dimensions}
    query = {"Id": "m1", "MetricStat": {"Metric": shown, "Period": 60, "Stat": stat} | extra}
    window = {
        "StartTime": start or s.world.now - timedelta(hours=1),
        "EndTime": s.world.now + timedelta(minutes=5),
    }
    order = {"ScanBy": "TimestampAscending"} if oldest_first else {}
    asked = {"MetricDataQueries": [query], **window, **order}
    result = s.world.call("cloudwatch", "GetMetricData", asked)
    assert result["MetricDataResults"][0]["StatusCode"] == "Complete"
    return list(result["MetricDataResults"][0]["Values"])


def minute(s: Shop) -> None:
    """Go to the next whole minute."""
    s.world.advance(s.world.kernel.floor(s.world.now, seconds(60)) + seconds(60))


def test_a_count_is_not_there_yet_then_partial_then_whole() -> None:
    s = shop()
    minute(s)
    answer(s, 5)
    s.world.advance(seconds(40))
    answer(s, 7)
    seen = []
    for _ in range(12):
        s.world.advance(seconds(10))
        seen.append(read(s, "RequestCount"))
    assert seen[0] == []
    assert [5.0] in seen
    assert seen[-1] == [12.0]


def test_a_count_of_none_is_absent_and_not_zero() -> None:
    s = shop()
    answer(s, 5)
    s.world.advance(seconds(300))
    assert read(s, "RequestCount") == [5.0]
    assert read(s, "HTTPCode_Target_5XX_Count") == []


def test_values_come_newest_first() -> None:
    s = shop()
    for count in (1, 2, 3):
        minute(s)
        answer(s, count)
    s.world.advance(seconds(300))
    assert read(s, "RequestCount") == [3.0, 2.0, 1.0]


def test_a_wrong_dimension_set_is_empty_and_no_error() -> None:
    s = shop()
    answer(s, status=500)
    s.world.traffic.count_rejected(load_balancer=s.scenery.load_balancer, status=503)
    s.world.advance(seconds(300))
    assert read(s, "HTTPCode_ELB_503_Count", group=True) == []
    assert read(s, "HTTPCode_ELB_503_Count", group=False) == [1.0]
    assert read(s, "HTTPCode_ELB_5XX_Count", group=False) == [1.0]
    assert read(s, "HealthyHostCount", "Minimum", group=False) == []


def test_a_wrong_unit_finds_nothing() -> None:
    s = shop()
    answer(s)
    s.world.advance(seconds(300))
    assert (read(s, "RequestCount", Unit="Seconds"), read(s, "RequestCount", Unit="Count")) == ([], [1.0])


def test_zones_add_up_to_the_whole() -> None:
    s = shop()
    for _ in range(7):
        answer(s)
    s.world.advance(seconds(300))
    parts = [read(s, "RequestCount", zone=f"eu-west-1{z}")[0] for z in "ab"]
    assert (sum(parts), sorted(parts)) == (7.0, [3.0, 4.0])


def test_requests_without_a_target_count_for_the_load_balancer_alone() -> None:
    s = shop()
    s.world.traffic.count_rejected(load_balancer=s.scenery.load_balancer, status=503)
    s.world.advance(seconds(300))
    assert read(s, "RequestCount", group=False) == []


def test_a_request_whose_target_gave_no_answer_is_counted_but_has_no_code_of_the_target() -> None:
    s = shop()
    balancer, group = s.scenery.load_balancer, s.scenery.target_group
    s.world.traffic.count_connection_error(load_balancer=balancer, group=group)
    s.world.traffic.count_unanswered(load_balancer=balancer, group=group, status=502)
    s.world.advance(seconds(300))
    assert read(s, "RequestCount") == read(s, "TargetConnectionErrorCount") == [1.0]
    assert read(s, "HTTPCode_ELB_502_Count", group=False) == [1.0]
    assert read(s, "HTTPCode_Target_5XX_Count") == []


@pytest.mark.parametrize(
    ("stat", "value"),
    [
        ("SampleCount", 100),
        ("Average", 0.145),
        ("Minimum", 0.1),
        ("Maximum", 1.0),
        ("p50", 0.1),
        ("p99.9", 1.0),
    ],
)
def test_response_times_have_these_statistics(stat: str, value: float) -> None:
    s = shop()
    minute(s)
    answer(s, 95, time=0.1)
    answer(s, 5, time=1.0)
    s.world.advance(seconds(300))
    assert read(s, "TargetResponseTime", stat) == [pytest.approx(value, rel=0.02)]


def test_hosts_are_counted_every_minute_by_their_health() -> None:
    s = shop()
    s.world.advance(seconds(300))
    assert read(s, "HealthyHostCount", "Minimum")[0] == 3.0
    assert read(s, "UnHealthyHostCount", "Maximum")[0] == 0.0
    in_zones = [read(s, "HealthyHostCount", "Minimum", zone=f"eu-west-1{z}")[0] for z in "ab"]
    assert sum(in_zones) == 3.0


def test_metrics_are_forgotten_after_their_retention() -> None:
    s = shop(calm(metric_retention_minutes=10))
    answer(s)
    s.world.advance(seconds(800))
    assert read(s, "RequestCount") == []


def tricky(**changes: object) -> Shop:
    """A shop whose datapoints come after 60 to 120 s."""
    return shop(calm(metric_jitter_minutes=0.5, **changes))


def whole_after(begin: datetime) -> float:
    """How long after its end the minute that begins then is whole, in seconds."""
    s = tricky()
    s.world.advance(begin)
    answer(s, 5)
    s.world.advance(seconds(50))
    answer(s, 5)
    s.world.advance(seconds(10))
    for waited in range(200):
        if read(s, "RequestCount", start=begin) == [10.0]:
            return float(waited)
        s.world.advance(seconds(1))
    raise AssertionError("never whole")


def test_a_minute_is_whole_one_to_two_minutes_after_its_end_and_never_at_the_same_time() -> None:
    seen = [whole_after(START + timedelta(minutes=5 + number)) for number in range(12)]
    assert min(seen) >= 60
    assert max(seen) <= 120
    assert max(seen) - min(seen) > 15


def test_a_colours_metrics_come_together_though_colours_do_not() -> None:
    s = tricky()
    minute(s)
    answer(s, 5, status=500)
    for _ in range(150):
        s.world.advance(seconds(1))
        assert read(s, "RequestCount") == read(s, "HTTPCode_Target_5XX_Count")


def test_a_revised_datapoint_is_short_at_first_and_keeps_its_rate() -> None:
    s = shop(calm(metric_revised_share=0.5, metric_revision_minutes=1.0))
    minute(s)
    began = s.world.now
    for _ in range(10):
        for _ in range(2):  # one for each zone
            answer(s, 10)
            answer(s, 10, status=500)
        minute(s)
    revised = 0
    seen: dict[int, float] = {}
    for _ in range(360):
        counts = read(s, "RequestCount", start=began, oldest_first=True)
        errors = read(s, "HTTPCode_Target_5XX_Count", start=began, oldest_first=True)
        for number, count in enumerate(counts):
            revised += seen.get(number, count) < count
            seen[number] = count
        assert len(errors) <= len(counts)
        s.world.advance(seconds(1))
    assert counts == [40.0] * 10
    assert revised > 0
