"""The `metric` gate in a rollout file: its model, the settings it means, and the same written back."""

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, WithJsonSchema

from orchestrator.config.gates.form import Form, Model
from orchestrator.config.text.fields import (
    NoDataWord,
    Period,
    SomeTime,
    Text,
    choice,
    near,
    one_word,
    reader,
    written_as,
)
from orchestrator.config.text.quantities import duration_text, shown
from orchestrator.config.text.settings_fields import SourceName
from orchestrator.config.text.yaml_document import Document, Value
from orchestrator.core.cloud.metric_math import ids, is_id, looks_around
from orchestrator.core.domain.errors import Mistake
from orchestrator.core.gates.metric import (
    LOAD_BALANCER,
    METRIC,
    VARIABLE,
    VARIABLES,
    Applies,
    MetricInput,
    MetricSpec,
)

METRICS_MAX = 20
INPUTS_MAX = 20
PERIODS_MAX = 10
QUERY_MAX = 2048  # characters: CloudWatch's own limit
_DEFAULT = MetricSpec(name="")
# What a metric of AWS's own is told apart by, where the file does not say; the names are the judged colour's.
_OWN_DIMENSIONS = {
    LOAD_BALANCER: (("LoadBalancer", "{load_balancer}"), ("TargetGroup", "{target_group}")),
    "AWS/ECS": (("ClusterName", "{cluster}"), ("ServiceName", "{service}")),
    "ECS/ContainerInsights": (("ClusterName", "{cluster}"), ("ServiceName", "{service}")),
}
_NUMBER = r"\d+(\.\d+)?"
_RANGE = rf"\((?:{_NUMBER}%?)?:(?:{_NUMBER}%?)?\)"
_STAT = re.compile(
    rf"Sum|Average|Minimum|Maximum|SampleCount|IQM|(p|tm|wm|tc|ts){_NUMBER}|(TM|WM|TC|TS|PR){_RANGE}",
    re.ASCII,
)
_BRACES = re.compile(r"\{([a-z_.0-9]+)\}", re.ASCII)


def _stat(value: object) -> str:
    if isinstance(value, str) and _STAT.fullmatch(value):
        return value
    raise ValueError(
        f"{shown(value)} is no statistic of CloudWatch",
        "write Sum, Average, Minimum, Maximum, p99 or another",
    )


def _bound(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{shown(value)} is no number", "write a number, in the metric's own unit")
    return float(value)


def _periods(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= PERIODS_MAX:
        raise ValueError(f"{shown(value)} is no number of periods", f"write 1 to {PERIODS_MAX}")
    return value


def _words(value: object) -> str:
    """A text with variables; one that was probably meant to be a variable and is none is a mistake."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{shown(value)} is no text", "write it in quotes")
    if len(value) > QUERY_MAX:
        raise ValueError(f"a text of {len(value)} characters", f"write at most {QUERY_MAX}")
    for found in _BRACES.finditer(value):
        if VARIABLE.fullmatch(found[0]):
            continue
        colour, dot, rest = found[1].partition(".")
        word = rest if dot and colour in ("blue", "green") else colour
        meant = near(word, VARIABLES)
        if meant or (dot and colour in ("blue", "green")):
            instead = f"did you mean {{{meant}}}?" if meant else f"write one of {', '.join(VARIABLES)}"
            raise ValueError(f"{shown(found[0])} stands for nothing", instead)
    return value


Stat = Annotated[str, reader(_stat), written_as(r"\S+", "Sum", "p99", "TM(10%:90%)")]
Bound = Annotated[float, reader(_bound), WithJsonSchema({"type": "number"})]
Count = Annotated[
    int, reader(_periods), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": PERIODS_MAX})
]
Words = Annotated[str, reader(_words), WithJsonSchema({"type": "string"})]
AppliesWord = Annotated[Applies, choice(Applies), one_word(Applies)]


class InputModel(Model):
    """One metric of a query."""

    metric: Words = Field(description="The metric's name.", examples=["HTTPCode_Target_5XX_Count"])
    stat: Stat = Field(description="Its statistic: a count is summed, a time is a percentile.")
    namespace: Words = Field(default=LOAD_BALANCER, description="Whose metric it is.")
    dimensions: dict[Text, Words] | None = Field(
        default=None,
        description="What tells it apart. Default: the judged colour's, for metrics of load balancers and of ECS; "
        "none for others.",
        examples=[{"LoadBalancer": "{load_balancer}", "TargetGroup": "{target_group}"}],
    )


class MetricModel(Model):
    """One number and its bounds."""

    name: Text = Field(description="What people call it.", examples=["queue depth"])
    query: Words | None = Field(
        default=None,
        description="Metric math over `metrics`, or a search or SQL that stands by itself. "
        "Default: the only one of `metrics`.",
        examples=["e / r * 100"],
    )
    metrics: dict[Text, InputModel] = Field(
        default={},
        max_length=INPUTS_MAX,
        description="The metrics that the query names, by the ids it names them by.",
    )
    source: SourceName | None = Field(
        default=None,
        description="A Prometheus server of the server's settings, in whose language `query` is. Default: CloudWatch.",
    )
    min: Bound | None = Field(default=None, description="Below it is a failure. Default: none.")
    max: Bound | None = Field(default=None, description="Above it is a failure. Default: none.")
    periods: Count = Field(
        default=_DEFAULT.periods, description="So many periods in a row out of bounds are a failure."
    )
    period: Period | None = Field(
        default=None, description="Length of one datapoint. Default: `metrics.period`."
    )
    lag: SomeTime | None = Field(
        default=None, description="How long a datapoint may take to be final. Default: `metrics.lag`."
    )
    no_data: NoDataWord = Field(default=_DEFAULT.no_data, description="What a period without data means.")
    applies: AppliesWord = Field(
        default=_DEFAULT.applies,
        description="While green's weight is to grow, at the last weight, or always.",
    )


def _build(model: MetricModel) -> MetricSpec:
    return MetricSpec(
        name=model.name,
        query=model.query or "",
        inputs=tuple(_input(name, one) for name, one in model.metrics.items()),
        minimum=model.min,
        maximum=model.max,
        periods=model.periods,
        period=model.period,
        lag=model.lag,
        no_data=model.no_data,
        applies=model.applies,
        source=model.source or "",
    )


def _input(name: str, model: InputModel) -> MetricInput:
    own = _OWN_DIMENSIONS.get(model.namespace, ())
    return MetricInput(
        id=name,
        metric=model.metric,
        stat=model.stat,
        namespace=model.namespace,
        dimensions=tuple(model.dimensions.items()) if model.dimensions is not None else own,
    )


def _document(spec: MetricSpec) -> Value:
    inputs: dict[str, Value] = {
        one.id: {
            "metric": one.metric,
            "stat": one.stat,
            "namespace": one.namespace,
            "dimensions": dict(one.dimensions),
        }
        for one in spec.inputs
    }
    return {
        "name": spec.name,
        **({"source": spec.source} if spec.source else {}),
        **({"query": spec.query} if spec.query else {}),
        **({"metrics": inputs} if inputs else {}),
        **({"min": spec.minimum} if spec.minimum is not None else {}),
        **({"max": spec.maximum} if spec.maximum is not None else {}),
        "periods": spec.periods,
        **({"period": duration_text(spec.period)} if spec.period is not None else {}),
        **({"lag": duration_text(spec.lag)} if spec.lag is not None else {}),
        "no_data": spec.no_data.value,
        "applies": spec.applies.value,
    }


# mistakes between values -------------------------------------------------------------------------------------------


def _mistakes(document: Document) -> Iterator[Mistake]:
    listed = document.section("gates").get("metric")
    names: set[str] = set()
    for index, entry in enumerate(listed if isinstance(listed, list) else ()):
        if not isinstance(entry, dict):
            continue
        place, what = f"/gates/metric/{index}", f"gates.metric[{index + 1}]"
        yield from _bounds(document, entry, place, what)
        yield from _query(document, entry, place, what)
        name = entry.get("name")
        if isinstance(name, str) and name in names:
            yield document.mistake(
                f"{place}/name", f"{what}: a second metric named {shown(name)}", "name it apart"
            )
        names |= {name} if isinstance(name, str) else set()


def _bounds(document: Document, entry: dict[str, Value], place: str, what: str) -> Iterator[Mistake]:
    least, most = entry.get("min"), entry.get("max")
    if least is None and most is None:
        yield document.mistake(place, f"{what} has no bounds", "write min, max or both")
    elif isinstance(least, int | float) and isinstance(most, int | float) and least > most:
        yield document.mistake(f"{place}/min", f"{what}: a min over its max", "write a lower min")


def _query(document: Document, entry: dict[str, Value], place: str, what: str) -> Iterator[Mistake]:
    query, listed = entry.get("query"), entry.get("metrics", {})
    if not isinstance(listed, dict):
        return
    if "source" in entry:
        if query is None or listed:
            instead = "write it whole as query, and no metrics"
            yield document.mistake(place, f"{what}: a source is asked by one expression", instead)
        return
    names = [name for name in listed if isinstance(name, str)]
    for name in names:
        if not is_id(name):
            yield document.mistake(
                f"{place}/metrics/{name}",
                f"{what}: {shown(name)} cannot be an id",
                "begin with a small letter, then letters, digits and _",
            )
    if query is None and len(names) != 1:
        instead = "write query: …, or a single one of metrics" if names else "write query, metrics or both"
        yield document.mistake(place, f"{what} does not say what is judged", instead)
    if not isinstance(query, str) or looks_around(query):
        return
    used = ids(_BRACES.sub("", query))
    for name in used:
        if name not in names:
            meant = near(name, names)
            instead = (
                f"did you mean {meant}?" if meant else f"write it under metrics: {{{name}: {{metric: …}}}}"
            )
            yield document.mistake(
                f"{place}/query", f"{what}: the query names {name}, which is not there", instead
            )
    for name in names:
        if name not in used and is_id(name):
            yield document.mistake(
                f"{place}/metrics/{name}", f"{what}: the query does not name {name}", "remove it, or use it"
            )


FORM = Form(
    gate=METRIC,
    annotation=list[MetricModel],
    key=Field(
        default=[], max_length=METRICS_MAX, description="Numbers of the team's own, by any CloudWatch query."
    ),
    build=lambda models: tuple(_build(model) for model in models),
    document=lambda specs: [_document(spec) for spec in specs] or None,
    mistakes=_mistakes,
)
