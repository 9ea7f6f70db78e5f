"""The `webhook` gate in a rollout file: its model, the settings it means, and the same written back."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from orchestrator.config.gates.urls_and_headers import Headers, Url
from orchestrator.config.text.fields import SomeTime, Text, choice
from orchestrator.config.text.quantities import duration_text
from orchestrator.config.text.yaml_document import Value
from orchestrator.core.gates.webhook import HookWhen, WebhookSpec

HOOKS_MAX = 20
_DEFAULT = WebhookSpec(url="")
HookWhenWord = Annotated[
    HookWhen,
    choice(HookWhen),
    WithJsonSchema({"type": "string", "enum": [word.value for word in HookWhen]}),
]


class WebhookModel(BaseModel):
    """A system of the team's own that is asked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Url = Field(description="Where the question goes, as POST.", examples=["https://smoke.example/run"])
    when: HookWhenWord = Field(
        default=_DEFAULT.when,
        description="before_traffic: before users meet green; every_step: at each weight; "
        "before_full: before the last step of the plan.",
    )
    timeout: SomeTime = Field(
        default=_DEFAULT.timeout,
        description="How long a verdict may take; without one the step is held.",
        json_schema_extra={"default": duration_text(_DEFAULT.timeout)},
    )
    headers: Headers = Field(
        default={},
        description="Headers of every request. They are kept with the rollout and shown: no secrets.",
    )
    secret: Text | None = Field(
        default=None,
        description="Name of a hook in the server's settings, on the same host, whose secret signs. "
        "Default: unsigned.",
    )


def build_webhooks(models: Sequence[WebhookModel]) -> tuple[WebhookSpec, ...]:
    """The settings that a file means."""
    return tuple(
        WebhookSpec(
            url=model.url,
            when=model.when,
            timeout=model.timeout,
            headers=tuple(sorted(model.headers.items())),
            secret=model.secret or "",
        )
        for model in models
    )


def webhooks_document(specs: Sequence[WebhookSpec]) -> dict[str, Value]:
    """The settings as the file has them, defaults too; nothing where nobody is asked."""
    hooks: list[Value] = [
        {
            "url": spec.url,
            "when": spec.when.value,
            "timeout": duration_text(spec.timeout),
            "headers": dict(spec.headers),
            **({"secret": spec.secret} if spec.secret else {}),
        }
        for spec in specs
    ]
    return {"webhook": hooks} if hooks else {}
