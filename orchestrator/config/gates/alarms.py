"""The `alarms` gate in a rollout file: its model, the settings it means, and the same written back."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Discriminator, Field, Tag

from orchestrator.config.gates.form import Form, Model
from orchestrator.config.text.fields import NoDataWord, Text
from orchestrator.config.text.variants import Sorted, word_or_many
from orchestrator.config.text.yaml_document import Value
from orchestrator.core.gates.alarms import ALARMS, AlarmSpec, AlarmsSpec


class AlarmModel(Model):
    """One CloudWatch alarm."""

    name: Text = Field(description="The alarm's name.", examples=["checkout-5xx"])
    no_data: NoDataWord | None = Field(
        default=None,
        description="What silence means. Default: as the alarm's own missing-data treatment says.",
    )


def _build(models: Sequence[str | AlarmModel]) -> AlarmsSpec:
    return AlarmsSpec(
        alarms=tuple(
            AlarmSpec(name=alarm.name, no_data=alarm.no_data)
            if isinstance(alarm, AlarmModel)
            else AlarmSpec(name=alarm)
            for alarm in models
        )
    )


def _document(spec: AlarmsSpec) -> Value:
    return [_alarm(alarm) for alarm in spec.alarms]


def _alarm(alarm: AlarmSpec) -> Value:
    return {"name": alarm.name, "no_data": alarm.no_data.value} if alarm.no_data else alarm.name


FORM = Form(
    gate=ALARMS,
    annotation=list[
        Annotated[
            Annotated[Text, Tag(Sorted.WORD)] | Annotated[AlarmModel, Tag(Sorted.MANY)],
            Discriminator(word_or_many),
        ]
    ],
    key=Field(default=[], description="CloudWatch alarms by name.", examples=[["checkout-5xx"]]),
    build=_build,
    document=_document,
)
