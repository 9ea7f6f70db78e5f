"""What AWS may say that the World has no reason to say; ordinary answers are in ``tests/contract``."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from orchestrator.aws.client.errors import refused, unanswered
from orchestrator.aws.client.transport import Answer
from orchestrator.aws.reads.observe import observe
from orchestrator.core.cloud.resources import (
    Absent,
    AlarmSeen,
    GroupSeen,
    MetricQuery,
    RuleSeen,
    ServiceSeen,
    TargetsSeen,
    Unread,
)
from orchestrator.core.domain.ids import ListenerArn, RuleArn, TargetGroupArn
from orchestrator.core.tick.needs import MetricsNeed, Needs, RuleNeed
from orchestrator.core.tick.seen import Seen
from tests.aws.clock import run_in_no_time
from tests.aws.script import Reply, Script, caller

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LISTENER = ListenerArn("arn:aws:elasticloadbalancing:eu-west-1:1:listener/app/lb/b/c")
SILENCE = unanswered("elbv2", "DescribeRules", why="no answer")
CLUSTER = "arn:aws:ecs:eu-west-1:1:cluster/prod"
GROUP = TargetGroupArn("arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/blue/1")


def gone(code: str) -> Exception:
    return refused("elbv2", "Describe", code=code, message="not found", status=400)


def look(needs: Needs, replies: dict[str, list[Reply]], *, is_strict: bool = True) -> tuple[Seen, Script]:
    script = Script(replies, is_strict=is_strict)
    return run_in_no_time(observe(caller(script), "eu-west-1", needs)), script


def rule_arn(name: str) -> RuleArn:
    return RuleArn(f"arn:aws:elasticloadbalancing:eu-west-1:1:listener-rule/app/lb/b/c/{name}")


def rule_needs(*names: str) -> tuple[RuleNeed, ...]:
    return tuple(RuleNeed(arn=rule_arn(name), listener=LISTENER, is_default=False) for name in names)


def rules_named(known: set[RuleArn]) -> Reply:
    def answer(asked: Answer) -> Answer:
        names = asked["RuleArns"]
        if not set(names) <= known:
            raise gone("RuleNotFound")
        return rules_named_answer(names)

    return answer


def rules_named_answer(names: Iterable[str]) -> Answer:
    return {"Rules": [{"RuleArn": arn, "Priority": "1", "Actions": [], "Conditions": []} for arn in names]}


def service(name: str = "checkout", **changes: object) -> Answer:
    described: Answer = {
        "serviceName": name,
        "serviceArn": f"arn:aws:ecs:eu-west-1:1:service/prod/{name}",
        "clusterArn": CLUSTER,
        "status": "ACTIVE",
        "taskDefinition": "arn:aws:ecs:eu-west-1:1:task-definition/checkout:1",
        "desiredCount": 1,
        "runningCount": 1,
        "pendingCount": 0,
        "deployments": [],
    }
    return {**described, **changes}


def metrics(*names: str) -> MetricsNeed:
    queries = tuple(
        MetricQuery(
            id=name,
            namespace="AWS/ApplicationELB",
            metric=f"RequestCount of {name}",  # what is asked alike is asked once
            dimensions=(("LoadBalancer", "app/lb/b"),),
            stat="Sum",
            period=timedelta(seconds=60),
        )
        for name in names
    )
    return MetricsNeed(queries=queries, start=NOON, end=NOON + timedelta(minutes=3))


def result(name: str, values: list[float], status: str = "Complete", **more: object) -> Answer:
    times = [NOON + timedelta(minutes=n) for n in range(len(values))]
    return {"Id": name, "Timestamps": times, "Values": values, "StatusCode": status, **more}


def alarm(name: str, **changes: object) -> Answer:
    return {"AlarmName": name, "StateValue": "OK", "StateUpdatedTimestamp": NOON, **changes}


def test_needing_nothing_calls_nothing() -> None:
    seen, script = look(Needs(), {})
    assert (seen, script.calls) == (Seen(), [])


def test_one_deleted_rule_costs_the_others_nothing() -> None:
    known = {rule_arn("a"), rule_arn("c")}
    seen, script = look(Needs(rules=rule_needs("a", "b", "c")), {"DescribeRules": [rules_named(known)]})
    assert seen.rules[rule_arn("b")] == Absent()
    assert all(isinstance(seen.rules[arn], RuleSeen) for arn in known)
    assert len(script.calls) == 4


def test_a_rule_knows_its_listener_and_load_balancer_by_its_arn() -> None:
    seen, _ = look(Needs(rules=rule_needs("a")), {"DescribeRules": [rules_named({rule_arn("a")})]})
    rule = seen.rules[rule_arn("a")]
    assert isinstance(rule, RuleSeen)
    assert rule.listener == LISTENER
    assert rule.load_balancer == "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/app/lb/b"


def test_rules_are_read_twenty_at_a_time() -> None:
    needs = rule_needs(*(f"r{n}" for n in range(41)))
    _, script = look(Needs(rules=needs), {"DescribeRules": [rules_named({need.arn for need in needs})]})
    assert [len(asked["RuleArns"]) for asked in script.asked("DescribeRules")] == [20, 20, 1]


def test_rules_of_a_listener_that_is_read_whole_are_not_read_again() -> None:
    names = {rule_arn("a"), rule_arn("b")}

    def listed(asked: Answer) -> Answer:
        assert asked.keys() == {"ListenerArn"}
        return rules_named_answer(names)

    seen, script = look(Needs(rules=rule_needs("a"), listeners=(LISTENER,)), {"DescribeRules": [listed]})
    assert isinstance(seen.rules[rule_arn("a")], RuleSeen)
    assert seen.rules.keys() == {rule_arn("a")}
    assert len(script.calls) == 1


@pytest.mark.parametrize("listing", [SILENCE, {"Rules": []}])
def test_rules_that_a_listing_does_not_show_are_read_by_their_names(listing: Reply) -> None:
    known = {rule_arn("a")}

    def answer(asked: Answer) -> Answer:
        if "ListenerArn" in asked and isinstance(listing, Exception):
            raise listing
        reply = listing if "ListenerArn" in asked else rules_named(known)
        answered = reply(asked) if callable(reply) else reply
        assert isinstance(answered, dict)
        return answered

    needs = Needs(rules=rule_needs("a", "b"), listeners=(LISTENER,))
    seen, _ = look(needs, {"DescribeRules": [answer]})
    assert isinstance(seen.rules[rule_arn("a")], RuleSeen)
    assert seen.rules[rule_arn("b")] == Absent()


def test_a_rule_that_an_answer_leaves_out_is_unread_and_not_absent() -> None:
    seen, _ = look(Needs(rules=rule_needs("a")), {"DescribeRules": [{"Rules": []}]})
    assert isinstance(seen.rules[rule_arn("a")], Unread)


def test_a_failed_read_is_unread_with_its_reason_and_cancels_no_neighbour() -> None:
    needs = Needs(
        rules=rule_needs("a"), cluster=CLUSTER, blue="checkout", targets=(GROUP,), scaling="checkout", alarms=("x",),
        metrics=metrics("m"), groups=("g",),
    )  # fmt: skip
    seen, _ = look(
        needs,
        {
            "DescribeRules": [SILENCE],
            "DescribeServices": [{"services": [service()], "failures": []}],
            "DescribeTargetHealth": [SILENCE],
            "DescribeScalableTargets": [SILENCE],
            "DescribeAlarms": [SILENCE],
            "GetMetricData": [SILENCE],
            "DescribeTargetGroups": [SILENCE],
        },
    )
    assert isinstance(seen.blue, ServiceSeen)
    values = (*seen.rules.values(), *seen.targets.values(), *seen.alarms.values(), *seen.metrics.values())
    for read in (*values, seen.scaling, seen.groups["g"]):
        assert isinstance(read, Unread)
        assert "no answer" in read.why


def test_an_answer_of_another_shape_is_unread_and_takes_no_neighbour_down() -> None:
    odd: dict[str, list[Reply]] = {
        "DescribeRules": [{"Rules": [{"Priority": "1"}]}],
        "DescribeServices": [{"services": [{"serviceName": "checkout"}]}],
        "DescribeTargetHealth": [{"TargetHealthDescriptions": [{"TargetHealth": {"State": "healthy"}}]}],
        "DescribeAlarms": [{"MetricAlarms": [{"AlarmName": "x"}]}],
        "GetMetricData": [{"MetricDataResults": [{"Id": "other"}]}],
    }
    needs = Needs(
        rules=rule_needs("a"), cluster=CLUSTER, blue="checkout", targets=(GROUP,), alarms=("x",), metrics=metrics("m")
    )  # fmt: skip
    seen, _ = look(needs, odd, is_strict=False)
    assert seen.targets[GROUP] == TargetsSeen(healthy=1)
    for read in (seen.rules[rule_arn("a")], seen.blue, seen.alarms["x"], seen.metrics["m"]):
        assert isinstance(read, Unread)
        assert "cannot be understood" in read.why


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"services": [], "failures": [{"arn": "arn:x:service/prod/checkout", "reason": "MISSING"}]}, Absent),
        ({"services": [service(status="INACTIVE")], "failures": []}, Absent),
        ({"services": [], "failures": [{"arn": "arn:x:service/prod/checkout", "reason": "BUSY"}]}, Unread),
        ({"services": [], "failures": []}, Unread),
        ({"services": [service(status="DRAINING")], "failures": []}, ServiceSeen),
    ],
)
def test_a_service_is_absent_only_where_ecs_says_so(answer: Answer, expected: type[Any]) -> None:
    seen, _ = look(Needs(cluster=CLUSTER, blue="checkout"), {"DescribeServices": [answer]})
    assert isinstance(seen.blue, expected)


def test_blue_and_green_come_with_one_call_and_their_tags() -> None:
    answer = {"services": [service(tags=[{"key": "a", "value": "b"}]), service("guest")], "failures": []}
    needs = Needs(cluster=CLUSTER, blue="checkout", green="guest")
    seen, script = look(needs, {"DescribeServices": [answer]})
    assert isinstance(seen.blue, ServiceSeen)
    assert isinstance(seen.green, ServiceSeen)
    assert seen.blue.tags == {"a": "b"}
    expected = {"cluster": CLUSTER, "services": ["checkout", "guest"], "include": ["TAGS"]}
    assert script.calls == [("DescribeServices", expected)]


def test_stops_come_newest_first_with_what_a_container_adds() -> None:
    def task(name: str, minute: int, **changes: object) -> Answer:
        at = NOON + timedelta(minutes=minute)
        return {"taskArn": name, "taskDefinitionArn": "d:1", "stoppedAt": at, **changes}

    tasks = [
        task("old", 1, stopCode="EssentialContainerExited", stoppedReason="Essential container in task exited",
             containers=[{"name": "app", "exitCode": 137}, {"name": "log", "exitCode": 0}]),
        task("new", 2, stopCode="TaskFailedToStart", stoppedReason="CannotPullContainerError: no such image",
             containers=[{"name": "app", "reason": "CannotPullContainerError: no such image"}]),
        {"taskArn": "stopping", "stoppingAt": NOON + timedelta(minutes=3), "containers": [
            {"name": "app", "reason": "OutOfMemoryError: killed"}]},
    ]  # fmt: skip
    seen, script = look(
        Needs(cluster=CLUSTER, blue="checkout", stops=("checkout",)),
        {
            "DescribeServices": [{"services": [service()], "failures": []}],
            "ListTasks": [{"taskArns": ["old", "new"], "nextToken": "n"}, {"taskArns": ["stopping"]}],
            "DescribeTasks": [{"tasks": tasks}],
        },
    )
    assert isinstance(seen.blue, ServiceSeen)
    assert [(stop.task, stop.code, stop.reason) for stop in seen.blue.stops] == [
        ("stopping", "", "app: OutOfMemoryError: killed"),
        ("new", "TaskFailedToStart", "CannotPullContainerError: no such image"),
        ("old", "EssentialContainerExited", "Essential container in task exited; app: exit code 137"),
    ]
    assert script.asked("ListTasks")[0]["desiredStatus"] == "STOPPED"
    assert script.asked("DescribeTasks")[0]["tasks"] == ["old", "new", "stopping"]


def test_a_service_whose_stops_cannot_be_read_is_unread_since_silence_would_say_that_nothing_stopped() -> (
    None
):
    seen, _ = look(
        Needs(cluster=CLUSTER, blue="checkout", stops=("checkout",)),
        {"DescribeServices": [{"services": [service()], "failures": []}], "ListTasks": [SILENCE]},
    )
    assert isinstance(seen.blue, Unread)
    assert "stopped tasks" in seen.blue.why


def test_targets_are_counted_by_state_with_distinct_reasons() -> None:
    states: list[dict[str, str]] = [
        {"State": "healthy"},
        {"State": "initial", "Reason": "Elb.InitialHealthChecking"},
        {"State": "unhealthy", "Reason": "Target.Timeout"},
        {"State": "unhealthy", "Reason": "Target.Timeout"},
        {"State": "unhealthy.draining", "Reason": "Target.DeregistrationInProgress"},
        {"State": "unused", "Reason": "Target.NotInUse"},
        {"State": "unavailable", "Reason": "Target.HealthCheckDisabled"},
    ]
    answer = {"TargetHealthDescriptions": [{"TargetHealth": state} for state in states]}
    seen, _ = look(Needs(targets=(GROUP,)), {"DescribeTargetHealth": [answer]})
    assert seen.targets[GROUP] == TargetsSeen(
        healthy=1,
        initial=1,
        unhealthy=2,
        draining=1,
        unused=1,
        unavailable=1,
        reasons=(
            "Elb.InitialHealthChecking",
            "Target.Timeout",
            "Target.DeregistrationInProgress",
            "Target.NotInUse",
            "Target.HealthCheckDisabled",
        ),
    )


def test_targets_of_a_group_that_is_gone_are_absent() -> None:
    seen, _ = look(Needs(targets=(GROUP,)), {"DescribeTargetHealth": [gone("TargetGroupNotFound")]})
    assert seen.targets[GROUP] == Absent()


def test_a_group_that_vanishes_between_two_reads_is_absent() -> None:
    listed = {"TargetGroups": [{"TargetGroupArn": GROUP, "TargetGroupName": "blue"}]}
    seen, _ = look(
        Needs(groups=("blue",)),
        {
            "DescribeTargetGroups": [listed],
            "DescribeTargetGroupAttributes": [gone("TargetGroupNotFound")],
            "DescribeTags": [gone("TargetGroupNotFound")],
        },
    )
    assert seen.groups["blue"] == Absent()


def test_a_group_that_vanishes_costs_its_neighbours_nothing() -> None:
    """One unknown ARN fails a whole DescribeTags: the groups that are there are asked for again, each by itself."""
    other = TargetGroupArn(GROUP.replace("blue", "gone"))
    listed = [
        {"TargetGroupArn": arn, "TargetGroupName": name} for arn, name in ((GROUP, "blue"), (other, "gone"))
    ]

    def tags(asked: Answer) -> Answer:
        if other in asked["ResourceArns"]:
            raise gone("TargetGroupNotFound")
        tag = {"Key": "teal:rollout", "Value": "checkout-1"}
        return {"TagDescriptions": [{"ResourceArn": arn, "Tags": [tag]} for arn in asked["ResourceArns"]]}

    def attributes(asked: Answer) -> Answer:
        if asked["TargetGroupArn"] == other:
            raise gone("TargetGroupNotFound")
        return {"Attributes": []}

    replies: dict[str, list[Reply]] = {
        "DescribeTargetGroups": [{"TargetGroups": listed}],
        "DescribeTargetGroupAttributes": [attributes],
        "DescribeTags": [tags],
    }
    seen, _ = look(Needs(groups=("blue", "gone")), replies)
    assert seen.groups["gone"] == Absent()
    blue = seen.groups["blue"]
    assert isinstance(blue, GroupSeen), blue
    assert blue.tags == {"teal:rollout": "checkout-1"}


def test_a_group_whose_tags_cannot_be_read_is_unread() -> None:
    listed = {"TargetGroups": [{"TargetGroupArn": GROUP, "TargetGroupName": "blue"}]}
    replies: dict[str, list[Reply]] = {
        "DescribeTargetGroups": [listed],
        "DescribeTargetGroupAttributes": [{"Attributes": []}],
        "DescribeTags": [{"TagDescriptions": []}],
    }
    seen, _ = look(Needs(groups=("blue",)), replies)
    assert isinstance(seen.groups["blue"], Unread)


def test_alarms_of_every_kind_are_asked_for_and_unknown_names_are_absent() -> None:
    answer = {
        "MetricAlarms": [
            alarm("metric", MetricName="M", Statistic="Sum", Period=60, Threshold=5, EvaluationPeriods=3),
            alarm("math", Metrics=[{"Id": "e1", "Expression": "m1/m2"}]),
        ],
        "CompositeAlarms": [alarm("both", AlarmRule="ALARM(metric)")],
        "LogAlarms": [alarm("log", EvaluationState="EVALUATION_ERROR")],
    }
    names = ("metric", "math", "both", "log", "nowhere")
    seen, script = look(Needs(alarms=names), {"DescribeAlarms": [answer]})
    kinds = {name: found.kind for name, found in seen.alarms.items() if isinstance(found, AlarmSeen)}
    assert kinds == {"metric": "metric", "math": "math", "both": "composite", "log": "log"}
    assert seen.alarms["nowhere"] == Absent()
    assert script.calls[0][1]["AlarmTypes"] == ["MetricAlarm", "CompositeAlarm", "LogAlarm"]


def test_an_alarm_has_its_defaults_and_the_time_it_changed_and_not_the_time_it_was_written() -> None:
    changed = datetime(2026, 3, 1, 12, 30, tzinfo=timezone(timedelta(hours=1)))
    described = alarm(
        "x", MetricName="M", ExtendedStatistic="p99", EvaluationPeriods=3, StateTransitionedTimestamp=changed
    )
    seen, _ = look(Needs(alarms=("x",)), {"DescribeAlarms": [{"MetricAlarms": [described]}]})
    found = seen.alarms["x"]
    assert isinstance(found, AlarmSeen)
    assert (found.stat, found.datapoints_to_alarm, found.missing) == ("p99", 3, "missing")
    assert found.state_since == datetime(2026, 3, 1, 11, 30, tzinfo=UTC)


def test_alarms_are_read_a_hundred_at_a_time() -> None:
    names = tuple(f"alarm-{n}" for n in range(150))
    _, script = look(Needs(alarms=names), {"DescribeAlarms": [{"MetricAlarms": []}]})
    assert [len(asked["AlarmNames"]) for asked in script.asked("DescribeAlarms")] == [100, 50]


def test_series_are_asked_for_with_legal_ids_and_no_unit() -> None:
    answer = {"MetricDataResults": [result("q0", [1.0]), result("q1", [])]}
    seen, script = look(Needs(metrics=metrics("Blue requests", "9")), {"GetMetricData": [answer]})
    assert seen.metrics == {"Blue requests": ((NOON, 1.0),), "9": ()}
    asked = script.calls[0][1]
    assert [query["Id"] for query in asked["MetricDataQueries"]] == ["q0", "q1"]
    assert (asked["StartTime"], asked["EndTime"]) == (NOON, NOON + timedelta(minutes=3))
    assert asked["MetricDataQueries"][0]["MetricStat"].keys() == {"Metric", "Period", "Stat"}


def test_series_of_longer_periods_are_asked_for_from_a_boundary_of_their_own() -> None:
    start = NOON + timedelta(minutes=7)
    minutes = {"ours": 1, "alarm slow": 5, "alarm slower": 15, "requests slow": 5}
    queries = tuple(
        replace(metrics(name).queries[0], period=timedelta(minutes=length))
        for name, length in minutes.items()
    )
    need = MetricsNeed(queries=queries, start=start, end=start + timedelta(minutes=1))
    stamps = {60: start, 300: NOON + timedelta(minutes=5), 900: NOON}

    def answer(asked: Answer) -> Answer:
        found = [
            {
                "Id": query["Id"],
                "Timestamps": [asked["StartTime"]],
                "Values": [1.0],
                "StatusCode": "Complete",
            }
            for query in asked["MetricDataQueries"]
            if asked["StartTime"] == stamps[query["MetricStat"]["Period"]]
        ]
        return {"MetricDataResults": found}

    seen, script = look(Needs(metrics=need), {"GetMetricData": [answer]})
    assert {name: series[0][0] for name, series in seen.metrics.items() if isinstance(series, tuple)} == {
        name: stamps[length * 60] for name, length in minutes.items()
    }
    assert {asked["EndTime"] for asked in script.asked("GetMetricData")} == {need.end}


def test_series_of_one_period_are_one_call() -> None:
    answers: list[Reply] = [
        {"MetricDataResults": [result(f"q{number}", [1.0]) for number in range(500)]},
        {"MetricDataResults": [result("q0", [1.0])]},
    ]
    _, script = look(
        Needs(metrics=metrics(*(f"m{number}" for number in range(501)))), {"GetMetricData": answers}
    )
    assert [len(asked["MetricDataQueries"]) for asked in script.asked("GetMetricData")] == [500, 1]


def test_a_series_on_several_pages_is_joined_and_sorted() -> None:
    later = {
        "Id": "q0",
        "Timestamps": [NOON + timedelta(minutes=1)],
        "Values": [7.0],
        "StatusCode": "PartialData",
    }
    pages: list[Reply] = [
        {"MetricDataResults": [later], "NextToken": "n"},
        {"MetricDataResults": [result("q0", [1.0])]},
    ]
    seen, script = look(Needs(metrics=metrics("m")), {"GetMetricData": pages})
    assert seen.metrics["m"] == ((NOON, 1.0), (NOON + timedelta(minutes=1), 7.0))
    assert script.calls[1][1]["NextToken"] == "n"


@pytest.mark.parametrize(
    "answer",
    [
        {"MetricDataResults": [result("q0", [1.0], "PartialData")]},
        {"MetricDataResults": [result("q0", [], "InternalError")]},
        {"MetricDataResults": [result("q0", [], "Forbidden")]},
        {"MetricDataResults": []},
        {"MetricDataResults": [result("q0", [1.0], Messages=[{"Code": "Odd", "Value": "beware"}])]},
        {
            "MetricDataResults": [result("q0", [1.0])],
            "Messages": [{"Code": "MaxMetricsExceeded", "Value": "100"}],
        },
    ],
)
def test_a_series_that_is_not_complete_is_unread(answer: Answer) -> None:
    seen, _ = look(Needs(metrics=metrics("m")), {"GetMetricData": [answer]})
    assert isinstance(seen.metrics["m"], Unread)


def test_one_incomplete_series_leaves_the_others_read() -> None:
    answer = {"MetricDataResults": [result("q0", [1.0], "InternalError"), result("q1", [2.0])]}
    seen, _ = look(Needs(metrics=metrics("a", "b")), {"GetMetricData": [answer]})
    assert isinstance(seen.metrics["a"], Unread)
    assert seen.metrics["b"] == ((NOON, 2.0),)


def test_a_service_that_does_not_scale_has_no_scaling() -> None:
    seen, script = look(
        Needs(cluster=CLUSTER, scaling="checkout"), {"DescribeScalableTargets": [{"ScalableTargets": []}]}
    )
    assert seen.scaling == Absent()
    assert script.calls[0][1]["ResourceIds"] == ["service/prod/checkout"]
