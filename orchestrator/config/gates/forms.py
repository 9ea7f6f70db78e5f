"""The section `gates` of a rollout file, made of every gate's form: its model, what it means, and it written back."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, create_model

from orchestrator.config.gates import alarms, compare, metric, probe, webhook, window
from orchestrator.config.gates.form import Form, Model, made_from_settings
from orchestrator.config.text.yaml_document import Document, Value
from orchestrator.core.domain.errors import Mistake
from orchestrator.core.gates.registry import GATES, GatesSpec

# Of the gates whose file says more than their settings do.
_OWN = (alarms.FORM, compare.FORM, metric.FORM, probe.FORM, webhook.FORM, window.FORM)
_BY_NAME: dict[str, Form[Any]] = {form.gate.name: form for form in _OWN}
# By the field of the gate's settings, in the order of the file.
FORMS = {field: _BY_NAME.get(gate.name) or made_from_settings(gate) for field, gate in GATES.items()}

if TYPE_CHECKING:
    GatesModel = BaseModel  # its keys are the names of the gates, which are known at runtime alone
else:
    GatesModel = create_model(
        "GatesModel",
        __base__=Model,
        __doc__="Which gates judge each step.",
        **{form.gate.name: (form.annotation, form.key) for form in FORMS.values()},
    )


def build_gates(model: BaseModel) -> GatesSpec:
    """The settings that a file means."""
    said = {field: form.build(getattr(model, form.gate.name)) for field, form in FORMS.items()}
    return replace(GatesSpec(), **said)


def gates_document(gates: GatesSpec) -> dict[str, Value]:
    """The section as the file has it, defaults too; a gate that is not asked for may be missing."""
    written = {form.gate.name: form.document(getattr(gates, field)) for field, form in FORMS.items()}
    return {name: value for name, value in written.items() if value is not None}


def gates_mistakes(document: Document) -> Iterator[Mistake]:
    """Mistakes between values, as far as a gate's form knows of them."""
    for form in FORMS.values():
        yield from form.mistakes(document)
