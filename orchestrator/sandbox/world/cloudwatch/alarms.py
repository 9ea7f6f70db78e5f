"""Metric alarms: they start without data, and judge M of N datapoints on the World's clock.

Sources: "Using Amazon CloudWatch alarms" (evaluation), "Configuring how CloudWatch alarms treat missing data".
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.sandbox.world.cloudwatch import statistics
from orchestrator.sandbox.world.cloudwatch.metrics import Metrics
from orchestrator.sandbox.world.errors import AwsRefusal, Json, not_here
from orchestrator.sandbox.world.kernel import Kernel
from orchestrator.sandbox.world.operation import Operation, operation, page

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_MISSING = ("missing", "ignore", "breaching", "notBreaching")
_STATES = ("OK", "ALARM", "INSUFFICIENT_DATA")
_SHOWN = (
    "AlarmName",
    "AlarmDescription",
    "ActionsEnabled",
    "OKActions",
    "AlarmActions",
    "InsufficientDataActions",
    "MetricName",
    "Namespace",
    "Statistic",
    "ExtendedStatistic",
    "Dimensions",
    "Period",
    "Unit",
    "EvaluationPeriods",
    "DatapointsToAlarm",
    "Threshold",
    "ComparisonOperator",
    "TreatMissingData",
    "EvaluateLowSampleCountPercentile",
)


@dataclass(slots=True, kw_only=True)
class Alarm:
    """One alarm. `settings` in the spelling of PutMetricAlarm, with AWS's defaults filled in."""

    arn: str
    settings: Json
    configured: datetime
    updated: datetime
    transitioned: datetime
    state: str = "INSUFFICIENT_DATA"
    why: str = "Unchecked: Initial alarm creation"


class Alarms:
    """The operations on alarms, and their evaluation every minute."""

    def __init__(self, kernel: Kernel, metrics: Metrics) -> None:
        self._kernel = kernel
        self._metrics = metrics
        self._all: dict[str, Alarm] = {}
        self.on_change: Callable[[], None] = lambda: None
        """Called when an alarm's state has changed."""

    def operations(self) -> dict[str, Operation]:
        """The operations by their AWS names."""
        filters = ("AlarmNames", "AlarmNamePrefix", "AlarmTypes", "StateValue", "MaxRecords", "NextToken")
        return {
            "DescribeAlarms": operation(self.describe, *filters),
            "PutMetricAlarm": operation(self.put, "Tags", *_SHOWN),
            "DeleteAlarms": operation(self.delete, "AlarmNames"),
            "SetAlarmState": operation(
                self.set_state, "AlarmName", "StateValue", "StateReason", "StateReasonData"
            ),
        }

    def describe(self, params: Json) -> Json:
        """DescribeAlarms; names it does not know are left out without error."""
        names = params.get("AlarmNames")
        if names is not None and len(names) > 100:
            raise AwsRefusal("ValidationError", "AlarmNames must have length less than or equal to 100")
        if "MetricAlarm" not in params.get("AlarmTypes", ["MetricAlarm"]):
            return {"MetricAlarms": [], "CompositeAlarms": []}
        found = [alarm for name, alarm in sorted(self._all.items()) if not names or name in names]
        if "AlarmNamePrefix" in params:
            found = [a for a in found if a.settings["AlarmName"].startswith(params["AlarmNamePrefix"])]
        if "StateValue" in params:
            found = [a for a in found if a.state == params["StateValue"]]
        size = params.get("MaxRecords", 100 if names else 50)
        shown, token = page(found, params.get("NextToken"), size, code="InvalidNextToken")
        answer: Json = {"MetricAlarms": [_view(alarm) for alarm in shown], "CompositeAlarms": []}
        return answer | ({"NextToken": token} if token else {})

    def put(self, params: Json) -> Json:
        """PutMetricAlarm: a new alarm has no data yet; an existing one keeps its state."""
        _complete(params)
        settings = self._checked({key: params[key] for key in _SHOWN if key in params})
        name, now = params["AlarmName"], self._kernel.now
        former = self._all.get(name)
        if former:
            former.settings, former.configured = settings, now
        else:
            arn = self._kernel.arn("cloudwatch", f"alarm:{name}")
            self._all[name] = Alarm(arn=arn, settings=settings, configured=now, updated=now, transitioned=now)
        return {}

    def delete(self, params: Json) -> Json:
        """DeleteAlarms; all of them must exist."""
        missing = [name for name in params["AlarmNames"] if name not in self._all]
        if missing:
            raise AwsRefusal("ResourceNotFound", f"Alarms {missing} do not exist", 404)
        for name in params["AlarmNames"]:
            del self._all[name]
        return {}

    def set_state(self, params: Json) -> Json:
        """SetAlarmState: until the next evaluation."""
        alarm = self._all.get(params["AlarmName"])
        if alarm is None:
            raise AwsRefusal("ResourceNotFound", f"Alarm {params['AlarmName']} does not exist", 404)
        if params["StateValue"] not in _STATES:
            raise AwsRefusal("ValidationError", f"{params['StateValue']} is not a state")
        self._set(alarm, params["StateValue"], params["StateReason"])
        return {}

    def evaluate(self) -> None:
        """Judge every alarm by what can be read now."""
        for alarm in self._all.values():
            points = self._points(alarm)
            state = judge(points, alarm.settings, alarm.state)
            if state != alarm.state:
                seen = [f"{value:g}" for value in points if value is not None]
                self._set(alarm, state, f"Threshold Crossed: datapoints [{', '.join(seen)}]")

    def in_alarm(self) -> set[str]:
        """The names of the alarms in ALARM."""
        return {name for name, alarm in self._all.items() if alarm.state == "ALARM"}

    def _points(self, alarm: Alarm) -> list[float | None]:
        """The datapoints of the evaluation range, oldest first."""
        settings = alarm.settings
        wanted = statistics.dimensions(settings["Namespace"], settings["MetricName"], settings["Dimensions"])
        step = timedelta(seconds=settings["Period"])
        length = settings["EvaluationPeriods"] + self._kernel.settings.alarm_range_extra
        end = self._kernel.floor(self._metrics.horizon(), step)
        statistic = settings.get("Statistic") or settings["ExtendedStatistic"]
        points: list[float | None] = []
        for back in range(length, 0, -1):
            cell = (
                self._metrics.read(settings["MetricName"], wanted, end - back * step, step)
                if wanted
                else None
            )
            points.append(statistics.value(cell, statistic) if cell else None)
        return points

    def _set(self, alarm: Alarm, state: str, why: str) -> None:
        now, former = self._kernel.now, alarm.state
        alarm.state, alarm.why, alarm.updated = state, why, now
        if state != former:
            alarm.transitioned = now
            self.on_change()

    def _checked(self, given: Json) -> Json:
        settings: Json = {
            "ActionsEnabled": True,
            "OKActions": [],
            "AlarmActions": [],
            "InsufficientDataActions": [],
            "Dimensions": [],
            "TreatMissingData": "missing",
            **given,
        }
        statistics.check(settings.get("Statistic") or settings["ExtendedStatistic"])
        statistics.check_period(settings["Period"], self._kernel.minute.total_seconds())
        statistics.dimensions(settings["Namespace"], settings["MetricName"], settings["Dimensions"])
        if settings["ComparisonOperator"] not in _COMPARE:
            raise not_here(f"ComparisonOperator {settings['ComparisonOperator']}")
        if settings["TreatMissingData"] not in _MISSING:
            raise AwsRefusal("ValidationError", f"TreatMissingData must be one of {', '.join(_MISSING)}")
        if not 1 <= settings.get("DatapointsToAlarm", 1) <= settings["EvaluationPeriods"]:
            raise AwsRefusal("ValidationError", "DatapointsToAlarm must be from 1 to EvaluationPeriods")
        return settings


def judge(points: list[float | None], settings: Json, state: str) -> str:
    """The state after looking at the datapoints of the evaluation range, oldest first, None where missing.

    The newest N real datapoints of the range decide; only if there are fewer, the treatment fills the rest.
    """
    periods: int = settings["EvaluationPeriods"]
    needed: int = settings.get("DatapointsToAlarm", periods)
    treatment = settings["TreatMissingData"]
    real = [value for value in points if value is not None][-periods:]
    lacking = periods - len(real)
    breaching = sum(_COMPARE[settings["ComparisonOperator"]](value, settings["Threshold"]) for value in real)
    if treatment == "breaching":
        breaching += lacking
    elif treatment == "missing":
        if not real:
            return "INSUFFICIENT_DATA"
        needed = min(needed, len(real))
    elif treatment == "ignore" and breaching < needed <= breaching + lacking:
        return state
    return "ALARM" if breaching >= needed else "OK"


def _complete(params: Json) -> None:
    required = ("MetricName", "Namespace", "Period", "EvaluationPeriods", "Threshold", "ComparisonOperator")
    missing = [name for name in required if name not in params]
    if missing:
        raise AwsRefusal("ValidationError", f"The parameters {', '.join(missing)} must be specified")
    if ("Statistic" in params) == ("ExtendedStatistic" in params):
        raise AwsRefusal(
            "ValidationError", "Exactly one of Statistic and ExtendedStatistic must be specified"
        )


def _view(alarm: Alarm) -> Json:
    return {
        "AlarmArn": alarm.arn,
        "AlarmConfigurationUpdatedTimestamp": alarm.configured,
        "StateValue": alarm.state,
        "StateReason": alarm.why,
        "StateUpdatedTimestamp": alarm.updated,
        "StateTransitionedTimestamp": alarm.transitioned,
        **alarm.settings,
    }
