"""What ticks of one account read together: few full calls, each answer its asker's own."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.aws.client.errors import refused, unanswered
from orchestrator.aws.client.transport import Answer
from orchestrator.aws.cloud import AwsCloud
from orchestrator.aws.reads.observe import observe
from orchestrator.aws.reads.shared_reads import Reads
from orchestrator.core.cloud.effects import WriteRule
from orchestrator.core.cloud.forward_action import canonical
from orchestrator.core.cloud.resources import AlarmSeen, MetricQuery, Series, ServiceSeen, Unread
from orchestrator.core.domain.errors import Unreachable
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.rollout.needs import MetricsNeed, Needs
from orchestrator.core.rollout.seen import Seen
from tests.aws.clock import run_in_no_time
from tests.aws.reads.test_observe import CLUSTER, LISTENER, NOON, alarm, rule_arn, rules_named, service
from tests.aws.script import Reply, Script, caller

MINUTE = timedelta(minutes=1)


def query(name: str, *, expression: str = "", load_balancer: str = "app/lb/b") -> MetricQuery:
    return MetricQuery(
        id="requests",
        namespace="" if expression else "AWS/ApplicationELB",
        metric="" if expression else name,
        dimensions=() if expression else (("LoadBalancer", load_balancer),),
        stat="" if expression else "Sum",
        period=MINUTE,
        expression=expression,
    )


def need(*queries: MetricQuery, minutes: int = 2) -> Needs:
    named = tuple(replace(one, id=str(number)) for number, one in enumerate(queries))
    return Needs(metrics=MetricsNeed(queries=named, start=NOON - minutes * MINUTE, end=NOON))


def counting(asked: Answer) -> Answer:
    """Each metric's value is the length of its name; one point a minute of the whole window."""
    minutes = int((asked["EndTime"] - asked["StartTime"]) / MINUTE)
    times = [asked["StartTime"] + n * MINUTE for n in range(minutes)]
    results = []
    for entry in asked["MetricDataQueries"]:
        text = entry.get("Expression") or entry["MetricStat"]["Metric"]["MetricName"]
        values = [float(len(text))] * minutes
        results.append({"Id": entry["Id"], "Timestamps": times, "Values": values, "StatusCode": "Complete"})
    return {"MetricDataResults": results}


def picky(asked: Answer) -> Answer:
    if any("BAD" in entry.get("Expression", "") for entry in asked["MetricDataQueries"]):
        raise refused("cloudwatch", "GetMetricData", code="ValidationError", message="bad", status=400)
    return counting(asked)


def alarms_named(asked: Answer) -> Answer:
    return {"MetricAlarms": [alarm(name) for name in asked["AlarmNames"]]}


def services_named(asked: Answer) -> Answer:
    return {"services": [service(name) for name in asked["services"]]}


def points(seen: Seen, name: str = "0") -> Series:
    series = seen.metrics[name]
    assert not isinstance(series, Unread)
    return series


def look_together(
    replies: dict[str, list[Reply]], *needs: Needs, rounds: int = 1
) -> tuple[list[Seen], Script]:
    script = Script(replies, is_strict=False)

    async def main() -> list[Seen]:
        cloud = AwsCloud(caller(script), region="eu-west-1", window=0.1)
        for _ in range(rounds):
            async with asyncio.TaskGroup() as group:
                looks = [group.create_task(cloud.observe(one)) for one in needs]
        return [look.result() for look in looks]

    return run_in_no_time(main()), script


def test_series_of_all_rollouts_go_into_one_call_and_each_gets_its_own_by_its_own_id() -> None:
    seen, script = look_together(
        {"GetMetricData": [counting]}, need(query("ab"), query("abc")), need(query("abcd"))
    )
    assert len(script.calls) == 1
    values = [{name: points(one, name)[0][1] for name in one.metrics} for one in seen]
    assert values == [{"0": 2, "1": 3}, {"0": 4}]


def test_the_same_series_is_asked_once_and_reaches_back_for_each_as_far_as_it_was_asked() -> None:
    seen, script = look_together(
        {"GetMetricData": [counting]}, need(query("ab"), minutes=1), need(query("ab"), minutes=3)
    )
    ((_, asked),) = script.calls
    assert len(asked["MetricDataQueries"]) == 1
    assert [len(points(one)) for one in seen] == [1, 3]


def test_a_long_history_does_not_make_others_read_as_far_back() -> None:
    _, script = look_together(
        {"GetMetricData": [counting]}, need(query("ab"), minutes=61), need(query("abc"), minutes=2)
    )
    starts = sorted(asked["StartTime"] for asked in script.asked("GetMetricData"))
    assert starts == [NOON - 61 * MINUTE, NOON - 2 * MINUTE]


def test_five_hundred_queries_go_into_a_call_and_not_one_more() -> None:
    looks = [need(*(query(f"m{rollout}-{n}") for n in range(14))) for rollout in range(100)]
    _, script = look_together({"GetMetricData": [counting]}, *looks)
    sizes = sorted(len(asked["MetricDataQueries"]) for asked in script.asked("GetMetricData"))
    assert sizes == [400, 500, 500]


def test_an_expression_is_read_over_exactly_the_window_that_was_asked_for() -> None:
    running = query("", expression="RUNNING_SUM(m1)")
    _, script = look_together(
        {"GetMetricData": [counting]}, need(running, minutes=1), need(running, minutes=2)
    )
    assert len(script.calls) == 2


def test_a_refused_query_costs_the_others_nothing_and_is_kept_apart_from_then_on() -> None:
    bad, good = query("", expression="BAD("), query("", expression="m1 + 1")
    seen, script = look_together({"GetMetricData": [picky]}, need(bad), need(good), rounds=2)
    assert isinstance(seen[0].metrics["0"], Unread)
    assert seen[0].metrics["0"].is_refused
    assert not isinstance(seen[1].metrics["0"], Unread)
    assert [len(asked["MetricDataQueries"]) for asked in script.asked("GetMetricData")] == [2, 1, 1, 1, 1]


def test_alarms_go_by_the_hundred_and_one_that_many_rollouts_name_is_asked_once() -> None:
    looks = [Needs(alarms=("shared", f"own-{n}")) for n in range(150)]
    seen, script = look_together({"DescribeAlarms": [alarms_named]}, *looks)
    assert sorted(len(asked["AlarmNames"]) for asked in script.asked("DescribeAlarms")) == [51, 100]
    assert all(isinstance(found, AlarmSeen) for one in seen for found in one.alarms.values())


def test_services_go_by_ten_of_one_cluster() -> None:
    looks = [Needs(cluster=CLUSTER, blue=f"s{n}", green=f"s{n}-g") for n in range(12)]
    looks.append(Needs(cluster=CLUSTER.replace("prod", "test"), blue="s0"))
    seen, script = look_together({"DescribeServices": [services_named]}, *looks)
    assert sorted(len(asked["services"]) for asked in script.asked("DescribeServices")) == [1, 4, 10, 10]
    assert all(isinstance(one.blue, ServiceSeen) for one in seen)


def test_a_rollback_reads_for_itself_and_does_not_wait_for_company() -> None:
    script = Script({"DescribeServices": [services_named]}, is_strict=False)

    async def main() -> float:
        reads = Reads(caller(script), window=0.1)
        began = asyncio.get_running_loop().time()
        urgent = Needs(cluster=CLUSTER, blue="checkout", is_urgent=True)
        await observe(caller(script), "eu-west-1", urgent, reads)
        return asyncio.get_running_loop().time() - began

    assert run_in_no_time(main()) == 0


def stopped(arn: str, last: str = "STOPPED", reason: str = "") -> Answer:
    at = NOON - timedelta(minutes=5)
    return {"taskArn": arn, "lastStatus": last, "stoppedAt": at, "stoppedReason": reason}


def test_a_task_that_has_stopped_is_asked_once_and_one_that_still_stops_again() -> None:
    def described(asked: Answer) -> Answer:
        known = {"old": stopped("old", reason="crashed"), "new": stopped("new", "STOPPING")}
        return {"tasks": [known[arn] for arn in asked["tasks"]]}

    script = Script(
        {
            "DescribeServices": [{"services": [service()], "failures": []}],
            "ListTasks": [{"taskArns": ["old"]}, {"taskArns": ["old", "new"]}, {"taskArns": ["new", "old"]}],
            "DescribeTasks": [described],
        }
    )
    reads = Reads(caller(script))
    needs = Needs(cluster=CLUSTER, blue="checkout", stops=("checkout",))

    async def run() -> list[Seen]:
        return [await observe(caller(script), "eu-west-1", needs, reads) for _ in range(3)]

    seen = run_in_no_time(run())
    assert [asked["tasks"] for asked in script.asked("DescribeTasks")] == [["old"], ["new"], ["new"]]
    for look in seen:
        assert isinstance(look.blue, ServiceSeen)
        assert "crashed" in [stop.reason for stop in look.blue.stops]


def rule_write(name: str) -> WriteRule:
    return WriteRule(
        rule=rule_arn(name),
        listener=LISTENER,
        is_default=False,
        actions=canonical([{"Type": "forward", "TargetGroupArn": "g"}]),
        green=Tenths(10),
        to_safety=False,
        expects=canonical([]),
    )


def test_rules_that_are_written_together_are_compared_in_one_read() -> None:
    known = {rule_arn(name) for name in "abc"}
    script = Script({"DescribeRules": [rules_named(known)], "ModifyRule": [{"Rules": []}]})
    cloud = AwsCloud(caller(script), region="eu-west-1")

    async def run() -> None:
        async with asyncio.TaskGroup() as group:
            for name in "abc":
                group.create_task(cloud.perform(rule_write(name)))

    run_in_no_time(run())
    assert [len(asked["RuleArns"]) for asked in script.asked("DescribeRules")] == [3]
    assert {asked["RuleArn"] for asked in script.asked("ModifyRule")} == known


def test_a_rule_that_cannot_be_compared_is_not_written() -> None:
    silence = unanswered("elbv2", "DescribeRules", why="no answer")
    script = Script({"DescribeRules": [silence], "ModifyRule": [{"Rules": []}]})
    cloud = AwsCloud(caller(script), region="eu-west-1")
    with pytest.raises(Unreachable, match="could not be read right before"):
        run_in_no_time(cloud.perform(rule_write("a")))
    assert not script.asked("ModifyRule")
