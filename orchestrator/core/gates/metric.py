"""Gate ``metric``: a number of the team's own, by any CloudWatch query, within bounds.

A query is metric math over metrics that the file lists, or a search or SQL that stands by itself. In both, and in a
metric's dimensions, ``{target_group}``, ``{load_balancer}``, ``{service}`` and ``{cluster}`` stand for the names of the
colour that is judged (green; blue while traffic returns to it), ``{blue.target_group}`` and
``{green.target_group}`` for those of one colour, and ``{target_group.2}`` for the second of several. Percentiles are a
metric's statistic (``p99``); a percentile of two periods is none, so none is ever averaged. A query that asks for the
other colour is not asked while that one has no traffic.

It judges whole periods at this weight, once they are final: as soon as the load balancer's own counts of the same
time were read twice alike, for other namespaces and sources once ``lag`` has passed. A period is never judged by half
its data.

Counts that a load balancer leaves out when they are zero (``HTTPCode_Target_5XX_Count`` and its like) are read as zero
in every period that holds requests, and as no data in one that holds none; nobody need write ``FILL`` for them. For
other metrics ``FILL(m, 0)`` puts a zero where a datapoint is missing between others, ``FILL(m, REPEAT)`` the last
value, ``FILL(m, LINEAR)`` a line. It may have nothing to fill where a series holds no datapoint at all: that is no
data, and ``no_data`` says what it means. Dividing by a filled zero gives no datapoint: write
``IF(FILL(r, 0) > 0, e / r * 100, 0)``.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from orchestrator.core.cloud.metric_math import is_absent_when_zero, zero_where_requests
from orchestrator.core.cloud.resources import MetricQuery, Series, Unread
from orchestrator.core.domain.ids import metric_dimension
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import ALL
from orchestrator.core.domain.verdict import Answer, Verdict, fail, hold, not_applicable, passed
from orchestrator.core.gates.gate import Gate, GateNeeds, NoData, Outlook, SeriesNeed
from orchestrator.core.gates.scene import Colour, Names, Scene, first_whole, floor_to

NAME = "metric"
LOAD_BALANCER = "AWS/ApplicationELB"
VARIABLES = ("target_group", "load_balancer", "service", "cluster")
TELLING = ("target_group", "service")  # those of them that are one colour's alone
VARIABLE = re.compile(r"\{(?:(blue|green)\.)?(" + "|".join(VARIABLES) + r")(?:\.([1-9]))?\}")
_MARGIN = 3  # periods read beyond those that must be, so that a look that came late misses none


class Applies(StrEnum):
    """When a metric is asked."""

    ALWAYS = "always"
    STEPS = "steps"  # while green's weight is still to grow
    WATCH = "watch"  # at the last weight


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricInput:
    """One metric of a query, by the id that the query names it by. Its texts may hold variables."""

    id: str
    metric: str
    stat: str
    namespace: str = LOAD_BALANCER
    dimensions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSpec:
    """One number and its bounds. ``query`` empty: the only input itself."""

    name: str
    query: str = ""
    inputs: tuple[MetricInput, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    periods: int = 1  # so many in a row out of bounds are a failure
    period: timedelta | None = None  # None: that of the rollout's metrics
    lag: timedelta | None = None
    no_data: NoData = NoData.HOLD
    applies: Applies = Applies.ALWAYS
    source: str = (
        ""  # a metric source of the server's settings, in whose language `query` is; empty: CloudWatch
    )

    @property
    def answerer(self) -> str:
        """Who answers it, in words."""
        return f"metric source {self.source}" if self.source else "CloudWatch"

    @property
    def is_of_load_balancer(self) -> bool:
        """True if all it is made of arrives with the load balancer's own counts."""
        return bool(self.inputs) and all(one.namespace == LOAD_BALANCER for one in self.inputs)


def series_of(spec: MetricSpec) -> str:
    """The id of the series that a metric is judged by."""
    return f"metric {spec.name}"


def query(spec: MetricSpec, names: Names, judged: Colour, *, period: timedelta) -> MetricQuery:
    """What CloudWatch is asked, with a colour's names put in. `period`: of the rollout's metrics."""
    length = spec.period or period
    if spec.source:
        text = fill_in(spec.query, names, judged).replace("{period}", f"{length / timedelta(seconds=1):g}s")
        return MetricQuery(id=series_of(spec), period=length, expression=text, source=spec.source)
    inputs = tuple(
        MetricQuery(
            id=one.id,
            namespace=fill_in(one.namespace, names, judged),
            metric=fill_in(one.metric, names, judged),
            dimensions=tuple((key, fill_in(value, names, judged)) for key, value in one.dimensions),
            stat=one.stat,
            period=length,
        )
        for one in spec.inputs
    )
    if spec.query:
        text = fill_in(spec.query, names, judged)
        made = MetricQuery(id=series_of(spec), period=length, expression=text, inputs=inputs)
        return zero_where_requests(made)
    (only,) = inputs
    if not is_absent_when_zero(only):
        return replace(only, id=series_of(spec))
    made = zero_where_requests(MetricQuery(id="", period=length, expression=only.id, inputs=inputs))
    return replace(made.inputs[-1], id=series_of(spec), inputs=made.inputs[:-1])


def window(
    spec: MetricSpec, since: datetime, now: datetime, *, period: timedelta, lag: timedelta
) -> datetime:
    """From when on the series is read: the newest periods that a verdict can need, none from before this weight."""
    length = spec.period or period
    back = spec.periods + _MARGIN + -(-(spec.lag or lag) // length)
    return max(first_whole(since, length), floor_to(now, length) - length * back)


def needs(specs: tuple[MetricSpec, ...], outlook: Outlook) -> GateNeeds:
    """The series of the metrics that are asked now."""
    since, period, lag = outlook.since, outlook.period, outlook.lag
    if since is None:
        return GateNeeds()
    asked = (spec for spec in specs if is_asked(spec, is_watch=outlook.phase is Phase.WATCHING))
    return GateNeeds(
        series=tuple(
            SeriesNeed(
                queries=(query(spec, outlook.names, outlook.judged, period=period),),
                since=window(spec, since, outlook.now, period=period, lag=lag),
            )
            for spec in asked
        )
    )


def is_asked(spec: MetricSpec, *, is_watch: bool) -> bool:
    """True where a metric is asked at all."""
    return spec.applies is Applies.ALWAYS or (spec.applies is Applies.WATCH) == is_watch


def fill_in(text: str, names: Names, judged: Colour) -> str:
    """A text with names in place of its variables; one that has no such name is left as it is."""

    def name(found: re.Match[str]) -> str:
        return _name(Colour(found[1] or judged), found[2], int(found[3] or 1) - 1, names) or found[0]

    return VARIABLE.sub(name, text)


def _name(colour: Colour, variable: str, index: int, names: Names) -> str:
    is_green = colour is Colour.GREEN
    match variable:
        case "service":
            return names.green_service if is_green else names.blue_service
        case "cluster":
            return names.cluster.rpartition("/")[2]
        case "load_balancer":
            return metric_dimension(names.balancers[index]) if index < len(names.balancers) else ""
        case _:
            return metric_dimension(names.groups[index][is_green]) if index < len(names.groups) else ""


# judging -----------------------------------------------------------------------------------------------------------


def judge(specs: tuple[MetricSpec, ...], scene: Scene) -> Answer:
    """The least of the metrics' answers, in the words of the one that decided it."""
    if scene.weight == 0:
        return not_applicable(NAME, f"{scene.judged} takes no traffic")
    asked = [spec for spec in specs if is_asked(spec, is_watch=scene.phase is Phase.WATCHING)]
    if not asked:
        return not_applicable(NAME, "no metric is asked for here")
    comparable = [spec for spec in asked if not (scene.weight == ALL and _names_other(spec, scene.judged))]
    if not comparable:
        return not_applicable(NAME, f"{scene.judged.other} takes no traffic to compare with")
    answers = [_judge_one(spec, scene) for spec in comparable]
    for verdict in (Verdict.FAIL, Verdict.HOLD):
        deciding = next((answer for answer in answers if answer.verdict is verdict), None)
        if deciding is not None:
            return deciding
    numbers = dict(pair for answer in answers for pair in answer.numbers)
    return passed(NAME, "; ".join(answer.reason for answer in answers), numbers=numbers)


def _names_other(spec: MetricSpec, judged: Colour) -> bool:
    """True if a query asks for the other colour's group or service, which has no numbers while it has no traffic."""
    return any(
        found[1] == judged.other.value and found[2] in TELLING
        for text in _texts(spec)
        for found in VARIABLE.finditer(text)
    )


def _judge_one(spec: MetricSpec, scene: Scene) -> Answer:
    series = scene.metrics.get(series_of(spec))
    if isinstance(series, Unread):
        return _unread(spec, series)
    final, fresh = _periods(spec, scene)
    if not final or series is None:
        return hold(
            NAME,
            f"{spec.name}: no whole period was measured at this weight yet",
            clears_when=f"{spec.answerer} has one whole period at this weight",
        )
    points = _finite(series)
    run = _run_out_of_bounds(spec, final, points)
    if run is not None:
        return fail(NAME, _out(spec, run, points[run]), numbers={spec.name: points[run]})
    return _of_newest(spec, final, fresh, points)


def _of_newest(
    spec: MetricSpec, final: list[datetime], fresh: list[datetime], points: Mapping[datetime, float]
) -> Answer:
    newest = final[-1]
    odd = next((start for start in fresh if _is_out(spec, points.get(start))), None)
    if odd is not None:
        words = f"{_out(spec, odd, points[odd])}; that period is not final yet"
        return hold(NAME, words, clears_when="that period is final", numbers={spec.name: points[odd]})
    value = points.get(newest)
    if value is None:
        return _no_data(spec, newest)
    if _is_out(spec, value):
        words = f"{_out(spec, newest, value)}; {spec.periods} such periods in a row are a failure"
        return hold(NAME, words, clears_when=f"{spec.name} is within its bounds", numbers={spec.name: value})
    return passed(NAME, f"{spec.name} is {value:g} ({_bounds(spec)})", numbers={spec.name: value})


def _unread(spec: MetricSpec, series: Unread) -> Answer:
    if series.is_refused:
        return hold(
            NAME,
            f"{spec.name}: {series.why}",
            clears_when="somebody rolls back and corrects gates.metric: this query will not be answered",
        )
    return hold(NAME, f"{spec.name} could not be read: {series.why}", clears_when=f"{spec.answerer} answers")


def _no_data(spec: MetricSpec, start: datetime) -> Answer:
    words = f"{spec.name} has no data in the period from {start:%H:%M:%S}Z"
    match spec.no_data:
        case NoData.PASS:
            return passed(NAME, f"{words}, which counts as good")
        case NoData.FAIL:
            return fail(NAME, f"{words}, which counts as bad")
        case NoData.HOLD:
            return hold(NAME, words, clears_when=f"{spec.answerer} has data for {spec.name}")


def _periods(spec: MetricSpec, scene: Scene) -> tuple[list[datetime], list[datetime]]:
    """Starts of the whole periods at this weight, oldest first: those that are final, and those that are not."""
    if scene.serves_since is None:
        return [], []
    period, lag = spec.period or scene.period, spec.lag if spec.lag is not None else scene.lag
    start = window(spec, scene.serves_since, scene.now, period=scene.period, lag=scene.lag)
    ended = [start + n * period for n in range(max(0, (floor_to(scene.now, period) - start) // period))]
    final_until = scene.now - lag
    if spec.is_of_load_balancer and scene.intervals:
        final_until = max(final_until, scene.intervals[-1].start + scene.period)
    final = [one for one in ended if one + period <= final_until]
    return final, ended[len(final) :]


def _finite(series: Series) -> dict[datetime, float]:
    return {start: value for start, value in series if math.isfinite(value)}


def _run_out_of_bounds(
    spec: MetricSpec, final: list[datetime], points: Mapping[datetime, float]
) -> datetime | None:
    """The newest period that ends a run of as many out of bounds as are a failure."""
    found, length = None, 0
    for start in final:
        length = length + 1 if _is_out(spec, points.get(start)) else 0
        if length >= spec.periods:
            found = start
    return found


def _is_out(spec: MetricSpec, value: float | None) -> bool:
    if value is None:
        return False
    is_under = spec.minimum is not None and value < spec.minimum
    return is_under or (spec.maximum is not None and value > spec.maximum)


def out_of_bounds(spec: MetricSpec, series: Series) -> float | None:
    """The newest value of a series, if it is out of bounds."""
    values = list(_finite(series).values())
    return values[-1] if values and _is_out(spec, values[-1]) else None


def _out(spec: MetricSpec, start: datetime, value: float) -> str:
    is_under = spec.minimum is not None and value < spec.minimum
    bound = f"under its min of {spec.minimum:g}" if is_under else f"over its max of {spec.maximum:g}"
    return f"{spec.name} is {value:g} in the period from {start:%H:%M:%S}Z, {bound}"


def _bounds(spec: MetricSpec) -> str:
    bounds = (("min", spec.minimum), ("max", spec.maximum))
    return ", ".join(f"{word} {bound:g}" for word, bound in bounds if bound is not None)


def asks_of_green(spec: MetricSpec) -> bool:
    """True if a query asks for something that is the judged colour's or green's alone."""
    return any(
        found[1] != "blue" and found[2] in TELLING
        for text in _texts(spec)
        for found in VARIABLE.finditer(text)
    )


def _texts(spec: MetricSpec) -> tuple[str, ...]:
    return (spec.query, *(value for one in spec.inputs for _, value in one.dimensions))


METRIC: Gate[tuple[MetricSpec, ...]] = Gate(
    name=NAME,
    usual=(),
    is_on=bool,
    judge=judge,
    needs=needs,
    judges_intervals=True,
    may_fail_in_settling=False,
    settles_when="the metric is within its bounds",
    may_stand_alone=True,
)
