"""Holds to the promises what is made, updated, scaled and deleted."""

from collections.abc import Mapping
from typing import Any

from orchestrator.core.rollout.spec import Ending
from sandbox.world.kernel.log import CallRecord
from tests.sim.case import EARLY, Case
from tests.sim.truth import share


class ThingOracle:
    """Looks at services, target groups and scaling after every write."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.is_scaling_edited = False
        self._known_bounds = self._bounds()
        least, _, most = self._known_bounds.partition("..")
        self._first = (int(least or 0), int(most or 0))

    def excuse_scaling(self) -> None:
        """Somebody else just changed blue's scaling."""
        self._known_bounds, self.is_scaling_edited = self._bounds(), True

    def check(self, record: CallRecord, *, is_late: bool) -> None:
        """Hold one call that is no read, and writes no rule, to promises 1, 4, 6 and 7."""
        match record.operation:
            case "CreateTargetGroup":
                self._check_made(record, record.params["Name"], _tags(record.params.get("Tags", ())))
            case "CreateService":
                name = record.params["serviceName"]
                self._check_made(record, name, _tags(record.params.get("tags", ()), "key", "value"))
            case "UpdateService":
                self._check_update(record)
            case "RegisterScalableTarget":
                self._check_scaling(record, is_late=is_late)
            case "PutScalingPolicy" | "PutScheduledAction" | "DeregisterScalableTarget":
                self._check_of_green(record)
            case "PutMetricAlarm":
                self._check_alarm(record)
            case "DeleteAlarms":
                for name in set(record.params["AlarmNames"]) - self.case.made:
                    self.case.breaks(6, f"alarm {name} was deleted, which Teal did not make")
            case "DeleteService" | "DeleteTargetGroup":
                given = record.params.get("service") or record.params.get("TargetGroupArn", "")
                is_blue = given == self.case.scenery.service and self._may_delete_blue()
                if given not in self.case.made and not is_blue:
                    self.case.breaks(6, f"{record.operation} of {given}, which Teal did not make")
            case _:
                pass

    def _may_delete_blue(self) -> bool:
        """Promise 6 where the file says so: blue carries Teal's tag, runs nothing, and nobody meets it."""
        row, blue = self.case.row, self.case.truth.service(self.case.scenery.service)
        is_recorded = row.retirement is not None and row.retirement.is_deleting
        is_asked = row.spec.ending is Ending.DELETE and is_recorded
        return is_asked and self._is_blue_without_traffic() and (blue is None or not blue.desired)

    def _is_blue_without_traffic(self) -> bool:
        rules = self.case.rules
        return all(share(self.case.truth.rule(arn).actions, self.case.blue_group) <= 0 for arn in rules)

    def _bounds(self) -> str:
        return self.case.scaling().split(" ")[0]

    def _check_made(self, record: CallRecord, name: str, tags: Mapping[str, str]) -> None:
        """Promise 6: recorded before it exists, and tagged."""
        row = self.case.row
        recorded = {pair.green_name for pair in row.pairs} | ({row.green.name} if row.green else set())
        is_back = row.retirement is not None and row.retirement.is_deleting
        if name not in recorded and not (is_back and name == self.case.scenery.service):
            self.case.breaks(6, f"{name} was made before it was recorded")
        if tags.get("teal:rollout") != self.case.rollout:
            self.case.breaks(6, f"{name} was made without its tag")
        answer = record.answer or {}
        self.case.made.add(name)
        self.case.made.update(g["TargetGroupArn"] for g in answer.get("TargetGroups", ()))

    def _check_update(self, record: CallRecord) -> None:
        """Promises 1, 4 and 6: blue keeps its size, only green is stopped, and only once it has no traffic."""
        name, row = record.params["service"].rsplit("/", 1)[-1], self.case.row
        if name == self.case.scenery.service:
            self.case.is_blue_updated = self.case.is_blue_updated or "taskDefinition" in record.params
            if self.case.row.phase in EARLY:
                self.case.breaks(4, f"blue was updated in {self.case.row.phase}")
            is_drained = row.retirement is not None and row.retirement.drained_from is not None
            is_retired = is_drained and self._is_blue_without_traffic()
            least = 0 if is_retired else self.case.desired_before
            if record.params.get("desiredCount", self.case.desired_before) < least:
                self.case.breaks(4, f"blue was given {record.params['desiredCount']} tasks")
        elif name not in self.case.made:
            self.case.breaks(6, f"{name} was updated, which Teal did not make")
        elif record.params.get("desiredCount") == 0:
            shares = [
                share(self.case.truth.rule(arn).actions, self.case.green_group or "")
                for arn in self.case.rules
            ]
            is_late = record.error is not None
            if max(shares) > 0 and not is_late and not self.case.edited:
                self.case.breaks(1, "green's tasks were stopped while it had traffic")

    def _check_of_green(self, record: CallRecord) -> None:
        """Promises 6 and 7: only green is given anything that scales it, and nobody else's is taken away."""
        row, name = self.case.row, record.params["ResourceId"].rsplit("/", 1)[-1]
        if row.green is None or name != row.green.name or name not in self.case.made:
            self.case.breaks(7, f"{record.operation} on the scaling of {name}")
        elif not row.green.is_scaling_asked:
            self.case.breaks(6, f"{record.operation} for green before it was recorded")

    def _check_alarm(self, record: CallRecord) -> None:
        """Promise 6: recorded before it exists, and tagged."""
        row, name = self.case.row, record.params["AlarmName"]
        if row.green is None or name not in row.green.alarms:
            self.case.breaks(6, f"alarm {name} was made before it was recorded")
        if _tags(record.params.get("Tags", ())).get("teal:rollout") != self.case.rollout:
            self.case.breaks(6, f"alarm {name} was made without its tag")
        self.case.made.add(name)

    def _check_scaling(self, record: CallRecord, *, is_late: bool) -> None:
        """Promise 7: of blue only its suspensions are touched, and its bounds raised to what was recorded."""
        resource = record.params["ResourceId"]
        if resource != f"service/{self.case.scenery.cluster}/{self.case.scenery.service}":
            self._check_of_green(record)
            return
        known = self.case.row.holding
        floor = known.floor if known else 0
        least, most = (int(bound) for bound in self._known_bounds.split(".."))
        asked = record.params["MinCapacity"], record.params["MaxCapacity"]
        may_be = (least, most), (max(self._first[0], floor), max(self._first[1], floor)), self._first
        if asked not in may_be and not is_late and not self.is_scaling_edited:
            self.case.breaks(
                7, f"blue's bounds were changed from {self._known_bounds} to {asked}, floor {floor}"
            )
        self._known_bounds = self._bounds()


def _tags(found: Any, key: str = "Key", value: str = "Value") -> dict[str, str]:  # noqa: ANN401 - AWS's list
    return {tag[key]: tag.get(value, "") for tag in found}
