"""Time, faults, throttling and the log: what holds for every call."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.ports import TaskRunner, TaskSpec, Traffic
from sandbox.scenarios.scenery import furnish, until_steady
from sandbox.world import AwsRefusal, CallLost, Fault, World, WorldSettings, quiet_world
from tests.sandbox.world.places import START, Shop, calm, seconds, shop
from tests.support.virtual_traffic import VirtualTraffic


def write(s: Shop, green: int) -> None:
    s.split(blue=10, green=green)


def written(s: Shop) -> int:
    groups = s.actions()[0]["ForwardConfig"]["TargetGroups"]
    return int(groups[1]["Weight"]) if len(groups) > 1 else -1


def test_a_timeout_before_has_no_effect() -> None:
    s = shop()
    s.world.faults.add(Fault(operation="ModifyRule", when="before"))
    with pytest.raises(CallLost):
        write(s, 1)
    assert written(s) == -1


def test_a_timeout_after_took_effect() -> None:
    s = shop()
    s.world.faults.add(Fault(operation="ModifyRule", when="after"))
    with pytest.raises(CallLost):
        write(s, 1)
    assert written(s) == 1
    assert s.world.log.of("ModifyRule")[-1].answer is not None


def test_a_late_write_lands_over_what_was_written_meanwhile() -> None:
    s = shop()
    s.world.faults.add(Fault(operation="ModifyRule", when="late", delay=seconds(30)))
    with pytest.raises(CallLost):
        write(s, 7)
    write(s, 0)
    assert written(s) == 0
    s.world.advance(seconds(31))
    assert written(s) == 7


def test_the_nth_call_and_so_many_after_it_fail() -> None:
    s = shop()
    s.world.faults.add(Fault(operation="DescribeRules", nth=2, times=2, kind="throttle"))
    outcomes = []
    for _ in range(4):
        try:
            s.actions()
            outcomes.append("ok")
        except AwsRefusal as refusal:
            outcomes.append(refusal.code)
    assert outcomes == ["ok", "Throttling", "Throttling", "ok"]


@pytest.mark.parametrize(
    ("kind", "service", "operation", "code"),
    [
        ("expired", "ecs", "ListServices", "ExpiredTokenException"),
        ("expired", "elbv2", "DescribeLoadBalancers", "ExpiredToken"),
        ("denied", "ecs", "ListServices", "AccessDeniedException"),
        ("denied", "cloudwatch", "DescribeAlarms", "AccessDenied"),
        ("throttle", "application-autoscaling", "DescribeScalableTargets", "ThrottlingException"),
        ("throttle", "cloudwatch", "DescribeAlarms", "Throttling"),
        ("unavailable", "elbv2", "DescribeLoadBalancers", "ServiceUnavailable"),
        ("busy", "ecs", "RegisterTaskDefinition", "ClientException"),
        ("page", "ecs", "ListServices", ""),
    ],
)
def test_failures_have_the_codes_of_their_service(kind: str, service: str, operation: str, code: str) -> None:
    s = shop()
    s.world.faults.add(Fault(kind=kind))  # type: ignore[arg-type]  # from the table above
    with pytest.raises(AwsRefusal) as caught:
        s.world.call(service, operation, {})
    assert caught.value.code == code


def test_an_outage_of_one_service_ends_by_itself_or_when_told() -> None:
    s = shop()
    s.world.faults.outage(("ecs",), until=s.world.now + seconds(10))
    with pytest.raises(AwsRefusal):
        s.service()
    assert s.actions()
    s.world.advance(seconds(10))
    assert s.service()
    s.world.faults.outage("all", kind="timeout")
    with pytest.raises(CallLost):
        s.actions()
    s.world.faults.end_outage()
    assert s.actions()


def test_a_rival_edits_between_a_read_and_a_write() -> None:
    s = shop()
    seen: list[int] = []

    def rival(_: World) -> None:
        write(s, 3)
        seen.append(written(s))

    s.world.faults.before("ModifyRule", 1, rival)
    write(s, 1)
    assert (seen, written(s)) == ([3], 1)


def test_buckets_empty_and_refill_and_reads_leave_writes_alone() -> None:
    world = World(start=START, settings=WorldSettings())
    furnish(world)
    world.advance(seconds(60))

    def reads() -> int:
        for count in range(100):
            try:
                world.call("elbv2", "DescribeLoadBalancers", {})
            except AwsRefusal:
                return count
        return 100

    assert reads() == 40
    with pytest.raises(AwsRefusal, match="Throttling: Rate exceeded"):
        world.call("elbv2", "DescribeLoadBalancers", {})
    params = {"Name": "x", "Protocol": "HTTP", "Port": 1, "VpcId": "vpc-0a1b2c3d", "TargetType": "ip"}
    assert world.call("elbv2", "CreateTargetGroup", params)
    world.advance(seconds(1))
    assert reads() == 10


def test_the_log_can_be_bounded() -> None:
    world = World(start=START, settings=WorldSettings(log_limit=10, throttling=False))
    for _ in range(35):
        world.call("sts", "GetCallerIdentity", {})
    assert 10 <= len(world.log) < 20
    assert len(world.log) + world.log.dropped == 35


def story(seed: int) -> list[str]:
    world = World(start=START, seed=seed)
    scenery = furnish(world)
    load = VirtualTraffic(world, scenery.listeners[0], 50, seed=seed)
    until_steady(world, scenery)
    world.advance(seconds(300))
    return [repr(record.answer) for record in world.log] + [repr(load.totals)]


def test_the_same_seed_tells_the_same_story() -> None:
    assert story(1) == story(1)
    assert story(1) != story(2)


def test_a_naive_start_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        World(start=datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point


def test_time_goes_only_forward_and_in_the_order_of_events() -> None:
    world = quiet_world(START)
    seen: list[int] = []
    for delay in (3, 1, 2, 1):
        world.kernel.after(seconds(delay), lambda d=delay: seen.append(d))  # type: ignore[misc]  # binds now
    dropped = world.kernel.after(seconds(2), lambda: seen.append(99))
    dropped.cancel()
    world.advance(seconds(2))
    world.run_until(START)
    assert (world.now, seen) == (START + seconds(2), [1, 1, 2])
    assert world.next_due() == START + seconds(3)
    world.advance(datetime(2026, 1, 1, 13, 0, tzinfo=UTC))
    assert seen[-1] == 3


class Hands:
    """A runner that only notes what it is told."""

    def __init__(self) -> None:
        self.specs: list[TaskSpec] = []
        self.stopped: list[str] = []

    def start(self, spec: TaskSpec) -> None:
        self.specs.append(spec)

    def stop(self, arn: str) -> None:
        self.stopped.append(arn)


def test_real_hands_start_tasks_check_them_and_hear_when_to_stop() -> None:
    hands = Hands()
    factory: Callable[[World], TaskRunner] = lambda world: hands  # noqa: E731 - a typed factory
    world = World(start=START, settings=WorldSettings.kind(), tasks=factory)
    scenery = furnish(world, desired=2, environment={"TEAL_DEMO_VERSION": "1"}, draining=timedelta(seconds=2))
    world.advance(seconds(1))
    assert [spec.environment["TEAL_DEMO_VERSION"] for spec in hands.specs] == ["1", "1"]
    assert (hands.specs[0].container_port, hands.specs[0].task_definition) == (8080, "checkout:1")
    for number, spec in enumerate(hands.specs):
        world.reports.task_running(spec.arn, host="127.0.0.1", port=9000 + number)
    traffic: Traffic = world.traffic
    group = traffic.group(scenery.target_group)
    assert [(t.port, t.state) for t in group.targets] == [(9000, "initial"), (9001, "initial")]
    assert (group.check_path, group.check_codes) == ("/healthz", frozenset({200}))
    for target in group.targets:
        traffic.check_result(group.arn, target.host, target.port, passed=True, reason="")
    until_steady(world, scenery)
    world.call("ecs", "UpdateService", {"cluster": "prod", "service": "checkout", "desiredCount": 1})
    world.advance(seconds(2))
    assert hands.stopped == []
    world.advance(seconds(1))
    assert len(hands.stopped) == 1
    world.reports.task_stopped(hands.stopped[0], exit_code=0, reason="")
    until_steady(world, scenery)


def test_virtual_traffic_follows_the_weights_in_force() -> None:
    s = shop()
    load = VirtualTraffic(s.world, s.scenery.listeners[0], 100)
    group = s.group("green")
    s.split(blue=9, green=1)
    s.world.call("ecs", "CreateService", s.green_params(group))
    s.world.advance(seconds(60))
    before = load.totals.answered[group]
    s.world.advance(seconds(100))
    share = (load.totals.answered[group] - before) / 10_000
    assert share == pytest.approx(0.1, abs=0.02)


def test_virtual_traffic_gets_503_from_an_empty_group_and_no_failover() -> None:
    s = shop()
    load = VirtualTraffic(s.world, s.scenery.listeners[0], 100)
    s.split(blue=1, green=1)
    s.world.advance(seconds(100))
    assert load.totals.rejected == pytest.approx(5000, abs=300)
    assert load.totals.rejected + load.totals.answered[s.scenery.target_group] == 10_000


def test_virtual_traffic_fails_open_to_unhealthy_targets() -> None:
    s = shop()
    s.update(healthCheckGracePeriodSeconds=3600)  # so that ECS does not replace them
    for spec_arn in list(s.world._containers.tasks):
        s.world.virtual_tasks.change(spec_arn, never_healthy=True, error_rate=1.0)
    s.world.advance(seconds(60))
    assert s.states() == ["unhealthy"] * 3
    load = VirtualTraffic(s.world, s.scenery.listeners[0], 10)
    s.world.advance(seconds(10))
    assert (load.totals.rejected, load.totals.errors[s.scenery.target_group]) == (0, 100)


def test_virtual_errors_come_from_the_environment() -> None:
    s = shop(environment={"TEAL_DEMO_ERROR_RATE": "0.2"})
    load = VirtualTraffic(s.world, s.scenery.listeners[0], 100)
    s.world.advance(seconds(100))
    blue = s.scenery.target_group
    assert load.totals.errors[blue] / load.totals.answered[blue] == pytest.approx(0.2, abs=0.02)
    load.stop()
    s.world.advance(seconds(10))
    assert load.totals.requests == 10_000


def test_no_request_fails_over_a_whole_roll() -> None:
    s = shop(calm(), draining=timedelta(seconds=5))
    load = VirtualTraffic(s.world, s.scenery.listeners[0], 100)
    s.update(taskDefinition=s.define())
    s.roll()
    s.world.advance(seconds(30))
    assert (load.totals.rejected, sum(load.totals.unanswered.values())) == (0, 0)
