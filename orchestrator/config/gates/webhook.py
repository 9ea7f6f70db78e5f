"""The `webhook` gate in a rollout file: its model, the settings it means, and the same written back."""

from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import Field, WithJsonSchema

from orchestrator.config.gates.form import Form, Model
from orchestrator.config.gates.urls_and_headers import Headers, Url
from orchestrator.config.text.fields import SomeTime, Text, choice
from orchestrator.config.text.quantities import duration_text, steps_written
from orchestrator.config.text.yaml_document import Document, Value
from orchestrator.core.domain.errors import Mistake
from orchestrator.core.gates.webhook import WEBHOOK, HookWhen, WebhookSpec

HOOKS_MAX = 20
_DEFAULT = WebhookSpec(url="")
HookWhenWord = Annotated[
    HookWhen,
    choice(HookWhen),
    WithJsonSchema({"type": "string", "enum": [word.value for word in HookWhen]}),
]


class WebhookModel(Model):
    """A system of the team's own that is asked."""

    url: Url = Field(description="Where the question goes, as POST.", examples=["https://smoke.example/run"])
    when: HookWhenWord = Field(
        default=_DEFAULT.when,
        description="before_traffic: before users reach green; every_step: at each weight; "
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


def _build(models: Sequence[WebhookModel]) -> tuple[WebhookSpec, ...]:
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


def _document(specs: Sequence[WebhookSpec]) -> Value:
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
    return hooks or None


def _mistakes(document: Document) -> Iterator[Mistake]:
    hooks = document.section("gates").get("webhook")
    plan = document.value.get("plan") if isinstance(document.value, dict) else None
    for number, hook in enumerate(hooks if isinstance(hooks, list) else ()):
        is_before_full = isinstance(hook, dict) and hook.get("when") == HookWhen.BEFORE_FULL.value
        if is_before_full and steps_written(plan) == 1:
            what = "the plan has no step before full weight"
            instead = "write before_traffic, or add a step below 100 %"
            yield document.mistake(f"/gates/webhook/{number}/when", what, instead)


FORM = Form(
    gate=WEBHOOK,
    annotation=list[WebhookModel],
    key=Field(default=[], max_length=HOOKS_MAX, description="Systems that are asked for a verdict."),
    build=_build,
    document=_document,
    mistakes=_mistakes,
)
