"""What an alarm can see of green: both colours, green with its names put in place of blue's, or nothing.

Green's target group and service are new in every rollout, so an alarm on blue's group or service never sees them.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from orchestrator.core.cloud import composite_alarm
from orchestrator.core.cloud.metric_math import is_absent_when_zero, with_dimensions, zero_where_requests
from orchestrator.core.cloud.resources import AlarmSeen, MetricQuery
from orchestrator.core.domain.ids import metric_dimension
from orchestrator.core.gates.scene import Names


class Sight(StrEnum):
    """How an alarm is judged in this rollout."""

    BOTH = "both"  # it names nothing of blue's: its state counts
    GREENS_NAMES = "greens_names"  # by its query, threshold and M of N with green's names put in
    PARTS = "parts"  # composite: by its rule, with the alarms on blue's names judged by green's
    BLIND = "blind"  # it can say nothing about green: it is not counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeing:
    """What an alarm can see of green, and why not more, in words."""

    sight: Sight
    why: str


def seeing(alarm: AlarmSeen, names: Names) -> Seeing:
    """What an alarm can see of green in a rollout with these names."""
    if alarm.kind == "composite":
        return _of_composite(alarm, names)
    if not names_blue(alarm, names):
        return Seeing(sight=Sight.BOTH, why="it names neither blue's target groups nor its service")
    if alarm.is_anomaly:
        words = "its threshold is learnt from the metric's past, and green has none"
        return Seeing(sight=Sight.BLIND, why=words)
    return Seeing(sight=Sight.GREENS_NAMES, why="it is on blue's names, which never see green")


def _of_composite(alarm: AlarmSeen, names: Names) -> Seeing:
    try:
        named = composite_alarm.names(alarm.rule)
    except composite_alarm.Unreadable as error:
        return Seeing(sight=Sight.BLIND, why=f"its rule is not understood: {error}")
    missing = [name for name in named if name not in {part.name for part in alarm.parts}]
    if missing:
        return Seeing(sight=Sight.BLIND, why=f"it is made of {' and '.join(missing)}, which cannot be read")
    found = {part.name: seeing(part, names) for part in alarm.parts}
    for name, part in found.items():
        if part.sight is Sight.BLIND:
            return Seeing(sight=Sight.BLIND, why=f"{name} is a part of it: {part.why}")
    on_blue = [name for name, part in found.items() if part.sight is not Sight.BOTH]
    if not on_blue:
        return Seeing(sight=Sight.BOTH, why="no part of it is on blue's names")
    return Seeing(sight=Sight.PARTS, why=f"{' and '.join(on_blue)} is on blue's names, which never see green")


def names_blue(alarm: AlarmSeen, names: Names) -> bool:
    """True if a metric alarm is about blue's target groups or its service alone."""
    if alarm.query is not None:
        return _with_greens(alarm.query, names) != alarm.query
    return with_greens_names(alarm.dimensions, names) != alarm.dimensions


def with_greens_names(dimensions: Iterable[tuple[str, str]], names: Names) -> tuple[tuple[str, str], ...]:
    """Dimensions with green's names in place of blue's."""
    swaps = {("TargetGroup", metric_dimension(b)): metric_dimension(g) for b, g in names.groups}
    swaps[("ServiceName", names.blue_service)] = names.green_service
    return tuple((name, swaps.get((name, value), value)) for name, value in dimensions)


def leaves(alarm: AlarmSeen, names: Names) -> Iterator[AlarmSeen]:
    """The metric alarms that are judged by a series of green's: the alarm itself, or parts of it."""
    if alarm.kind == "composite":
        for part in alarm.parts:
            yield from leaves(part, names)
    elif seeing(alarm, names).sight is Sight.GREENS_NAMES:
        yield alarm


def everyone(alarms: Iterable[AlarmSeen]) -> Iterator[str]:
    """The names of alarms and of all that they are made of."""
    for alarm in alarms:
        yield alarm.name
        yield from everyone(alarm.parts)


def queries(alarm: AlarmSeen, names: Names) -> tuple[MetricQuery, ...]:
    """The series of green that stand for an alarm on blue's names, and blue's own beside them, read at the same moment.

    None for an alarm that sees both colours. The alarm's state alone does not say how blue is: CloudWatch evaluates it
    later than the same datapoint is read for green, and an outage of both would look like green's. Counts that a load
    balancer leaves out when they are zero are read with the requests beside them.
    """
    found: list[MetricQuery] = []
    for leaf in leaves(alarm, names):
        if leaf.query is not None:
            green = replace(_with_greens(leaf.query, names), id=series_of(leaf), period=leaf.period)
            blue = replace(leaf.query, id=blues_series_of(leaf), period=leaf.period)
            found += (zero_where_requests(green), zero_where_requests(blue))
            continue
        own = MetricQuery(
            id=series_of(leaf),
            namespace=leaf.namespace,
            metric=leaf.metric,
            dimensions=with_greens_names(leaf.dimensions, names),
            stat=leaf.stat,
            period=leaf.period,
        )
        found += (own, replace(own, id=blues_series_of(leaf), dimensions=leaf.dimensions))
        if is_absent_when_zero(own):
            found.append(replace(own, id=requests_of(leaf), metric="RequestCount"))
    return tuple(dict.fromkeys(found))


def series_of(alarm: AlarmSeen) -> str:
    """The id of the series of green that stands for an alarm."""
    return f"alarm {alarm.name}"


def blues_series_of(alarm: AlarmSeen) -> str:
    """The id of blue's own series of an alarm."""
    return f"blue alarm {alarm.name}"


def requests_of(alarm: AlarmSeen) -> str:
    """The id of the requests beside that series."""
    return f"requests {alarm.name}"


def _with_greens(query: MetricQuery, names: Names) -> MetricQuery:
    # In a search or SQL the names are in the text: a target group's cannot be mistaken, a service's stands beside
    # the word for it.
    service = re.compile(rf"(ServiceName[\"']?\s*=\s*[\"']){re.escape(names.blue_service)}([\"'])")

    def reword(expression: str) -> str:
        for blue, green in names.groups:
            expression = expression.replace(metric_dimension(blue), metric_dimension(green))
        return service.sub(lambda found: f"{found[1]}{names.green_service}{found[2]}", expression)

    return with_dimensions(query, lambda one: with_greens_names((one,), names)[0], reword)
