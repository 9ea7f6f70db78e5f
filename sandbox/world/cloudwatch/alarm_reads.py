"""What DescribeAlarms and DescribeAlarmHistory show."""

from collections.abc import Callable, Mapping, Sequence

from sandbox.world.cloudwatch import alarm as alarms
from sandbox.world.cloudwatch import composite
from sandbox.world.cloudwatch.alarm import Alarm
from sandbox.world.kernel.errors import AwsRefusal, Json
from sandbox.world.kernel.operation import Operation, operation, page

_FILTERS = (
    "AlarmNames",
    "AlarmNamePrefix",
    "AlarmTypes",
    "StateValue",
    "ActionPrefix",
    "ChildrenOfAlarmName",
    "ParentsOfAlarmName",
    "MaxRecords",
    "NextToken",
)
_HISTORY = (
    *(
        "AlarmName",
        "AlarmTypes",
        "HistoryItemType",
        "StartDate",
        "EndDate",
        "ScanBy",
        "MaxRecords",
        "NextToken",
    ),
)


class AlarmReads:
    """Looks at alarms and at their history, which is kept elsewhere. `suppressed`: what holds actions back."""

    def __init__(
        self,
        known: Mapping[str, Alarm],
        history: Sequence[Json],
        suppressed: Callable[[Alarm], tuple[str, str] | None],
    ) -> None:
        self._all = known
        self._history = history
        self._suppressed = suppressed

    def operations(self) -> dict[str, Operation]:
        """The operations by their AWS names."""
        return {
            "DescribeAlarms": operation(self.describe, *_FILTERS),
            "DescribeAlarmHistory": operation(self.history, *_HISTORY),
        }

    def describe(self, params: Json) -> Json:
        """DescribeAlarms; names it does not know are left out without error, and so are kinds not asked for."""
        names = params.get("AlarmNames")
        if names is not None and len(names) > 100:
            raise AwsRefusal("ValidationError", "AlarmNames must have length less than or equal to 100")
        if names and "AlarmNamePrefix" in params:
            raise AwsRefusal("ValidationError", "AlarmNames and AlarmNamePrefix cannot be specified together")
        relatives = [name for name in ("ChildrenOfAlarmName", "ParentsOfAlarmName") if name in params]
        if (relatives and params.keys() - {*relatives, "MaxRecords", "NextToken"}) or len(relatives) > 1:
            raise AwsRefusal("ValidationError", f"{relatives[0]} cannot be specified with other parameters")
        found = self._relatives(params) if relatives else self._found(params)
        size = params.get("MaxRecords", 100 if names else 50)
        if not 1 <= size <= 100:
            raise AwsRefusal("ValidationError", "MaxRecords must be 1 to 100")
        shown, token = page(found, params.get("NextToken"), size, code="InvalidNextToken")
        kinds: dict[str, list[Json]] = {"MetricAlarm": [], "CompositeAlarm": []}
        for each in shown:
            kinds[each.kind].append(
                alarms.brief(each) if relatives else alarms.view(each, self._suppressed(each))
            )
        answer: Json = {"MetricAlarms": kinds["MetricAlarm"], "CompositeAlarms": kinds["CompositeAlarm"]}
        return answer | ({"NextToken": token} if token else {})

    def history(self, params: Json) -> Json:
        """DescribeAlarmHistory: newest first unless asked."""
        types = params.get("AlarmTypes", ["MetricAlarm"])
        found = [
            item
            for item in self._history
            if params.get("AlarmName") in (None, item["AlarmName"])
            and (("AlarmName" in params and "AlarmTypes" not in params) or item["AlarmType"] in types)
            and params.get("HistoryItemType") in (None, item["HistoryItemType"])
            and params.get("StartDate", item["Timestamp"]) <= item["Timestamp"]
            and item["Timestamp"] <= params.get("EndDate", item["Timestamp"])
        ]
        if params.get("ScanBy") != "TimestampAscending":
            found.reverse()
        size = params.get("MaxRecords", 100)
        shown, token = page(found, params.get("NextToken"), size, code="InvalidNextToken")
        return {"AlarmHistoryItems": [*shown]} | ({"NextToken": token} if token else {})

    def _found(self, params: Json) -> list[Alarm]:
        names, types = params.get("AlarmNames"), params.get("AlarmTypes", ["MetricAlarm"])
        found = [each for name, each in sorted(self._all.items()) if not names or name in names]
        found = [each for each in found if each.kind in types]
        if "AlarmNamePrefix" in params:
            found = [each for each in found if each.name.startswith(params["AlarmNamePrefix"])]
        if "StateValue" in params:
            found = [each for each in found if each.state == params["StateValue"]]
        if "ActionPrefix" in params:
            found = [each for each in found if _acts(each, params["ActionPrefix"])]
        return found

    def _relatives(self, params: Json) -> list[Alarm]:
        name = params.get("ChildrenOfAlarmName") or params["ParentsOfAlarmName"]
        if "ChildrenOfAlarmName" in params:
            wanted = children_of(self._all[name]) if name in self._all else set()
            return [each for child, each in sorted(self._all.items()) if child in wanted]
        return [each for _, each in sorted(self._all.items()) if name in children_of(each)]


def children_of(each: Alarm) -> set[str]:
    """The names of the alarms in a composite alarm's rule; none for another alarm."""
    rule = each.settings.get("AlarmRule")
    return composite.children(composite.parse(rule)) if rule else set()


def _acts(each: Alarm, prefix: str) -> bool:
    return any(
        action.startswith(prefix) for name in alarms.ACTIONS.values() for action in each.settings[name]
    )
