"""`drain`: how green's tasks go once it has no weight, in a rollout file."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.config.text.fields import Bake, Count
from orchestrator.config.text.quantities import duration_text
from orchestrator.config.text.yaml_document import Value
from orchestrator.core.rollout.spec import DrainSpec

_DEFAULT = DrainSpec()


class DrainModel(BaseModel):
    """How green's tasks are stopped; connections that live on (WebSocket, HTTP/2) are cut with theirs."""

    model_config = ConfigDict(extra="forbid")

    after: Bake = Field(
        default=_DEFAULT.after,
        description="How long green keeps its tasks after all traffic is on blue, at the least.",
        json_schema_extra={"default": duration_text(_DEFAULT.after)},
    )
    slices: Count = Field(
        default=_DEFAULT.slices,
        description="In so many parts, one after the other, so that not everybody reconnects at once.",
    )
    every: Bake = Field(
        default=_DEFAULT.every,
        description="From one part to the next.",
        json_schema_extra={"default": duration_text(_DEFAULT.every)},
    )


def build_drain(model: DrainModel) -> DrainSpec:
    """The spec that a file's `drain` asks for."""
    return DrainSpec(after=model.after, slices=model.slices, every=model.every)


def drain_document(spec: DrainSpec) -> Mapping[str, Value]:
    """What the file says of it."""
    return {"after": duration_text(spec.after), "slices": spec.slices, "every": duration_text(spec.every)}
