"""One alarm as it is kept and shown."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sandbox.world.kernel.errors import Json
from sandbox.world.kernel.kernel import Timer

AlarmKind = Literal["MetricAlarm", "CompositeAlarm"]
State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
STATES: tuple[State, ...] = ("OK", "ALARM", "INSUFFICIENT_DATA")
ACTIONS: dict[State, str] = {
    "OK": "OKActions",
    "ALARM": "AlarmActions",
    "INSUFFICIENT_DATA": "InsufficientDataActions",
}
HISTORY_KEPT = 1000

# What every alarm has and both operations take.
COMMON = (
    "AlarmName",
    "AlarmDescription",
    "ActionsEnabled",
    "OKActions",
    "AlarmActions",
    "InsufficientDataActions",
)
METRIC = (
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
    "Metrics",
)
COMPOSITE = (
    "AlarmRule",
    "ActionsSuppressor",
    "ActionsSuppressorWaitPeriod",
    "ActionsSuppressorExtensionPeriod",
)
DEFAULTS: Json = {"ActionsEnabled": True, "OKActions": [], "AlarmActions": [], "InsufficientDataActions": []}


@dataclass(slots=True, kw_only=True)
class Alarm:
    """One alarm. `settings` in the spelling of the operation that put it, with AWS's defaults filled in."""

    kind: AlarmKind
    arn: str
    settings: Json
    configured: datetime
    updated: datetime
    transitioned: datetime
    state: State = "INSUFFICIENT_DATA"
    why: str = "Unchecked: Initial alarm creation"
    why_data: str = ""
    evaluation: str = ""  # EvaluationState: PARTIAL_DATA, EVALUATION_ERROR, EVALUATION_FAILURE, or empty
    left_alarm: datetime | None = None
    timer: Timer | None = None  # of an alarm that is judged more often than once a minute

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.settings["AlarmName"])


def view(alarm: Alarm, suppressed: tuple[str, str] | None) -> Json:
    """An alarm as DescribeAlarms shows it. `suppressed`: what holds its actions back, and why."""
    shown: Json = {
        "AlarmArn": alarm.arn,
        "AlarmConfigurationUpdatedTimestamp": alarm.configured,
        "StateValue": alarm.state,
        "StateReason": alarm.why,
        "StateUpdatedTimestamp": alarm.updated,
        "StateTransitionedTimestamp": alarm.transitioned,
        **alarm.settings,
    }
    if alarm.why_data:
        shown["StateReasonData"] = alarm.why_data
    if alarm.evaluation:
        shown["EvaluationState"] = alarm.evaluation
    if suppressed:
        shown["ActionsSuppressedBy"], shown["ActionsSuppressedReason"] = suppressed
    return shown


def brief(alarm: Alarm) -> Json:
    """An alarm as it is shown among the children or parents of another."""
    return {
        "AlarmName": alarm.name,
        "AlarmArn": alarm.arn,
        "StateValue": alarm.state,
        "StateUpdatedTimestamp": alarm.updated,
    }


def event_detail(alarm: Alarm, former: Json, suppressed: tuple[str, str] | None) -> Json:
    """The detail of "CloudWatch Alarm State Change". Source: "Alarm events and EventBridge"."""
    state = state_detail(alarm)
    if suppressed:
        state["actionsSuppressedBy"], state["actionsSuppressedReason"] = suppressed
    return {
        "alarmName": alarm.name,
        "state": state,
        "previousState": former,
        "configuration": _configuration(alarm),
    }


def state_detail(alarm: Alarm) -> Json:
    """A state as events tell it."""
    when = alarm.updated.isoformat(timespec="milliseconds").replace("+00:00", "+0000")
    told: Json = {"value": alarm.state, "reason": alarm.why, "timestamp": when}
    return told | ({"reasonData": alarm.why_data} if alarm.why_data else {})


def history_detail(alarm: Alarm) -> Json:
    """A state as an alarm's history tells it, by other names than events do. Source: DescribeAlarmHistory, examples."""
    told: Json = {"stateValue": alarm.state, "stateReason": alarm.why}
    return told | ({"stateReasonData": alarm.why_data} if alarm.why_data else {})


def _configuration(alarm: Alarm) -> Json:
    settings = alarm.settings
    told: Json = {"description": settings["AlarmDescription"]} if "AlarmDescription" in settings else {}
    if alarm.kind == "CompositeAlarm":
        names = {
            "AlarmRule": "alarmRule",
            "ActionsSuppressor": "actionsSuppressor",
            "ActionsSuppressorWaitPeriod": "actionsSuppressorWaitPeriod",
            "ActionsSuppressorExtensionPeriod": "actionsSuppressorExtensionPeriod",
        }
        return told | {names[name]: settings[name] for name in names if name in settings}
    return told | {"metrics": [_metric(query) for query in queries_of(settings)]}


def queries_of(settings: Json) -> list[Json]:
    """What a metric alarm watches, as queries: its Metrics, or its one metric as the query ``m1``."""
    if "Metrics" in settings:
        return list(settings["Metrics"])
    stat: Json = {
        "Metric": {name: settings[name] for name in ("Namespace", "MetricName", "Dimensions")},
        "Period": settings["Period"],
        "Stat": settings.get("Statistic") or settings["ExtendedStatistic"],
    }
    if "Unit" in settings:
        stat["Unit"] = settings["Unit"]
    return [{"Id": "m1", "MetricStat": stat, "ReturnData": True}]


def _metric(query: Json) -> Json:
    told: Json = {"id": query["Id"], "returnData": query.get("ReturnData", True)}
    if "Label" in query:
        told["label"] = query["Label"]
    if "Expression" in query:
        return told | {"expression": query["Expression"]}
    stat = query["MetricStat"]
    metric = stat["Metric"]
    return told | {
        "metricStat": {
            "metric": {
                "namespace": metric["Namespace"],
                "name": metric["MetricName"],
                "dimensions": {entry["Name"]: entry["Value"] for entry in metric.get("Dimensions", [])},
            },
            "period": stat["Period"],
            "stat": stat["Stat"],
        }
    }
