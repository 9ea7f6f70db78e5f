"""Metric math as text: the names in an expression, and counts that a load balancer leaves out when they are zero.

Sources: CloudWatch, "Using math expressions with CloudWatch metrics"; "CloudWatch metrics for your Application Load
Balancer" ("reported only if there is a nonzero value").
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from orchestrator.core.cloud.resources import MetricQuery

# A text in quotes, a number, or a word. Ids begin with a small letter, functions are in capitals.
_PIECE = re.compile(r"\"[^\"]*\"|'[^']*'|\d[\w.]*|[A-Za-z_]\w*", re.ASCII)
_ALONE = re.compile(r"\b(METRICS|SEARCH|SELECT)\b", re.IGNORECASE)
_ID = re.compile(r"[a-z][A-Za-z0-9_]*", re.ASCII)


def is_id(text: str) -> bool:
    """True for what CloudWatch takes as the id of a metric in an expression."""
    return bool(_ID.fullmatch(text))


def ids(expression: str) -> tuple[str, ...]:
    """The ids that an expression names, each once, in order. Not meant for searches and SQL, which name none."""
    return tuple(dict.fromkeys(word for word in _PIECE.findall(expression) if is_id(word)))


def renamed(expression: str, names: Mapping[str, str]) -> str:
    """The expression with its ids called otherwise; texts in quotes stay as they are."""
    return _PIECE.sub(lambda found: names.get(found[0], found[0]), expression)


def looks_around(expression: str) -> bool:
    """True if an expression says something else where other series are asked for in the same call.

    ``METRICS()`` stands for every metric of the call. A call may hold only a few searches and one SQL query.
    """
    return bool(_ALONE.search(_PIECE.sub(lambda found: "" if found[0][0] in "\"'" else found[0], expression)))


def is_absent_when_zero(query: MetricQuery) -> bool:
    """True for a count that a load balancer does not report when it is zero."""
    return (
        query.namespace == "AWS/ApplicationELB"
        and query.stat == "Sum"
        and query.metric.endswith(("_Count", "ErrorCount"))
    )


def zero_where_requests(query: MetricQuery) -> MetricQuery:
    """The same query with its absent counts read as zero in every period that holds requests.

    ``FILL`` does not do that: it has nothing to fill in a series without any datapoint, and it cannot tell no errors
    from no requests. SUM over an array passes over what is missing, so requests times zero stand in.
    """
    if not query.expression or looks_around(query.expression):
        return query
    taken = {one.id for one in query.inputs}
    inputs: list[MetricQuery] = []
    for one in query.inputs:
        if one.expression or not is_absent_when_zero(one):
            inputs.append(one)
            continue
        raw, requests, none = (_free(f"{one.id}_{what}", taken) for what in ("raw", "requests", "none"))
        inputs += [replace(one, id=raw), replace(one, id=requests, metric="RequestCount")]
        inputs.append(MetricQuery(id=none, period=one.period, expression=f"{requests} * 0"))
        inputs.append(MetricQuery(id=one.id, period=one.period, expression=f"SUM([{raw}, {none}])"))
    return replace(query, inputs=tuple(inputs))


def _free(name: str, taken: set[str]) -> str:
    """The name, or one like it that is not taken yet; it is then."""
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def with_dimensions(
    query: MetricQuery, swap: Callable[[tuple[str, str]], tuple[str, str]], reword: Callable[[str], str]
) -> MetricQuery:
    """The same query about something else: each dimension swapped, each expression reworded."""
    return replace(
        query,
        dimensions=tuple(swap(dimension) for dimension in query.dimensions),
        expression=reword(query.expression),
        inputs=tuple(with_dimensions(one, swap, reword) for one in query.inputs),
    )
