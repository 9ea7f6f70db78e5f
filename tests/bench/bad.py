"""A bad revision: how long its users have it, from every moment at which somebody could have known."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from statistics import median

from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.gates.alarms import AlarmSpec, AlarmsSpec
from orchestrator.core.gates.guard import GuardSpec
from tests.bench.account import LONGEST, MINUTE, Account
from tests.bench.lines import line, ratio

SEEDS = range(6)
FAILING = {"TEAL_DEMO_ERROR_RATE": "0.3"}
ALARM = "everything-5xx"


def measure() -> Iterator[str]:
    """Both ways to be caught: by the guard's own look at the metrics, and by an alarm of the team's."""
    guarded = [_by_guard(seed) for seed in SEEDS]
    yield from _lines("first_failure_to_blue_by_guard", [first for first, _, _ in guarded])
    yield from _lines("failing_minute_ended_to_blue", [ended for _, ended, _ in guarded])
    yield from _lines("failing_minute_readable_to_blue", [readable for _, _, readable in guarded])
    alarmed = [_by_alarm(seed) for seed in SEEDS]
    yield from _lines("first_failure_to_blue_by_alarm", [first for first, _ in alarmed])
    yield from _lines("alarm_to_blue", [fired for _, fired in alarmed])
    baseline = median(first - fired for first, fired in alarmed)
    yield line("baseline_first_failure_to_alarm_seconds", baseline)
    yield ratio("alarm_to_blue", median(fired for _, fired in alarmed), baseline, to="first_failure_to_alarm")


def _lines(name: str, seconds: list[float]) -> Iterator[str]:
    yield line(f"{name}_seconds_median", median(seconds))
    yield line(f"{name}_seconds_max", max(seconds))


def _by_guard(seed: int) -> tuple[float, float, float]:
    """Seconds to 100 % blue since green's first weight, since the end of the first whole minute, and since its data."""
    with Account(seed) as account:
        written, back = _taken_back(account, _start(account, GuardSpec(), ()))
        ended = account.world.kernel.floor(written, MINUTE) + 2 * MINUTE
        readable = ended + account.world.settings.metric_delay_minutes * MINUTE
        return _seconds(back - written), _seconds(back - ended), _seconds(back - readable)


def _by_alarm(seed: int) -> tuple[float, float]:
    """Seconds to 100 % blue since green's first weight, and since CloudWatch turned the alarm."""
    with Account(seed) as account:
        make_alarm(account)
        rollout = _start(account, GuardSpec(on=False), (AlarmSpec(name=ALARM),))
        account.until(rollout, Phase.ROLLING_BACK, within=LONGEST)
        (alarm,) = account.world.call("cloudwatch", "DescribeAlarms", {"AlarmNames": [ALARM]})["MetricAlarms"]
        assert alarm["StateValue"] == "ALARM", account.story(rollout)
        written, back = _taken_back(account, rollout)
        return _seconds(back - written), _seconds(back - alarm["StateTransitionedTimestamp"])


def _start(account: Account, guard: GuardSpec, alarms: tuple[AlarmSpec, ...]) -> RolloutId:
    gates = {"guard": guard, "alarms": AlarmsSpec(alarms=alarms)}
    return account.start(account.canary(account.revision(FAILING), **gates))


def _taken_back(account: Account, rollout: RolloutId) -> tuple[datetime, datetime]:
    """When green's first weight was read back, and when blue's 100 % were."""
    row = account.until(rollout, within=LONGEST)
    assert row.phase is Phase.ROLLED_BACK, account.story(rollout)
    first = account.events(rollout, EventKind.STEP_STARTED)[0].event.at
    return first, account.events(rollout, EventKind.TRAFFIC_ON_BLUE)[0].event.at


def make_alarm(account: Account) -> None:
    """An alarm on the whole load balancer: one minute with more than 20 errors."""
    listener = account.scenery.listeners[0]
    asked = {"ListenerArns": [listener]}
    balancer = account.world.call("elbv2", "DescribeListeners", asked)["Listeners"][0]["LoadBalancerArn"]
    alarm = {
        "AlarmName": ALARM,
        "Namespace": "AWS/ApplicationELB",
        "MetricName": "HTTPCode_Target_5XX_Count",
        "Dimensions": [{"Name": "LoadBalancer", "Value": balancer.split(":loadbalancer/", 1)[1]}],
        "Statistic": "Sum",
        "Period": int(_seconds(MINUTE)),
        "EvaluationPeriods": 1,
        "Threshold": 20,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
    }
    account.world.call("cloudwatch", "PutMetricAlarm", alarm)


def _seconds(duration: timedelta) -> float:
    return duration.total_seconds()
