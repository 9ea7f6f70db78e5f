"""Alarms: they start without data, are judged on the World's clock, and keep their history.

Sources: "Using Amazon CloudWatch alarms", PutMetricAlarm, PutCompositeAlarm, DescribeAlarms, DescribeAlarmHistory.
"""

import json
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from sandbox.world.cloudwatch import alarm as alarms
from sandbox.world.cloudwatch import composite
from sandbox.world.cloudwatch.alarm import Alarm, State
from sandbox.world.cloudwatch.alarm_reads import AlarmReads, children_of
from sandbox.world.cloudwatch.alarm_settings import check_composite, check_metric
from sandbox.world.cloudwatch.evaluation import Evaluations
from sandbox.world.cloudwatch.mutes import Mutes
from sandbox.world.events.bus import Bus
from sandbox.world.kernel.errors import AwsRefusal, Json
from sandbox.world.kernel.kernel import Kernel
from sandbox.world.kernel.operation import Operation, operation

_FIRST_LOOK = timedelta(seconds=1)  # from putting a composite alarm until it is judged


class Alarms:
    """The operations on alarms, and their evaluation: every minute, or every period where that is shorter."""

    def __init__(self, kernel: Kernel, evaluations: Evaluations, mutes: Mutes, bus: Bus) -> None:
        self._kernel = kernel
        self._evaluations = evaluations
        self._mutes = mutes
        self._bus = bus
        self._all: dict[str, Alarm] = {}
        self._history: deque[Json] = deque(maxlen=alarms.HISTORY_KEPT)
        self.on_change: Callable[[], None] = lambda: None
        """Called when an alarm's state has changed."""

    def operations(self) -> dict[str, Operation]:
        """The operations by their AWS names."""
        state = ("AlarmName", "StateValue", "StateReason", "StateReasonData")
        return {
            "PutMetricAlarm": operation(self.put, "Tags", *alarms.COMMON, *alarms.METRIC),
            "PutCompositeAlarm": operation(self.put_composite, "Tags", *alarms.COMMON, *alarms.COMPOSITE),
            "DeleteAlarms": operation(self.delete, "AlarmNames"),
            "SetAlarmState": operation(self.set_state, *state),
            "EnableAlarmActions": operation(lambda given: self._enable(given, True), "AlarmNames"),
            "DisableAlarmActions": operation(lambda given: self._enable(given, False), "AlarmNames"),
            **self._mutes.operations(),
            **AlarmReads(self._all, self._history, self._suppressed).operations(),
        }

    def put(self, params: Json) -> Json:
        """PutMetricAlarm: a new alarm has no data yet; an existing one keeps its state."""
        given = {name: params[name] for name in (*alarms.COMMON, *alarms.METRIC) if name in params}
        settings = check_metric(given, self._evaluations)
        put = self._put("MetricAlarm", settings)
        period = min(
            (q["MetricStat"]["Period"] for q in alarms.queries_of(settings) if "MetricStat" in q), default=60
        )
        self._beat(put, timedelta(seconds=period))
        return {}

    def put_composite(self, params: Json) -> Json:
        """PutCompositeAlarm: without data at first, and judged a moment later."""
        given = {name: params[name] for name in (*alarms.COMMON, *alarms.COMPOSITE) if name in params}
        settings = check_composite(given, self._all.keys())
        self._put("CompositeAlarm", settings)
        self._kernel.after(_FIRST_LOOK, self._judge_composites)
        return {}

    def delete(self, params: Json) -> Json:
        """DeleteAlarms: all of them must exist, one composite at most, and no child of another composite."""
        names: list[str] = params["AlarmNames"]
        missing = [name for name in names if name not in self._all]
        if missing:
            raise AwsRefusal("ResourceNotFound", f"Alarms {missing} do not exist", 404)
        if sum(self._all[name].kind == "CompositeAlarm" for name in names) > 1:
            raise AwsRefusal("ValidationError", "Only one composite alarm can be deleted at a time")
        kept = [each for each in self._all.values() if each.name not in names]
        parents = sorted({p.name for p in kept if p.kind == "CompositeAlarm" and children_of(p) & {*names}})
        if parents:
            raise AwsRefusal(
                "ValidationError",
                f"Alarm(s) {names} cannot be deleted as there are composite alarm(s) {parents} depending on it",
            )
        for name in names:
            gone = self._all.pop(name)
            if gone.timer:
                gone.timer.cancel()
            self._note(gone, "ConfigurationUpdate", f'Alarm "{name}" deleted', {"type": "Delete"})
        return {}

    def set_state(self, params: Json) -> Json:
        """SetAlarmState: until the next evaluation; of a composite alarm until one of its children changes."""
        found = self._all.get(params["AlarmName"])
        if found is None:
            raise AwsRefusal("ResourceNotFound", f"Alarm {params['AlarmName']} does not exist", 404)
        if params["StateValue"] not in alarms.STATES:
            raise AwsRefusal("ValidationError", f"{params['StateValue']} is not a state")
        self._set(found, params["StateValue"], params["StateReason"], params.get("StateReasonData", ""))
        self._judge_composites(but=found)
        return {}

    def evaluate(self) -> None:
        """Judge every alarm by what can be read now."""
        changed = [self._judge(each) for each in list(self._all.values()) if each.kind == "MetricAlarm"]
        if any(changed):
            self._judge_composites()

    def in_alarm(self) -> set[str]:
        """The names of the alarms in ALARM."""
        return {name for name, each in self._all.items() if each.state == "ALARM"}

    def acting(self) -> list[tuple[str, Alarm]]:
        """Actions that alarms take in the state that they are in, with the alarm: a scaling policy goes on acting."""
        return [
            (action, each)
            for each in self._all.values()
            if each.settings["ActionsEnabled"] and not self._mutes.muted_by(each.name)
            for action in (() if self._suppressed(each) else each.settings[alarms.ACTIONS[each.state]])
        ]

    def newest(self, each: Alarm) -> float | None:
        """The newest value that a metric alarm judges by."""
        return self._evaluations.newest(each.settings) if each.kind == "MetricAlarm" else None

    def acted_on_by(self, action: str) -> list[Alarm]:
        """The alarms that have an action in any of their states."""
        return [
            each
            for each in self._all.values()
            if any(action in each.settings[m] for m in alarms.ACTIONS.values())
        ]

    def remove(self, names: list[str]) -> None:
        """Delete what is there of these, as AWS itself does."""
        known = [name for name in names if name in self._all]
        if known:
            self.delete({"AlarmNames": known})

    def _put(self, kind: alarms.AlarmKind, settings: Json) -> Alarm:
        name, now = settings["AlarmName"], self._kernel.now
        former = self._all.get(name)
        if former and former.kind == kind:
            former.settings, former.configured = settings, now
            self._note(former, "ConfigurationUpdate", f'Alarm "{name}" updated', {"type": "Update"})
            return former
        arn = self._kernel.arn("cloudwatch", f"alarm:{name}")
        new = Alarm(kind=kind, arn=arn, settings=settings, configured=now, updated=now, transitioned=now)
        self._all[name] = new
        self._note(new, "ConfigurationUpdate", f'Alarm "{name}" created', {"type": "Create"})
        return new

    def _beat(self, each: Alarm, period: timedelta) -> None:
        """Judge an alarm of a short period every period, besides the whole minutes."""
        if each.timer:
            each.timer.cancel()
            each.timer = None
        if period < self._kernel.minute:
            at = self._kernel.floor(self._kernel.now, period) + period
            each.timer = self._kernel.at(at, lambda: self._beaten(each, period))

    def _beaten(self, each: Alarm, period: timedelta) -> None:
        if self._judge(each):
            self._judge_composites()
        self._beat(each, period)

    def _judge(self, each: Alarm) -> bool:
        """Judge a metric alarm; True if its state has changed."""
        found = self._evaluations.judge(each.settings, each.state)
        each.evaluation = "EVALUATION_FAILURE" if found is None else found.evaluation
        if found is None or found.state == each.state:
            return False
        self._set(each, found.state, found.why, found.why_data)
        return True

    def _judge_composites(self, *, but: Alarm | None = None) -> None:
        """Judge composite alarms until nothing changes; those in a circle are not judged."""
        composites = [
            each for each in self._all.values() if each.kind == "CompositeAlarm" and each is not but
        ]
        for _ in composites:
            changed = False
            for each in composites:
                if self._is_circular(each.name, each.name, set()):
                    continue
                rule = composite.parse(each.settings["AlarmRule"])
                state: State = "ALARM" if composite.holds(rule, self._state_of) else "OK"
                if state != each.state:
                    changed = True
                    word = "true" if state == "ALARM" else "false"
                    self._set(each, state, f"{each.arn} transitioned to {state}: its rule is {word}", "")
            if not changed:
                return

    def _state_of(self, name: str) -> str:
        return self._all[name].state if name in self._all else ""

    def _is_circular(self, name: str, sought: str, passed: set[str]) -> bool:
        for child in children_of(self._all[name]) if name in self._all else ():
            if child == sought:
                return True
            if child not in passed:
                passed.add(child)
                if self._is_circular(child, sought, passed):
                    return True
        return False

    def _set(self, each: Alarm, state: State, why: str, data: str) -> None:
        now, former, before = self._kernel.now, alarms.state_detail(each), alarms.history_detail(each)
        was = each.state
        each.state, each.why, each.why_data, each.updated = state, why, data, now
        if state == was:
            return
        if was == "ALARM":
            each.left_alarm = now
        each.transitioned = now
        suppressed = self._suppressed(each)
        self._note(
            each,
            "StateUpdate",
            f"Alarm updated from {was} to {state}",
            {"version": "1.0", "oldState": before, "newState": alarms.history_detail(each)},
        )
        self._act(each, suppressed)
        self._bus.post(
            "aws.cloudwatch",
            "CloudWatch Alarm State Change",
            [each.arn],
            lambda: alarms.event_detail(each, former, suppressed),
        )
        self.on_change()

    def _act(self, each: Alarm, suppressed: tuple[str, str] | None) -> None:
        """Note the actions of the new state: taken, suppressed or muted. None is taken while they are disabled."""
        if not each.settings["ActionsEnabled"]:
            return
        muted = self._mutes.muted_by(each.name)
        for action in each.settings[alarms.ACTIONS[each.state]]:
            if muted:
                told = f"Muted action {action} by the alarm mute rule {muted}"
            elif suppressed:
                told = f"Suppressed action {action}: {suppressed[1]}"
            else:
                told = f"Successfully executed action {action}"
            self._note(each, "Action", told, {"actionArn": action, "stateValue": each.state})

    def _suppressed(self, each: Alarm) -> tuple[str, str] | None:
        """ActionsSuppressedBy and its reason. Source: "Suppress composite alarm actions"."""
        suppressor = self._all.get(composite.name_of(each.settings.get("ActionsSuppressor", "")))
        if suppressor is None:
            return None
        if suppressor.state == "ALARM":
            return "Alarm", f"Actions suppressed by {suppressor.name}"
        extension = timedelta(seconds=each.settings["ActionsSuppressorExtensionPeriod"])
        wait = timedelta(seconds=each.settings["ActionsSuppressorWaitPeriod"])
        now = self._kernel.now
        if suppressor.left_alarm and now < suppressor.left_alarm + extension:
            return "ExtensionPeriod", f"Actions suppressed by the extension period of {suppressor.name}"
        if each.state == "ALARM" and now < each.transitioned + wait:
            return "WaitPeriod", f"Actions suppressed by the wait period for {suppressor.name}"
        return None

    def _enable(self, params: Json, on: bool) -> Json:
        for name in params["AlarmNames"]:
            if name in self._all:
                self._all[name].settings["ActionsEnabled"] = on
        return {}

    def _note(self, each: Alarm, kind: str, summary: str, data: Json) -> None:
        self._history.append(
            {
                "AlarmName": each.name,
                "AlarmType": each.kind,
                "Timestamp": self._kernel.now,
                "HistoryItemType": kind,
                "HistorySummary": summary,
                "HistoryData": json.dumps(data, default=_text),
            }
        )


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
