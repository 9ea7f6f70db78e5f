"""What could be known, read from the answers in the World's log alone. Each answer is kept whole: none are merged."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sandbox.scenarios.scenery import Scenery
from sandbox.world.kernel.log import CallRecord
from sandbox.world.world import World

ANSWERS = {"RequestCount", *(f"HTTPCode_Target_{digit}XX_Count" for digit in (2, 3, 4, 5))}
FRESH = timedelta(seconds=16)  # a tick's deadline and a little: what was read before it is not this tick's
Counts = dict[str, float]


@dataclass(frozen=True, slots=True)
class Reading:
    """What one answer said of one period of both colours: only one that asked for every class of answers says so."""

    at: datetime
    green: Counts
    blue: Counts


@dataclass(slots=True)
class Loudness:
    """How loudly all answers of a period speak against one colour."""

    counted: int = 0  # answers that a judge may have taken for final, in which it had requests
    is_loud: bool = True  # each of them was beyond any bound
    errors_least: float | None = None  # answers 5XX in the least of them

    def take(self, mine: Counts, other: Counts) -> None:
        """Take in one more answer."""
        if not mine.get("RequestCount"):
            return
        self.counted += 1
        self.is_loud = self.is_loud and cries_against(mine, other)
        count = mine.get("HTTPCode_Target_5XX_Count", 0)
        self.errors_least = count if self.errors_least is None else min(count, self.errors_least)


@dataclass(slots=True)
class Period:
    """One metric period, in the answers that told of it."""

    start: datetime
    minute: timedelta
    newest: Reading | None = None
    has_requests: bool = False  # of green, in some answer
    blue_errors_most: float = 0.0
    of_green: Loudness = field(default_factory=Loudness)
    of_blue: Loudness = field(default_factory=Loudness)
    _readings: list[Reading] = field(default_factory=list)

    def take(self, reading: Reading) -> None:
        """Take in one more answer."""
        self.newest = reading
        self.has_requests = self.has_requests or bool(reading.green.get("RequestCount"))
        self.blue_errors_most = max(self.blue_errors_most, reading.blue.get("HTTPCode_Target_5XX_Count", 0))
        if self._may_be_final(reading):
            self.of_green.take(reading.green, reading.blue)
            self.of_blue.take(reading.blue, reading.green)
        self._readings = [*self._readings[-6:], reading]

    def _may_be_final(self, reading: Reading) -> bool:
        """Whether somebody may take this for the last word: it is old enough, or says what an earlier answer said."""
        if reading.at >= self.start + 3 * self.minute:
            return True
        told = (reading.green, reading.blue)
        apart = self.minute / 6
        return any((one.green, one.blue) == told and reading.at - one.at >= apart for one in self._readings)

    @property
    def speaks_against_green(self) -> bool:
        """The newest answer: 20 requests at least, and green fails far worse than blue or leaves most unanswered."""
        return self.newest is not None and speaks_against(self.newest.green, self.newest.blue)

    def convicts(self, *, is_of_blue: bool = False) -> bool:
        """Every answer speaks so loudly against the colour that no way of looking at it could let it pass."""
        found = self.of_blue if is_of_blue else self.of_green
        return found.counted > 0 and found.is_loud


def speaks_against(mine: Counts, other: Counts) -> bool:
    """At least 20 requests of this colour, and it fails far worse than the other, or leaves most of them unanswered."""
    return mine.get("RequestCount", 0) >= 20 and (_fails(mine, other) or _hangs(mine, other))


def _fails(mine: Counts, other: Counts) -> bool:
    """At least 5 errors, and over a half, or over 5 % and more than 4 times the other's share."""
    here, there = _share(errors(mine), mine), _share(errors(other), other)
    return errors(mine) >= 5 and ((here > 0.5 and there <= 0.5) or (here > 0.05 and here > 4 * there))


def _hangs(mine: Counts, other: Counts) -> bool:
    """More than half of the requests got no answer of any class; a timeout is no error of the target's own."""
    return _share(_unanswered(mine), mine) > 0.5 and _share(_unanswered(other), other) <= 0.5


def cries_against(mine: Counts, other: Counts) -> bool:
    """Well beyond any bound: half as many requests again, and errors, and times the share."""
    here, there = _share(errors(mine), mine), _share(errors(other), other)
    is_failing = errors(mine) >= 8 and ((here > 0.6 and there < 0.15) or (here > 0.075 and here > 6 * there))
    is_silent = _share(_unanswered(mine), mine) > 0.7 and other.get("RequestCount", 0) >= 20
    is_silent = is_silent and _share(_unanswered(other), other) < 0.2
    return mine.get("RequestCount", 0) >= 30 and (is_failing or is_silent)


@dataclass(frozen=True, slots=True)
class HealthLook:
    """One look at a target group: how many of its targets are healthy, and whether the others only begin."""

    at: datetime
    healthy: int
    is_beginning: bool
    is_unused: bool


@dataclass(frozen=True, slots=True)
class ServiceLook:
    """One look at a service: what its newest deployment runs, and whether that is all there is."""

    at: datetime
    definition: str
    state: str
    is_alone: bool
    desired: int
    running: int

    def is_steady_on(self, definition: str) -> bool:
        """One completed deployment of this revision with all of its tasks."""
        is_complete = self.state == "COMPLETED" and self.running == self.desired > 0
        return self.is_alone and self.definition == definition and is_complete


class Evidence:
    """Everything that answered calls said."""

    def __init__(self, world: World, scenery: Scenery) -> None:
        self._world, self._scenery = world, scenery
        self.health: dict[str, list[HealthLook]] = {}  # by group, the newest last
        self.services: dict[str, list[ServiceLook]] = {}  # by name, the newest last
        self.rules_at: dict[str, datetime] = {}  # when a rule was last read
        self.rule_actions: dict[str, list[tuple[datetime, list[dict[str, object]]]]] = {}
        self.alarms_at: datetime | None = None
        self.alarms: dict[str, str] = {}  # states as last read
        self.periods: dict[datetime, Period] = {}

    def hears(self, record: CallRecord) -> None:
        """Take in what the caller of this call got to know."""
        if record.error is not None or record.answer is None:
            return
        match record.operation:
            case "DescribeTargetHealth":
                self._targets(record)
            case "DescribeServices":
                self._services(record)
            case "DescribeRules":
                for rule in record.answer["Rules"]:
                    arn = rule["RuleArn"]
                    self.rules_at[arn] = record.at
                    known = self.rule_actions.setdefault(arn, [])
                    known.append((record.at, rule["Actions"]))
                    del known[:-12]
            case "DescribeAlarms":
                self.alarms_at = record.at
                for shown in record.answer["MetricAlarms"]:
                    self.alarms[shown["AlarmName"]] = shown["StateValue"]
            case "GetMetricData":
                self._metrics(record)
            case _:
                pass

    def seen_healthy(self, group: str) -> int:
        """How many targets of a group were healthy in the newest look, if that is fresh."""
        looks = self.health.get(group)
        return looks[-1].healthy if looks and self.is_fresh(looks[-1].at) else 0

    def newest(self, service: str) -> ServiceLook | None:
        """The newest look at a service, if it is fresh."""
        looks = self.services.get(service)
        return looks[-1] if looks and self.is_fresh(looks[-1].at) else None

    def is_fresh(self, at: datetime | None) -> bool:
        """Whether what was read then may be of the tick that acts now."""
        return at is not None and self._world.now - at <= FRESH

    def whole(self, since: datetime) -> Iterator[tuple[datetime, Period]]:
        """The periods that began after a moment (and a little, in which a written weight comes into force)."""
        least = since + self._world.minute / 6
        return ((at, period) for at, period in self.periods.items() if at >= least)

    def _targets(self, record: CallRecord) -> None:
        assert record.answer is not None
        told = [one["TargetHealth"] for one in record.answer["TargetHealthDescriptions"]]
        states = [one["State"] for one in told]
        look = HealthLook(
            at=record.at,
            healthy=states.count("healthy"),
            is_beginning=all(state in ("initial", "unused") for state in states),
            is_unused=any(one.get("Reason") == "Target.NotInUse" for one in told),
        )
        known = self.health.setdefault(record.params["TargetGroupArn"], [])
        known.append(look)
        del known[:-60]

    def _services(self, record: CallRecord) -> None:
        assert record.answer is not None
        for shown in record.answer["services"]:
            if not shown.get("deployments"):
                continue
            primary = shown["deployments"][0]
            look = ServiceLook(
                at=record.at,
                definition=primary["taskDefinition"],
                state=primary.get("rolloutState", ""),
                is_alone=len(shown["deployments"]) == 1,
                desired=shown["desiredCount"],
                running=shown["runningCount"],
            )
            known = self.services.setdefault(shown["serviceName"], [])
            known.append(look)
            del known[:-30]

    def _metrics(self, record: CallRecord) -> None:
        assert record.answer is not None
        asked: dict[bool, set[str]] = {False: set(), True: set()}
        told: dict[datetime, dict[bool, Counts]] = {}
        queries = {}
        for query in record.params["MetricDataQueries"]:
            metric = query.get("MetricStat", {}).get("Metric")
            if metric is None or query["MetricStat"].get("Stat") != "Sum":
                continue
            names = {d["Name"]: d["Value"] for d in metric["Dimensions"]}
            if "TargetGroup" not in names:
                continue
            is_blue = self._scenery.target_group.endswith(names["TargetGroup"])
            queries[query["Id"]] = (is_blue, metric["MetricName"])
            asked[is_blue].add(metric["MetricName"])
        if not (asked[True] >= ANSWERS and asked[False] >= ANSWERS):
            return
        for result in record.answer["MetricDataResults"]:
            if result["Id"] not in queries:
                continue
            is_blue, name = queries[result["Id"]]
            for at, value in zip(result["Timestamps"], result["Values"], strict=True):
                told.setdefault(at, {}).setdefault(is_blue, {})[name] = value
        for at, both in told.items():
            reading = Reading(record.at, both.get(False, {}), both.get(True, {}))
            if at not in self.periods:
                self.periods[at] = Period(at, self._world.minute)
            self.periods[at].take(reading)


def errors(counts: Counts) -> float:
    """Answers that are a target's own errors, and connections that failed."""
    return counts.get("HTTPCode_Target_5XX_Count", 0) + counts.get("TargetConnectionErrorCount", 0)


def _unanswered(counts: Counts) -> float:
    answers = sum(counts.get(f"HTTPCode_Target_{digit}XX_Count", 0) for digit in (2, 3, 4, 5))
    return counts.get("RequestCount", 0) - answers


def _share(part: float, counts: Counts) -> float:
    return part / max(counts.get("RequestCount", 0), 1)
