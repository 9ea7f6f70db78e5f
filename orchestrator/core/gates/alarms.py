"""Gate ``alarms``: the team's own CloudWatch alarms, as far as they can see green.

Green's target group and service are new in every rollout, so an alarm on blue's group or service never sees them.
Such an alarm is judged by its own query, threshold and M of N with green's names put in, and its own state serves as
blue's side. An alarm without blue's names in its dimensions (on the load balancer, say) sees both colours: its state
counts. Source: CloudWatch, "Evaluating an alarm" and "Configuring how CloudWatch alarms treat missing data".
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from orchestrator.core.ids import metric_dimension
from orchestrator.core.observed import AlarmSeen, MetricQuery, Series, Unread
from orchestrator.core.scene import Colour, Names, Scene, first_whole, floor_to
from orchestrator.core.verdict import Answer, Verdict, fail, hold, not_applicable, passed

NAME = "alarms"

COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


class NoData(StrEnum):
    """What an alarm without data means for the rollout."""

    HOLD = "hold"
    PASS = "pass"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmSpec:
    """One alarm by name; ``no_data`` None: as the alarm's own missing-data treatment says."""

    name: str
    no_data: NoData | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmsSpec:
    """Settings of ``gates.alarms``."""

    alarms: tuple[AlarmSpec, ...] = ()


def with_greens_names(alarm: AlarmSeen, names: Names) -> tuple[tuple[str, str], ...] | None:
    """The alarm's dimensions with green's names in place of blue's; None if it names nothing of blue's."""
    swaps = {("TargetGroup", metric_dimension(b)): metric_dimension(g) for b, g in names.groups}
    swaps[("ServiceName", names.blue_service)] = names.green_service
    swapped = tuple((name, swaps.get((name, value), value)) for name, value in alarm.dimensions)
    return swapped if swapped != alarm.dimensions else None


def queries(alarm: AlarmSeen, names: Names) -> tuple[MetricQuery, ...]:
    """The series of green that stand for an alarm on blue's names; none for an alarm that sees both colours.

    Count metrics of a load balancer are absent when zero, so they are read with the requests beside them.
    """
    dimensions = with_greens_names(alarm, names)
    if dimensions is None:
        return ()

    def query(id_: str, metric: str, stat: str) -> MetricQuery:
        return MetricQuery(
            id=id_,
            namespace=alarm.namespace,
            metric=metric,
            dimensions=dimensions,
            stat=stat,
            period=alarm.period,
        )

    own = query(f"alarm {alarm.name}", alarm.metric, alarm.stat)
    if _is_absent_when_zero(alarm):
        return (own, query(f"requests {alarm.name}", "RequestCount", "Sum"))
    return (own,)


def judge(spec: AlarmsSpec, scene: Scene) -> Answer:
    """The least of the alarms' answers, in the words of the alarm that decided it."""
    if not spec.alarms:
        return not_applicable(NAME, "the file names no alarm")
    answers = [_judge_one(alarm, scene) for alarm in spec.alarms]
    for verdict in (Verdict.FAIL, Verdict.HOLD):
        deciding = [answer for answer in answers if answer.verdict is verdict]
        if deciding:
            return deciding[0]
    applying = [answer for answer in answers if answer.verdict is Verdict.PASS]
    if not applying:
        return answers[0]
    return passed(NAME, "; ".join(answer.reason for answer in applying), numbers={"alarms": len(applying)})


def _judge_one(spec: AlarmSpec, scene: Scene) -> Answer:
    start = next((alarm for alarm in scene.alarms_at_start if alarm.name == spec.name), None)
    if start is not None and start.state == "ALARM":
        return not_applicable(NAME, f"{spec.name} fired before the rollout began: not counted")
    seen = scene.alarms.get(spec.name)
    if not isinstance(seen, AlarmSeen):
        why = f" ({seen.why})" if isinstance(seen, Unread) else ""
        return hold(
            NAME,
            f"alarm {spec.name} is not there or unread{why}",
            clears_when=f"alarm {spec.name} can be read",
        )
    if scene.weight == 0:
        return not_applicable(NAME, f"{scene.judged} takes no traffic")
    # On the way home blue is judged, and an alarm on blue's names says by its own state what it sees of blue.
    sees_it = scene.judged is Colour.BLUE or with_greens_names(seen, scene.names) is None
    return _by_state(spec, seen, scene) if sees_it else _by_series(spec, seen, scene)


def _by_state(spec: AlarmSpec, seen: AlarmSeen, scene: Scene) -> Answer:
    if seen.evaluation:
        return hold(
            NAME, f"{seen.name} is not whole: {seen.evaluation}", clears_when="CloudWatch evaluates it again"
        )
    match seen.state:
        case "ALARM":
            since = f" since {seen.state_since:%H:%M:%S}Z" if seen.state_since else ""
            return fail(NAME, f"{seen.name} is in ALARM{since}: {seen.reason}")
        case "OK":
            answer = passed(NAME, f"{seen.name} is OK")
        case _:
            answer = _no_data(spec, seen, f"{seen.name} has no data")
    if answer.verdict is Verdict.PASS and not _could_know(seen, scene):
        return hold(
            NAME,
            f"{seen.name} cannot know of this weight yet",
            clears_when="a whole period of it was measured",
        )
    return answer


def _could_know(seen: AlarmSeen, scene: Scene) -> bool:
    """True once a whole period of the alarm's at this weight was measured, or must be by now."""
    if scene.serves_since is None:
        return False
    period = max(seen.period, scene.period)
    end = first_whole(scene.serves_since, period) + period
    is_measured = bool(scene.intervals) and scene.intervals[-1].start + scene.period >= end
    return is_measured or scene.now >= end + scene.lag


def _by_series(spec: AlarmSpec, seen: AlarmSeen, scene: Scene) -> Answer:
    points = scene.metrics.get(f"alarm {seen.name}")
    requests = scene.metrics.get(f"requests {seen.name}")
    if isinstance(points, Unread) or isinstance(requests, Unread):
        return hold(
            NAME, f"{seen.name}'s metric could not be read for green", clears_when="CloudWatch answers"
        )
    periods = _judgeable(seen, scene, points or ())
    if not periods or points is None:
        return hold(
            NAME,
            f"{seen.name}: no whole period was measured yet",
            clears_when="a whole period of it was measured",
        )
    return _m_of_n(spec, seen, periods, dict(points), dict(requests or ()))


def _judgeable(seen: AlarmSeen, scene: Scene, points: Series) -> list[datetime]:
    """Starts of the newest N periods at this weight that are measured, or should be by now; oldest first."""
    if scene.serves_since is None:
        return []
    known = {start for start, _ in points}
    start, end = first_whole(scene.serves_since, seen.period), floor_to(scene.now, seen.period)
    periods: list[datetime] = []
    while end - seen.period >= start and len(periods) < seen.evaluation_periods:
        end -= seen.period
        if periods or end in known or end + seen.period + scene.lag <= scene.now:
            periods.append(end)
    return periods[::-1]


def _m_of_n(
    spec: AlarmSpec,
    seen: AlarmSeen,
    periods: list[datetime],
    points: Mapping[datetime, float],
    requests: Mapping[datetime, float],
) -> Answer:
    breaching, missing = _tally(seen, periods, points, requests)
    if spec.no_data is NoData.FAIL or (spec.no_data is None and seen.missing == "breaching"):
        breaching += missing
    numbers = {"breaching": float(breaching), "periods": float(len(periods)), "missing": float(missing)}
    words = f"{seen.name} with green's names is over its threshold in {breaching} of {len(periods)} periods"
    if breaching >= seen.datapoints_to_alarm:
        if seen.state == "ALARM":
            return hold(
                NAME, f"{words}, and fires for blue too", clears_when=f"{seen.name} is OK", numbers=numbers
            )
        return fail(NAME, words, numbers=numbers)
    if breaching and breaching + seen.evaluation_periods - len(periods) >= seen.datapoints_to_alarm:
        # Fewer than N periods were measured at this weight, and the next ones may still make it M.
        return hold(
            NAME,
            f"{words}, {seen.datapoints_to_alarm} of {seen.evaluation_periods} would be a failure",
            clears_when="enough periods of it were measured",
            numbers=numbers,
        )
    if missing == len(periods):
        return _no_data(spec, seen, f"{seen.name} has no data of green")
    within = f"{seen.name} with green's names is within its threshold"
    return passed(NAME, f"{words}: too few to count" if breaching else within, numbers=numbers)


def _tally(
    seen: AlarmSeen,
    periods: list[datetime],
    points: Mapping[datetime, float],
    requests: Mapping[datetime, float],
) -> tuple[int, int]:
    """How many of these periods are over the threshold, and how many hold no data."""
    over = COMPARISONS[seen.comparison]
    breaching = missing = 0
    for period in periods:
        value = points.get(period)
        if value is None and _is_absent_when_zero(seen) and requests.get(period):
            value = 0.0
        if value is None:
            missing += 1
        elif over(value, seen.threshold):
            breaching += 1
    return breaching, missing


def _no_data(spec: AlarmSpec, seen: AlarmSeen, words: str) -> Answer:
    treatment = {"notBreaching": NoData.PASS, "breaching": NoData.FAIL}
    match spec.no_data or treatment.get(seen.missing, NoData.HOLD):
        case NoData.PASS:
            return passed(NAME, f"{words}, which counts as good")
        case NoData.FAIL:
            return fail(NAME, f"{words}, which counts as bad")
        case NoData.HOLD:
            return hold(NAME, words, clears_when=f"CloudWatch has data for {seen.name}")


def _is_absent_when_zero(alarm: AlarmSeen) -> bool:
    return (
        alarm.namespace == "AWS/ApplicationELB"
        and alarm.stat == "Sum"
        and alarm.metric.endswith(("_Count", "ErrorCount"))
    )
