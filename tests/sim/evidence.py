"""What could be known when a weight grew, read from the answers in the World's log alone."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from orchestrator.core.rollout.rollout import Rollout
from sandbox.scenarios.scenery import Scenery
from sandbox.world.kernel.log import CallRecord
from sandbox.world.world import World

ANSWERS = {"RequestCount", *(f"HTTPCode_Target_{digit}XX_Count" for digit in (2, 3, 4, 5))}
FRESH = timedelta(seconds=16)  # a tick's deadline and a little: what was read before it is not this tick's


@dataclass(slots=True)
class Period:
    """One metric period of green and blue, as the newest answers gave it."""

    green: dict[str, float] = field(default_factory=dict)
    blue: dict[str, float] = field(default_factory=dict)
    # As the newest call that asked for every class of answers gave them.
    answered_green: dict[str, float] = field(default_factory=dict)
    answered_blue: dict[str, float] = field(default_factory=dict)

    @property
    def speaks_against_green(self) -> bool:
        """At least 20 requests, and it fails far worse than blue or leaves most of them unanswered, unlike blue."""
        return self.green.get("RequestCount", 0) >= 20 and (self._fails or self._hangs)

    @property
    def _fails(self) -> bool:
        """At least 5 errors, and over a half, or over 5 % and more than 4 times blue's share."""
        mine, theirs = _share(_errors(self.green), self.green), _share(_errors(self.blue), self.blue)
        is_far_worse = mine > 0.05 and mine > 4 * theirs
        return _errors(self.green) >= 5 and ((mine > 0.5 and theirs <= 0.5) or is_far_worse)

    @property
    def _hangs(self) -> bool:
        """More than half of the requests got no answer of any class; a timeout is no error of the target's own.

        Only one call that asked for the requests and for every class of answers can say so: a class that nobody asked
        for is not one that no answer was of, and a later call may count more requests of a minute still under way.
        """
        mine = _share(_unanswered(self.answered_green), self.answered_green)
        theirs = _share(_unanswered(self.answered_blue), self.answered_blue)
        return mine > 0.5 and theirs <= 0.5


class Evidence:
    """Everything that answered calls said, newest first in mind."""

    def __init__(self, world: World, scenery: Scenery) -> None:
        self._world, self._scenery = world, scenery
        self._healthy: dict[str, tuple[datetime, int]] = {}
        self._alarms_at: datetime | None = None
        self._periods: dict[datetime, Period] = {}
        self._changed_at: datetime | None = None
        self._entered_at: datetime | None = (
            None  # the change before the last: a step may be waived from then on
        )
        self.share = 0.0

    def hears(self, record: CallRecord) -> None:
        """Take in what the caller of this call got to know."""
        if record.error is not None or record.answer is None:
            return
        match record.operation:
            case "DescribeTargetHealth":
                states = [d["TargetHealth"]["State"] for d in record.answer["TargetHealthDescriptions"]]
                self._healthy[record.params["TargetGroupArn"]] = (record.at, states.count("healthy"))
            case "DescribeAlarms":
                self._alarms_at = record.at
            case "GetMetricData":
                self._metrics(record)
            case _:
                pass

    def seen_healthy(self, group: str) -> int:
        """How many targets of a group were healthy in the newest look, if that is fresh."""
        at, count = self._healthy.get(group, (None, 0))
        return count if at is not None and self._world.now - at <= FRESH else 0

    def changed(self, share: float, *, step: float) -> None:
        """Teal gave green this share of some rule; `step` is the share that the row's step asks for.

        Less than before, and not what the step asks for, is a repair of what a rival did: no new evidence is needed.
        """
        if share > self.share or abs(share - step) < 0.0021:
            self._entered_at, self._changed_at, self.share = self._changed_at, self._world.now, share

    def begins_anew(self) -> None:
        """A person who resumes after a failure has seen what was known until then."""
        self._changed_at = self._world.now

    def against_growth(self, row: Rollout, *, promoted_at: datetime | None) -> Iterator[str]:
        """What speaks against giving green more now, beside its health."""
        now, since = self._world.now, self._changed_at
        is_same_step = abs(self.share - row.spec.plan.steps[row.progress.step].weight / 1000) < 0.0021
        if is_same_step or since is None or self.share == 0:
            return  # the first weight of all, or another rule (or a repeated write) of the same step
        if self._alarms_at is None or now - self._alarms_at > FRESH:
            yield "the alarms were not read"
        whole = {at: p for at, p in self._periods.items() if at >= since + self._world.minute / 6}
        is_waived = promoted_at is not None and (self._entered_at is None or promoted_at >= self._entered_at)
        if any(period.speaks_against_green for period in whole.values()) and not is_waived:
            yield "a whole period spoke against it"
        if not any(p.green.get("RequestCount") for p in whole.values()) and not is_waived:
            yield "no whole period with requests was read since it grew last"

    def _metrics(self, record: CallRecord) -> None:
        assert record.answer is not None
        queries = {query["Id"]: query["MetricStat"]["Metric"] for query in record.params["MetricDataQueries"]}
        now: dict[tuple[datetime, bool], dict[str, float]] = {}
        asked: dict[bool, set[str]] = {False: set(), True: set()}
        for result in record.answer["MetricDataResults"]:
            metric = queries[result["Id"]]
            names = {d["Name"]: d["Value"] for d in metric["Dimensions"]}
            is_blue = self._scenery.target_group.endswith(names.get("TargetGroup", "-"))
            asked[is_blue].add(metric["MetricName"])
            for at, value in zip(result["Timestamps"], result["Values"], strict=True):
                now.setdefault((at, is_blue), {})[metric["MetricName"]] = value
        for (at, is_blue), values in now.items():
            period = self._periods.setdefault(at, Period())
            (period.blue if is_blue else period.green).update(values)
            if asked[is_blue] >= ANSWERS and is_blue:
                period.answered_blue = values
            elif asked[is_blue] >= ANSWERS:
                period.answered_green = values


def _errors(counts: dict[str, float]) -> float:
    return counts.get("HTTPCode_Target_5XX_Count", 0) + counts.get("TargetConnectionErrorCount", 0)


def _unanswered(counts: dict[str, float]) -> float:
    answers = sum(counts.get(f"HTTPCode_Target_{digit}XX_Count", 0) for digit in (2, 3, 4, 5))
    return counts.get("RequestCount", 0) - answers


def _share(part: float, counts: dict[str, float]) -> float:
    return part / max(counts.get("RequestCount", 0), 1)
