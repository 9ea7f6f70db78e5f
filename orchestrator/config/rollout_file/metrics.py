"""The `metrics` of a rollout file: its model, the settings it means, the same written back, and what does not fit.

Where a source is named, its expressions stand beside it, each by the name of what it counts.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from orchestrator.config.text.fields import Lag, Period, near, reader
from orchestrator.config.text.quantities import Periods, duration_text, shown
from orchestrator.config.text.settings_fields import SourceName
from orchestrator.config.text.yaml_document import Document, Value
from orchestrator.core.analysis.metric_sources import COUNTS, NEEDED, OWN_VARIABLES
from orchestrator.core.domain.errors import Mistake
from orchestrator.core.gates.metric import TELLING, VARIABLE, VARIABLES
from orchestrator.core.rollout.spec import MetricsSpec

EXPRESSION_MAX = 4096
DEFAULT_LAG = Periods(count=MetricsSpec().lag // MetricsSpec().period)
_BRACES = re.compile(r"\{([a-z_.0-9]+)\}", re.ASCII)  # a selector of PromQL has = or ~ in it
_TELLING = (*TELLING, "revision")


def _expression(value: object) -> str:
    """An expression of the source; of its language only the variables are known here."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{shown(value)} is no expression", "write it in quotes")
    if len(value) > EXPRESSION_MAX:
        raise ValueError(f"an expression of {len(value)} characters", f"write at most {EXPRESSION_MAX}")
    for found in _BRACES.finditer(value):
        if not VARIABLE.fullmatch(found[0]) and found[1] not in OWN_VARIABLES:
            known = (*VARIABLES, *OWN_VARIABLES)
            meant = near(found[1], known)
            instead = f"did you mean {{{meant}}}?" if meant else f"write one of {', '.join(known)}"
            raise ValueError(f"{shown(found[0])} stands for nothing", instead)
    if not any(f"{{{name}" in value for name in _TELLING):
        names = ", ".join(f"{{{name}}}" for name in _TELLING)
        raise ValueError("the expression says the same of both colours", f"put one of {names} into it")
    return value


Expression = Annotated[
    str, reader(_expression), WithJsonSchema({"type": "string", "maxLength": EXPRESSION_MAX})
]
_EXAMPLE = 'sum(increase(http_requests_total{service="{service}"}[{period}]))'


class MetricsModel(BaseModel):
    """How requests are counted, and how the counts arrive."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    period: Period = Field(
        default=MetricsSpec().period,
        description="Length of one datapoint; polls and waits follow it.",
        json_schema_extra={"default": duration_text(MetricsSpec().period)},
    )
    lag: Lag = Field(
        default=DEFAULT_LAG,
        description="How long a datapoint may take to be final.",
        json_schema_extra={"default": f"{DEFAULT_LAG.count} periods"},
    )
    source: SourceName | None = Field(
        default=None,
        description="A Prometheus server of the server's settings, by its name. "
        "Default: the load balancer's metrics in CloudWatch.",
    )
    requests: Expression | None = Field(
        default=None, description="With a source: a colour's requests in a period.", examples=[_EXAMPLE]
    )
    errors: Expression | None = Field(default=None, description="With a source: those that failed.")
    client_errors: Expression | None = Field(
        default=None, description="With a source: those answered with 4xx. Default: not counted."
    )
    slow: Expression | None = Field(
        default=None, description="With a source: those that took too long. Default: not counted."
    )


def build_counting(metrics: MetricsModel) -> MetricsSpec:
    """The settings that the model means."""
    lag: timedelta | Periods = metrics.lag
    counts = ((name, getattr(metrics, name)) for name in COUNTS)
    return MetricsSpec(
        period=metrics.period,
        lag=metrics.period * lag.count if isinstance(lag, Periods) else lag,
        source=metrics.source or "",
        counts=tuple((name, expression) for name, expression in counts if expression is not None),
    )


def counting_document(spec: MetricsSpec) -> dict[str, Value]:
    """The settings as a rollout file holds them."""
    source: dict[str, Value] = {"source": spec.source, **dict(spec.counts)} if spec.source else {}
    return {"period": duration_text(spec.period), "lag": duration_text(spec.lag), **source}


def counting_relations(document: Document, value: dict[str, Any]) -> Iterator[Mistake]:
    """A source without its expressions, or they without it."""
    metrics = value.get("metrics")
    if not isinstance(metrics, dict):
        return
    given = [name for name in COUNTS if name in metrics]
    if "source" not in metrics and given:
        what = f"metrics.{given[0]}: no source is named that could be asked"
        yield document.mistake(f"/metrics/{given[0]}", what, "write source: the name of a Prometheus server")
    lacking = [name for name in NEEDED if name not in metrics]
    if "source" in metrics and lacking:
        what = f"metrics.source: {' and '.join(lacking)} must be said with it"
        yield document.mistake("/metrics/source", what, f"write {lacking[0]}: '{_EXAMPLE}'")
