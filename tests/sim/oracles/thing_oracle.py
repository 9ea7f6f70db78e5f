"""Holds to the promises what is made, updated, scaled and deleted."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from orchestrator.core.rollout.spec import Ending
from sandbox.world.kernel.log import CallRecord
from tests.sim.oracles.case import Case
from tests.sim.oracles.truth import share

LET_GO = timedelta(
    seconds=5
)  # a weight of nothing steers nobody any more by then, and requests have their answers
EXCUSED = timedelta(minutes=3)  # for noticing within a period, also where AWS is away or an engine dies
Bounds = tuple[int, int]


class ThingOracle:
    """Looks at services, target groups and scaling after every write."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.is_scaling_edited = False
        self._first = self._theirs = self._bounds()
        self._excused_until = case.world.now  # somebody let blue shrink, and Teal has not noticed yet
        self._kept = 0  # tasks of blue at the last look
        self._scaled_since = case.world.now  # blue's scale-in may be on for so long, while green has traffic

    def excuse_scaling(self) -> None:
        """Somebody else just changed blue's scaling: its maximum, and its minimum as it was just then."""
        self._theirs, self.is_scaling_edited = (self._first[0], self._bounds()[1]), True

    def excuse_shrinking(self) -> None:
        """Somebody else let blue scale in again: it may, until Teal has noticed and suspends it anew."""
        self._excused_until = self.case.world.now + EXCUSED

    def look(self) -> None:
        """Promise 4: while green has traffic that may have to come back, blue does not shrink, and may not."""
        case = self.case
        if not case.is_early or case.most <= 0 or case.told.turned_back or case.file.ending.is_swap:
            self._kept, self._scaled_since = 0, case.world.now
            return
        blue = case.truth.service(case.scenery.service)
        if blue is None:
            return
        is_excused = case.world.now < self._excused_until
        if blue.desired < self._kept and not is_excused:
            case.says("blue is kept", f"blue shrank from {self._kept} to {blue.desired} tasks")
        self._kept = blue.desired
        if not case.may_scale_in() or is_excused or self.is_scaling_edited:
            self._scaled_since = case.world.now
        elif case.world.now - self._scaled_since > timedelta(seconds=20):
            case.says("scale-in is suspended", f"green has {case.most:.1%}, and blue may scale in")

    def check(self, record: CallRecord, *, is_late: bool) -> None:
        """Hold one call that is no read, and writes no rule, to promises 1, 4, 6 and 7."""
        match record.operation:
            case "CreateTargetGroup":
                self._check_made(record, record.params["Name"], _tags(record.params.get("Tags", ())))
            case "CreateService":
                name = record.params["serviceName"]
                self._check_made(record, name, _tags(record.params.get("tags", ()), "key", "value"))
                if name != self.case.scenery.service:
                    self.case.green = name
            case "UpdateService":
                self._check_update(record)
            case "RegisterScalableTarget":
                self._check_scaling(record, is_late=is_late)
            case "PutScalingPolicy" | "PutScheduledAction" | "DeregisterScalableTarget":
                self._check_of_green(record)
            case "PutMetricAlarm":
                self._check_made(record, record.params["AlarmName"], _tags(record.params.get("Tags", ())))
            case "DeleteAlarms":
                for name in set(record.params["AlarmNames"]) - self.case.made:
                    self.case.says("only its own", f"alarm {name} was deleted, which Teal did not make")
            case "DeleteService" | "DeleteTargetGroup":
                given = record.params.get("service") or record.params.get("TargetGroupArn", "")
                is_blue = given == self.case.scenery.service and self._may_delete_blue()
                if given not in self.case.made and not is_blue:
                    words = f"{record.operation} of {given}, which Teal did not make"
                    self.case.says("only its own", words)
            case _:
                pass

    def _may_delete_blue(self) -> bool:
        """Where the file says so: blue runs nothing, and nobody meets it."""
        blue = self.case.truth.service(self.case.scenery.service)
        is_asked = self.case.file.ending is Ending.DELETE and self.case.told.turned_back is None
        return is_asked and self._is_blue_without_traffic() and (blue is None or not blue.desired)

    def _is_blue_without_traffic(self) -> bool:
        rules = self.case.rules
        return all(share(self.case.truth.rule(arn).actions, self.case.blue_group) <= 0 for arn in rules)

    def _bounds(self) -> Bounds:
        least, _, most = self.case.scaling().split(" ")[0].partition("..")
        return int(least or 0), int(most or 0)

    def _check_made(self, record: CallRecord, name: str, tags: Mapping[str, str]) -> None:
        """Promise 6: told of before it exists, and tagged."""
        case = self.case
        if not any(name in line.text for line in case.told.lines if line.kind == "effect_asked"):
            case.says("recorded first", f"{name} was made before it was told of")
        if tags.get("teal:rollout") != case.rollout:
            case.says("tagged", f"{name} was made without its tag")
        answer = record.answer or {}
        case.made.add(name)
        case.made.update(g["TargetGroupArn"] for g in answer.get("TargetGroups", ()))

    def _check_update(self, record: CallRecord) -> None:
        """Promises 1, 4 and 6: blue keeps its size, only green is stopped, and only once it has no traffic."""
        name, case, params = record.params["service"].rsplit("/", 1)[-1], self.case, record.params
        if name == case.scenery.service:
            count = params.get("desiredCount", case.desired_before)
            is_retired = case.file.ending.is_swap and self._is_blue_without_traffic()
            if count < (0 if is_retired else case.desired_before):
                case.says("blue is kept", f"blue was given {count} tasks")
        elif name not in case.made:
            case.says("only its own", f"{name} was updated, which Teal did not make")
        elif params.get("desiredCount") == 0:
            case.stopped_at = case.stopped_at or case.world.now
            if record.error is None:
                self._check_stop()

    def _check_stop(self) -> None:
        case = self.case
        if case.most > 0 and not case.edited:
            case.says("stop when told", "green's tasks were stopped while it had traffic")
        elif case.left_at is not None and case.world.now - case.left_at < LET_GO and not case.edited:
            words = f"green's tasks were stopped {case.world.now - case.left_at} after its last traffic"
            case.says("stop when told", words)

    def _check_of_green(self, record: CallRecord) -> None:
        """Only green is given anything that scales it, and nobody else's is taken away."""
        name = record.params["ResourceId"].rsplit("/", 1)[-1]
        if name not in self.case.made:
            self.case.says("only its own", f"{record.operation} on the scaling of {name}")
        elif record.operation.startswith("Put") and not self._is_scaling_told():
            self.case.says("recorded first", f"{record.operation} for green before it was told of")

    def _is_scaling_told(self) -> bool:
        lines = (line for line in self.case.told.lines if line.kind == "effect_asked")
        return any(line.text.startswith(("let green scale", "give green the")) for line in lines)

    def _check_scaling(self, record: CallRecord, *, is_late: bool) -> None:
        """Promise 7: of blue only its suspensions are touched, and its bounds are raised above what others set."""
        case = self.case
        if record.params["ResourceId"] != f"service/{case.scenery.cluster}/{case.scenery.service}":
            self._check_of_green(record)
            return
        least, most = record.params["MinCapacity"], record.params["MaxCapacity"]
        low = min(self._first[0], self._theirs[0]), min(self._first[1], self._theirs[1])
        if (least < low[0] or most < low[1]) and not is_late:
            words = f"blue's bounds were set to {least}..{most}, below {low[0]}..{low[1]}"
            case.says("bounds of others", words)

    def end(self) -> None:
        """Promise 7: what blue's scaling was, it is again, and what somebody has set since stays."""
        case, (least, most) = self.case, self._bounds()
        before = case.scaling_before
        if not self.is_scaling_edited:
            if case.scaling() != before:
                case.says("scaling as it was", f"blue's scaling was {before} and is {case.scaling()}")
            return
        may_be = {self._theirs[1]}
        if (
            case.scaling().partition(" ")[2] != before.partition(" ")[2]
            or most not in may_be
            or least < self._first[0]
        ):
            words = f"blue's scaling was {before}, somebody set {self._theirs}, and it is {case.scaling()}"
            case.says("scaling as it was", words)


def _tags(found: Any, key: str = "Key", value: str = "Value") -> dict[str, str]:  # noqa: ANN401 - AWS's list
    return {tag[key]: tag.get(value, "") for tag in found}
