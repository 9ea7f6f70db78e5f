"""The `compare` gate in a rollout file: its model, the settings it means, and the same written back."""

from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Discriminator, Field, Tag, WithJsonSchema

from orchestrator.config.gates.form import Form, Model
from orchestrator.config.text.fields import Flag, Share, SomeTime, choice, one_word, reader, refusal
from orchestrator.config.text.quantities import duration_text, share_text, shown
from orchestrator.config.text.variants import OnOff, Sorted, word_or_many
from orchestrator.config.text.yaml_document import Value
from orchestrator.core.gates.compare import COMPARE, CompareSpec, Inconclusive, StreamSpec
from orchestrator.core.gates.gathered import StreamName

MARGIN_MAX = 10.0
_DEFAULT = CompareSpec()
_MARGIN = StreamSpec(name=StreamName.ERRORS).margin


def _number(value: object, *, least: float, most: float, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ValueError(f"{shown(value)} is no {what}", f"write a number from {least:g} to {most:g}")
    return float(value)


def _margin(value: object) -> float:
    return _number(value, least=1, most=MARGIN_MAX, what="margin: green may be so many times as bad as blue")


def _bound(value: object) -> float:
    found = _number(value, least=1, most=100, what="bound")
    if found == 1:
        raise ValueError("not worse than once as bad can never be shown", "write more than 1, such as 2")
    return found


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 1_000_000:
        raise ValueError(f"{shown(value)} is no whole number", "write a whole number from 0 to 1000000")
    return value


Margin = Annotated[
    float, reader(_margin), WithJsonSchema({"type": "number", "minimum": 1, "maximum": MARGIN_MAX})
]
Bound = Annotated[
    float, reader(_bound), WithJsonSchema({"type": "number", "exclusiveMinimum": 1, "maximum": 100})
]
Whole = Annotated[
    int, reader(_whole), WithJsonSchema({"type": "integer", "minimum": 0, "maximum": 1_000_000})
]
InconclusiveWord = Annotated[Inconclusive, choice(Inconclusive), one_word(Inconclusive)]


MARGIN_IS = "How many times as bad as blue green may be before it counts as worse."


class StreamModel(Model):
    """One kind of harm that is counted."""

    margin: Margin = Field(default=_MARGIN, description=MARGIN_IS)


class SlowModel(StreamModel):
    """Slow requests."""

    over: SomeTime = Field(description="A request that takes longer is slow.", examples=["800ms"])


def _stream(value: Any) -> object:  # noqa: ANN401 - pydantic hands over what the file holds
    """``true``/``on`` is a stream with its defaults, ``false``/``off`` none."""
    if value is None:  # a key with nothing behind it must not switch a stream off
        raise refusal("nothing is neither on nor off", "write on, off, or {margin: …}")
    if value in (True, "on"):
        return {}
    return None if value in (False, "off") else value


Stream = Annotated[
    StreamModel | None,
    BeforeValidator(_stream),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "boolean"},
                {"enum": ["on", "off"]},
                {
                    "type": "object",
                    "properties": {
                        "margin": {
                            "type": "number",
                            "minimum": 1,
                            "maximum": MARGIN_MAX,
                            "description": MARGIN_IS,
                        }
                    },
                    "additionalProperties": False,
                },
            ]
        }
    ),
]


class CompareModel(Model):
    """The sequential comparison of green with blue."""

    errors: Stream = Field(
        default=StreamModel(),
        description="Answers 5xx of targets, and failed connections.",
        json_schema_extra={"default": True},
    )
    unanswered: Stream = Field(
        default=StreamModel(),
        description="Requests that no target answered.",
        json_schema_extra={"default": True},
    )
    client_errors: Stream = Field(
        default=StreamModel(),
        description="Answers 4xx: where authentication breaks, it shows here alone.",
        json_schema_extra={"default": True},
    )
    slow: SlowModel | None = Field(default=None, description="Slow requests. Default: not compared.")
    alpha: Share = Field(
        default=_DEFAULT.alpha,
        description="The chance that a good rollout fails, over all its looks and streams.",
        json_schema_extra={"default": share_text(_DEFAULT.alpha)},
    )
    beta: Share = Field(
        default=_DEFAULT.beta,
        description="The chance that green is called not worse though it is.",
        json_schema_extra={"default": share_text(_DEFAULT.beta)},
    )
    not_worse_than: Bound = Field(
        default=_DEFAULT.not_worse_than, description="What is shown: green is not so many times as bad."
    )
    max_errors: Share | None = Field(
        default=None,
        description="An error rate below which green is good whatever blue does. Default: none.",
        examples=["0.5%"],
    )
    requests: Whole = Field(
        default=_DEFAULT.requests, description="Of green at a weight, before it can be shown not to be worse."
    )
    warm_up: Whole = Field(
        default=_DEFAULT.warm_up,
        description="Whole periods of green's first traffic that are not compared.",
    )
    inconclusive: InconclusiveWord = Field(
        default=_DEFAULT.inconclusive,
        description="What a step is worth that shows neither: pass once its time is over, or hold.",
    )

    intervene: Flag = Field(
        default=_DEFAULT.intervene,
        description="True: where blue goes bad soon after green grew, green goes back to see whether blue recovers.",
    )


def _build(model: CompareModel | bool) -> CompareSpec:
    if isinstance(model, bool):
        return CompareSpec(on=model)
    named = (
        (StreamName.ERRORS, model.errors),
        (StreamName.UNANSWERED, model.unanswered),
        (StreamName.CLIENT_ERRORS, model.client_errors),
        (StreamName.SLOW, model.slow),
    )
    streams = tuple(
        StreamSpec(
            name=name,
            margin=stream.margin,
            over=stream.over if isinstance(stream, SlowModel) else timedelta(0),
        )
        for name, stream in named
        if stream is not None
    )
    return CompareSpec(
        on=bool(streams),
        streams=streams,
        alpha=model.alpha,
        beta=model.beta,
        not_worse_than=model.not_worse_than,
        p_max=model.max_errors,
        requests=model.requests,
        warm_up=model.warm_up,
        inconclusive=model.inconclusive,
        intervene=model.intervene,
    )


def _document(spec: CompareSpec) -> Value:
    if not spec.on:
        return "off"
    streams: dict[str, Value] = {name.value: False for name in StreamName if name is not StreamName.SLOW}
    for stream in spec.streams:
        over = {"over": duration_text(stream.over)} if stream.name is StreamName.SLOW else {}
        streams[stream.name.value] = {**over, "margin": stream.margin}
    return {
        **streams,
        "alpha": share_text(spec.alpha),
        "beta": share_text(spec.beta),
        "not_worse_than": spec.not_worse_than,
        **({"max_errors": share_text(spec.p_max)} if spec.p_max is not None else {}),
        "requests": spec.requests,
        "warm_up": spec.warm_up,
        "inconclusive": spec.inconclusive.value,
        "intervene": spec.intervene,
    }


FORM = Form(
    gate=COMPARE,
    annotation=Annotated[
        Annotated[OnOff, Tag(Sorted.WORD)] | Annotated[CompareModel, Tag(Sorted.MANY)],
        Discriminator(word_or_many),
    ],
    key=Field(
        default=_DEFAULT.on,
        description="Green's errors against blue's, with a stated rate of false failures.",
    ),
    build=_build,
    document=_document,
)
