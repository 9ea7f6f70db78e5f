"""Counts of the colours from another source than the load balancer's own metrics, such as Prometheus.

The rollout file says how each count is asked for, with variables in place of a colour's names: those of the gate
`metric`, ``{revision}`` (``family:revision`` of the colour's task definition) and ``{period}`` (``60s``). An
expression is evaluated at the end of each whole period and must give that period's count.
"""

from datetime import timedelta

from orchestrator.core.cloud.resources import MetricQuery
from orchestrator.core.gates import metric
from orchestrator.core.gates.scene import Colour, Names
from orchestrator.core.rollout.rollout import Rollout

COUNTS = {
    "requests": "requests",
    "errors": "answers_5xx",
    "client_errors": "answers_4xx",
    "slow": "slow",
}
"""What a file may name, and the field of `Counts` that it fills."""
NEEDED = ("requests", "errors")
OWN_VARIABLES = ("revision", "period")


def queries(row: Rollout, *colours: Colour) -> tuple[MetricQuery, ...]:
    """What these colours' counts are asked by; ids as those of the load balancer's metrics."""
    spec = row.spec.metrics
    names = _names(row)
    return tuple(
        MetricQuery(
            id=f"{colour} 0 {COUNTS[count]}",
            source=spec.source,
            expression=fill_in(expression, row, names, colour),
            stat="Sum",
            period=spec.period,
        )
        for colour in colours
        for count, expression in spec.counts
    )


def fill_in(text: str, row: Rollout, names: Names, colour: Colour) -> str:
    """An expression with one colour's names, revision and the period in place of its variables."""
    text = metric.fill_in(text, names, colour)
    text = text.replace("{period}", f"{row.spec.metrics.period / timedelta(seconds=1):g}s")
    return text.replace("{revision}", _revision(row, colour).rpartition("/")[2])


def _revision(row: Rollout, colour: Colour) -> str:
    if colour is Colour.BLUE:
        return row.blue.former if row.blue is not None else ""
    return row.green.task_definition if row.green is not None else ""


def _names(row: Rollout) -> Names:
    pairs = tuple(pair for pair in row.pairs if pair.green is not None)
    return Names(
        cluster=row.blue.cluster if row.blue is not None else "",
        blue_service=row.blue.name if row.blue is not None else "",
        green_service=row.green.name if row.green is not None else "",
        groups=tuple((pair.blue, pair.green) for pair in pairs if pair.green is not None),
        balancers=tuple(pair.load_balancer for pair in pairs),
    )
