"""The plan `auto` in a rollout file: a name, or a name with parameters of its own."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from orchestrator.config.text.fields import Share, Weight, one_of, reader, refusal
from orchestrator.config.text.quantities import share_text, shown, weight_text
from orchestrator.config.text.yaml_document import Value
from orchestrator.core.domain.plan import AUTO_PLANS, AutoSpec, Plan

_DEFAULT = AutoSpec()
PERIODS_MAX = 1000
REQUESTS_MAX = 1_000_000


def _whole(most: int) -> Any:  # noqa: ANN401 - an annotated type
    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise ValueError(f"{shown(value)} is out of range", f"write a whole number from 1 to {most}")
        return value

    return Annotated[int, reader(read), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": most})]


def _number(least: float, most: float) -> Any:  # noqa: ANN401 - an annotated type
    def read(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise ValueError(f"{shown(value)} is out of range", f"write a number from {least:g} to {most:g}")
        return float(value)

    return Annotated[
        float, reader(read), WithJsonSchema({"type": "number", "minimum": least, "maximum": most})
    ]


def _name(value: object) -> object:
    if isinstance(value, str) and value in AUTO_PLANS:
        return value
    raise refusal(f"{shown(value)} has no parameters", one_of(value, AUTO_PLANS))


Requests: Any = _whole(REQUESTS_MAX)
Periods: Any = _whole(PERIODS_MAX)
Factor: Any = _whole(1000)
Evidence: Any = _number(1, 1_000_000)
AutoName = Annotated[
    str, BeforeValidator(_name), WithJsonSchema({"type": "string", "enum": list(AUTO_PLANS)})
]


class AutoModel(BaseModel):
    """The plan ``auto`` with parameters; those left out are the named plan's. Times are in metric periods."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    name: AutoName = Field(
        default="auto", description="Whose parameters the others are: auto, fast or careful."
    )
    first_requests: Requests | None = Field(
        default=None, description=f"Of green a period at the first weight. auto: {_DEFAULT.first_requests}."
    )
    first_min: Weight | None = Field(default=None, description="The least first weight.", examples=["0.5%"])
    first_max: Weight | None = Field(default=None, description="The largest first weight.", examples=["2%"])
    start_before: Share | None = Field(
        default=None,
        description="A weight below 50 % is written this share of a period before one ends.",
        examples=["50%"],
    )
    requests: Requests | None = Field(
        default=None, description=f"Of green seen at a weight before it is left. auto: {_DEFAULT.requests}."
    )
    factor: Factor | None = Field(
        default=None,
        description=f"The next weight is at most so many times the present one. auto: {_DEFAULT.factor}.",
    )
    budget: Share | None = Field(
        default=None,
        description="Harm that a step may do at worst, as a share of one period's traffic.",
        examples=["30%"],
    )
    bake_max: Periods | None = Field(
        default=None,
        description=f"Periods after which a step is left without more evidence. auto: {_DEFAULT.bake_max}.",
    )
    hesitate_at: Evidence | None = Field(
        default=None,
        description=f"Evidence against green, to 1, at which a step is held on. auto: {_DEFAULT.hesitate_at:g}.",
    )
    hesitate_max: Periods | None = Field(
        default=None, description=f"Periods that it is held on at most. auto: {_DEFAULT.hesitate_max}."
    )
    hold_back: Requests | None = Field(
        default=None,
        description=f"Requests a period that stay on blue during the watch, to compare. auto: {_DEFAULT.hold_back}.",
    )
    hold_back_min: Weight | None = Field(
        default=None, description="The smallest control group.", examples=["1%"]
    )
    hold_back_max: Weight | None = Field(
        default=None, description="The largest control group.", examples=["10%"]
    )
    watch: Periods | None = Field(default=None, description=f"Periods of the watch. auto: {_DEFAULT.watch}.")
    watch_until: Periods | None = Field(
        default=None,
        description=f"Periods since traffic began until which it lasts at least. auto: {_DEFAULT.watch_until}.",
    )


def build_auto(model: AutoModel) -> Plan:
    """The plan that a file means; one that says nothing new is the named one."""
    given = {key: value for key, value in model if key != "name" and value is not None}
    base = AUTO_PLANS[model.name]
    known = {name: getattr(base, name) for name in AutoSpec.__dataclass_fields__}
    return Plan(name=model.name, steps=(), auto=AutoSpec(**{**known, **given}))


def auto_document(plan: Plan) -> Value:
    """The plan as the file has it: its name, and the parameters that are its own."""
    assert plan.auto is not None
    base = AUTO_PLANS[plan.name]
    own = {
        name: _shown(name, getattr(plan.auto, name))
        for name in AutoSpec.__dataclass_fields__
        if getattr(plan.auto, name) != getattr(base, name)
    }
    return {"name": plan.name, **own} if own else plan.name


def _shown(name: str, value: Any) -> Value:  # noqa: ANN401 - a field of AutoSpec
    if name in ("first_min", "first_max", "hold_back_min", "hold_back_max"):
        return weight_text(value)
    return share_text(value) if name in ("start_before", "budget") else value
