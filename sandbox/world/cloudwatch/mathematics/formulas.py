"""A set of queries, each a metric or an expression over the others, and what they come to."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from typing import assert_never

from sandbox.world.cloudwatch.mathematics import syntax
from sandbox.world.cloudwatch.mathematics.functions import ELSEWHERE, Window, call
from sandbox.world.cloudwatch.mathematics.syntax import BadExpression
from sandbox.world.cloudwatch.mathematics.values import OPERATORS, Series, Value, combine, each
from sandbox.world.cloudwatch.sources import Sources
from sandbox.world.kernel.errors import AwsRefusal, Json, not_here
from sandbox.world.kernel.kernel import Kernel

DROPPED = {
    "Code": "ArithmeticError",
    "Value": "One or more data-points have been dropped due to non-numeric values (NaN, -Infinite, +Infinite)",
}
_FAILED = {"Code": "InternalError", "Value": "An internal error occurred while the metric was read"}
_WORDS = frozenset(("REPEAT", "LINEAR"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one query came to: one series, or several for an array."""

    series: tuple[Series, ...]
    status: str  # Complete, PartialData, InternalError
    messages: tuple[Json, ...] = ()


@dataclass(slots=True)
class Formulas:
    """Queries that refer to each other by their ids, checked. Raises AwsRefusal when it is made of bad ones."""

    kernel: Kernel
    sources: Sources
    queries: list[Json]
    _trees: dict[str, syntax.Node] = field(default_factory=dict)
    _by_id: dict[str, Json] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._by_id = {query["Id"]: query for query in self.queries}
        for query in self.queries:
            if "Expression" in query:
                self._trees[query["Id"]] = self._tree(query)
            else:
                self.sources.check(query["MetricStat"])
        for name in self._trees:
            self._check_circle(name, ())

    def period(self, name: str) -> int:
        """The period of a query: its metric's, or the longest of those that its expression uses.

        Raises AwsRefusal where an expression uses metrics of different periods: what CloudWatch makes of them is
        not in this World.
        """
        query = self._by_id[name]
        if "MetricStat" in query:
            return int(query["MetricStat"]["Period"])
        used = {self.period(other) for other in self._used(name)}
        if len(used) > 1:
            raise not_here(f"metrics of different periods in one expression ({query['Expression']})")
        return used.pop() if used else int(query.get("Period", 60))

    def outcome(self, name: str, start: datetime, end: datetime) -> Outcome:
        """What a query comes to over the periods that begin in [start, end). Raises AwsRefusal."""
        query = self._by_id[name]
        evaluation = _Evaluation(self, start, min(end, self.kernel.now), self.period(name))
        if "MetricStat" in query:
            value: Value = evaluation.metric(name)
        else:
            value = self._guarded(name, lambda: evaluation.value(self._trees[name]))
        if isinstance(value, float):
            raise not_here(
                f"a scalar as the result of {query['Expression']}; TIME_SERIES makes a time series of it, and it"
            )
        series = (value,) if isinstance(value, Series) else value
        return _told(series)

    def _guarded(self, name: str, work: Callable[[], Value]) -> Value:
        try:
            return work()
        except BadExpression as bad:
            raise _refusal(name, bad) from bad

    def _tree(self, query: Json) -> syntax.Node:
        text: str = query["Expression"]
        if text.lstrip().upper().startswith("SELECT "):
            raise not_here(f"Metrics Insights ({text})")
        if text.lstrip().startswith("SEARCH"):
            raise not_here(f"SEARCH ({text})")
        try:
            tree = syntax.parse(text)
            _check_functions(tree)
        except BadExpression as bad:
            raise _refusal(query["Id"], bad) from bad
        unknown = sorted(syntax.names(tree) - self._by_id.keys() - _WORDS)
        if unknown:
            raise _refusal(query["Id"], BadExpression(f"Undefined variable {', '.join(unknown)}"))
        return tree

    def _used(self, name: str) -> set[str]:
        """The queries that an expression refers to, METRICS among them."""
        tree = self._trees[name]
        used = syntax.names(tree) & self._by_id.keys()
        return used | {found for text in _subsets(tree) for found in self.metric_ids(text)}

    def metric_ids(self, containing: str) -> list[str]:
        """What METRICS means: the queries for metrics, no expressions, whose id has this in it."""
        return [query["Id"] for query in self.queries if "MetricStat" in query and containing in query["Id"]]

    def _check_circle(self, name: str, above: tuple[str, ...]) -> None:
        if name in above:
            raise _refusal(name, BadExpression("The expression refers to itself"))
        for used in self._used(name):
            if used in self._trees:
                self._check_circle(used, (*above, name))

    def tree(self, name: str) -> syntax.Node | None:
        """The tree of an expression; None for a metric."""
        return self._trees.get(name)

    def query(self, name: str) -> Json:
        """A query by its id."""
        return self._by_id[name]


@dataclass(slots=True)
class _Evaluation:
    """One expression over one window; what it uses is worked out once."""

    formulas: Formulas
    start: datetime
    end: datetime
    period: int
    _known: dict[str, Value] = field(default_factory=dict)

    def metric(self, name: str) -> Series:
        query = self.formulas.query(name)
        stat = query["MetricStat"]
        reading = self.formulas.sources.read(stat, self.start, self.end)
        return Series(
            points=reading.points,
            label=query.get("Label", stat["Metric"]["MetricName"]),
            period=stat["Period"],
            trouble=frozenset((reading.trouble,)) if reading.trouble else frozenset(),
        )

    def value(self, tree: syntax.Node) -> Value:
        match tree:
            case syntax.Number(value=number):
                return number
            case syntax.Name(value=name):
                return self._named(name)
            case syntax.Negative(of=inner):
                return each(self.value(inner), lambda number: -number)
            case syntax.Binary(operator=operator, left=left, right=right):
                return combine(self.value(left), self.value(right), OPERATORS[operator])
            case syntax.Array(items=items):
                return self._array(items)
            case syntax.Call(function="METRICS", arguments=arguments):
                return tuple(self.metric(name) for name in self.formulas.metric_ids(_subset(arguments)))
            case syntax.Call(function=function, arguments=arguments):
                window = Window(start=self.start, end=self.end, period=self.period)
                return call(function, tuple(self._argument(argument) for argument in arguments), window)
            case syntax.Text(value=text):
                raise BadExpression(f"The text {text!r} stands where a number or a time series is wanted")
            case never:
                assert_never(never)

    def _named(self, name: str) -> Value:
        if name in _WORDS:
            raise BadExpression(f"{name} stands where a number or a time series is wanted")
        if name not in self._known:
            tree = self.formulas.tree(name)
            self._known[name] = self.metric(name) if tree is None else self.value(tree)
        return self._known[name]

    def _array(self, items: tuple[syntax.Node, ...]) -> Value:
        series: list[Series] = []
        for item in items:
            value = self.value(item)
            if isinstance(value, float):
                raise BadExpression("An array holds time series, no scalars")
            series.extend((value,) if isinstance(value, Series) else value)
        return tuple(series)

    def _argument(self, tree: syntax.Node) -> Value | str:
        match tree:
            case syntax.Name(value=word) if word in _WORDS:
                return word
            case syntax.Text(value=text):
                return text
        return self.value(tree)


def _told(series: tuple[Series, ...]) -> Outcome:
    """The outcome, without what is no number."""
    kept = tuple(one.of({at: n for at, n in one.points.items() if isfinite(n)}) for one in series)
    dropped = any(len(a.points) < len(b.points) for a, b in zip(kept, series, strict=True))
    troubles = {name for one in series for name in one.trouble}
    if "failed" in troubles:
        empty = tuple(one.of({}) for one in series)
        return Outcome(series=empty, status="InternalError", messages=(_FAILED,))
    status = "PartialData" if troubles else "Complete"
    return Outcome(series=kept, status=status, messages=(DROPPED,) if dropped else ())


def _refusal(name: str, bad: BadExpression) -> AwsRefusal:
    return AwsRefusal("ValidationError", f"Error in expression '{name}': {bad}")


def _subset(arguments: tuple[syntax.Node, ...]) -> str:
    match arguments:
        case ():
            return ""
        case (syntax.Text(value=text),):
            return text
    raise BadExpression("The function METRICS takes nothing, or one text in quotes")


def _subsets(tree: syntax.Node) -> set[str]:
    """The arguments of every METRICS in a tree."""
    match tree:
        case syntax.Call(function="METRICS", arguments=arguments):
            return {_subset(arguments)}
        case syntax.Call(arguments=inner) | syntax.Array(items=inner):
            return {text for node in inner for text in _subsets(node)}
        case syntax.Negative(of=one):
            return _subsets(one)
        case syntax.Binary(left=left, right=right):
            return _subsets(left) | _subsets(right)
    return set()


_KNOWN = ELSEWHERE | {
    *("SUM", "AVG", "MIN", "MAX", "STDDEV", "DATAPOINT_COUNT", "ABS", "CEIL", "FLOOR", "FILL", "IF", "RATE"),
    *("DIFF", "RUNNING_SUM", "PERIOD", "TIME_SERIES", "METRICS"),
}


def _check_functions(tree: syntax.Node) -> None:
    """Refuse functions that CloudWatch does not know, and those that the World does not."""
    match tree:
        case syntax.Call(function=function, arguments=arguments):
            if function not in _KNOWN:
                raise BadExpression(f"Unknown function {function}")
            if function in ELSEWHERE:
                raise not_here(f"the function {function} of metric math")
            if function == "METRICS":
                _subset(arguments)
            for argument in arguments:
                _check_functions(argument)
        case syntax.Array(items=items):
            for item in items:
                _check_functions(item)
        case syntax.Negative(of=one):
            _check_functions(one)
        case syntax.Binary(left=left, right=right):
            _check_functions(left)
            _check_functions(right)
