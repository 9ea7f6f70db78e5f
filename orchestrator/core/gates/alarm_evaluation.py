"""An alarm's own threshold and M of N, applied to a series of green's at the present weight.

Sources: CloudWatch, "Evaluating an alarm", "Configuring how CloudWatch alarms treat missing data".
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from orchestrator.core.cloud.metric_math import is_absent_when_zero
from orchestrator.core.cloud.resources import AlarmSeen, MetricQuery, Unread
from orchestrator.core.gates.alarm_scope import blues_series_of, requests_of, series_of
from orchestrator.core.gates.scene import Scene, first_whole, floor_to

COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


class Outcome(StrEnum):
    """What green's series says of an alarm."""

    BREACHES = "breaches"
    MAY_BREACH = "may_breach"  # fewer than N periods were measured, and the next ones may still make it M
    WITHIN = "within"
    SILENT = "silent"  # no datapoint in any of the periods
    UNKNOWN = "unknown"  # nothing was measured yet, or it could not be read


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The outcome in words, what would clear it, and the numbers behind it."""

    outcome: Outcome
    words: str
    clears_when: str = ""
    numbers: Mapping[str, float]
    periods: tuple[datetime, ...] = ()  # starts of those that it was judged by


def judge_points(alarm: AlarmSeen, scene: Scene, *, missing_breaches: bool) -> Judgement:
    """The alarm's question, asked of green's series in the newest N whole periods at this weight."""
    points, requests = scene.metrics.get(series_of(alarm)), scene.metrics.get(requests_of(alarm))
    if isinstance(points, Unread):
        return _unread(alarm, points)
    if isinstance(requests, Unread):
        return _unread(alarm, requests)
    comparison = COMPARISONS.get(alarm.comparison)
    if comparison is None:
        words = f"{alarm.name} compares by {alarm.comparison or 'nothing'}, which Teal does not judge"
        return _unknown(words, f"gates.alarms no longer names {alarm.name}")
    if points is None:
        return _unmeasured(alarm)

    def judged(periods: list[datetime]) -> Judgement:
        breaching, missing = _tally(alarm, comparison, periods, dict(points), dict(requests or ()))
        found = breaching + missing if missing_breaches else breaching
        told = _m_of_n(alarm, breaching=found, missing=missing, periods=len(periods))
        return replace(told, periods=tuple(periods))

    settled = judged(_newest(alarm, scene, frozenset()))
    if settled.outcome is Outcome.BREACHES:
        return settled  # a newer period that is still being published does not take it back
    newest = _newest(alarm, scene, frozenset(start for start, _ in points))
    return judged(newest) if newest else _unmeasured(alarm)


def is_blue_over(alarm: AlarmSeen, scene: Scene, periods: Sequence[datetime]) -> bool | None:
    """True if blue's own series is over the threshold in one of the periods that green was judged by.

    None while blue's newest of them may still be published. What cannot be read excuses nobody: then it is False.
    """
    points, comparison = scene.metrics.get(blues_series_of(alarm)), COMPARISONS.get(alarm.comparison)
    if points is None or isinstance(points, Unread) or comparison is None:
        return False
    blues = dict(points)
    if any(start in blues and comparison(blues[start], alarm.threshold) for start in periods):
        return True
    is_due = not periods or periods[-1] + alarm.period + scene.lag <= scene.now
    return False if is_due or periods[-1] in blues else None


def _unread(alarm: AlarmSeen, series: Unread) -> Judgement:
    why = f": {series.why}" if series.is_refused else ""
    return _unknown(f"{alarm.name}'s metric could not be read for green{why}", "CloudWatch answers")


def _unknown(words: str, clears_when: str) -> Judgement:
    return Judgement(outcome=Outcome.UNKNOWN, words=words, clears_when=clears_when, numbers={})


def _unmeasured(alarm: AlarmSeen) -> Judgement:
    return _unknown(f"{alarm.name}: no whole period was measured yet", "a whole period of it was measured")


def _newest(alarm: AlarmSeen, scene: Scene, known: AbstractSet[datetime]) -> list[datetime]:
    """Starts of the newest N periods at this weight that are among the known, or final by now; oldest first."""
    if scene.serves_since is None or not alarm.period:
        return []
    start, end = first_whole(scene.serves_since, alarm.period), floor_to(scene.now, alarm.period)
    periods: list[datetime] = []
    while end - alarm.period >= start and len(periods) < alarm.evaluation_periods:
        end -= alarm.period
        if periods or end in known or end + alarm.period + scene.lag <= scene.now:
            periods.append(end)
    return periods[::-1]


def _tally(
    alarm: AlarmSeen,
    over: Callable[[float, float], bool],
    periods: list[datetime],
    points: Mapping[datetime, float],
    requests: Mapping[datetime, float],
) -> tuple[int, int]:
    """How many of these periods are over the threshold, and how many hold no data."""
    breaching = missing = 0
    for period in periods:
        value = points.get(period)
        if value is None and _is_absent_when_zero(alarm) and requests.get(period):
            value = 0.0
        if value is None:
            missing += 1
        elif over(value, alarm.threshold):
            breaching += 1
    return breaching, missing


def _m_of_n(alarm: AlarmSeen, *, breaching: int, missing: int, periods: int) -> Judgement:
    numbers = {"breaching": float(breaching), "periods": float(periods), "missing": float(missing)}
    words = f"{alarm.name} with green's names is over its threshold in {breaching} of {periods} periods"
    if breaching >= alarm.datapoints_to_alarm:
        return Judgement(outcome=Outcome.BREACHES, words=words, numbers=numbers)
    if breaching and breaching + alarm.evaluation_periods - periods >= alarm.datapoints_to_alarm:
        would = f"{alarm.datapoints_to_alarm} of {alarm.evaluation_periods} would be a failure"
        return Judgement(
            outcome=Outcome.MAY_BREACH,
            words=f"{words}, {would}",
            clears_when="enough periods of it were measured",
            numbers=numbers,
        )
    if missing == periods:
        silent = f"{alarm.name} has no data of green"
        return Judgement(outcome=Outcome.SILENT, words=silent, numbers=numbers)
    within = f"{alarm.name} with green's names is within its threshold"
    few = f"{words}: too few to count"
    return Judgement(outcome=Outcome.WITHIN, words=few if breaching else within, numbers=numbers)


def _is_absent_when_zero(alarm: AlarmSeen) -> bool:
    return is_absent_when_zero(
        MetricQuery(
            id="", namespace=alarm.namespace, metric=alarm.metric, stat=alarm.stat, period=alarm.period
        )
    )
