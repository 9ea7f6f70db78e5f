"""A Spec written back: canonical text, and what differs between two.

Every value is written, defaults too: a rollout that is running keeps saying what it does when a default changes.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from io import StringIO

from ruamel.yaml import YAML

from orchestrator.config.gates.forms import gates_document
from orchestrator.config.rollout_file.drain import drain_document
from orchestrator.config.rollout_file.ending import ending_document
from orchestrator.config.rollout_file.metrics import counting_document
from orchestrator.config.rollout_file.plan_auto import auto_document
from orchestrator.config.rollout_file.revision import revision_document, task_document
from orchestrator.config.text.quantities import duration_text, weight_text
from orchestrator.config.text.yaml_document import Value
from orchestrator.core.domain.plan import NAMED_PLANS, Plan, Step, named_plan
from orchestrator.core.rollout.spec import Spec

_NOTHING = "nothing"


def dump(spec: Spec) -> str:
    """The canonical rollout file: equal specs give equal texts, and reading the text gives the spec again."""
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = False
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment] # ruamel types it by its default
    writer.width = 10_000  # a long name stays on one line
    out = StringIO()
    writer.dump(document_of(spec), out)
    return out.getvalue()


def differences(was: Spec, now: Spec) -> tuple[str, ...]:
    """What the second says otherwise than the first, each as ``limits.hold: 2h is now 1h``; empty: the same."""
    if not now.override:
        now = replace(now, override=was.override)  # who goes on with a rollout need not say why it was begun
    now = replace(now, is_forced=now.is_forced or was.is_forced)  # nor that they meant it
    if not now.limits.wait_for_blue:  # nor for how long they were ready to wait
        now = replace(now, limits=replace(now.limits, wait_for_blue=was.limits.wait_for_blue))
    old, new = (dict(_flat({**document_of(spec), "plan": _steps(spec.plan)})) for spec in (was, now))
    keys = dict.fromkeys((*old, *new))
    either = replace(
        was,
        service=replace(was.service, account=was.account or now.account),
        region=was.region or now.region,
        labels=was.labels or now.labels,
        notify=now.notify if now.notify.slack else was.notify,
        is_forced=was.is_forced or now.is_forced,
        override=was.override or now.override,
        first_tasks=was.first_tasks or now.first_tasks,
    )
    sections = list(document_of(either))
    return tuple(
        f"{key}: {old.get(key, _NOTHING)} is now {new.get(key, _NOTHING)}"
        for key in sorted(keys, key=lambda key: sections.index(re.split(r"[.[]", key)[0]))
        if old.get(key, _NOTHING) != new.get(key, _NOTHING)
    )


def document_of(spec: Spec) -> dict[str, Value]:
    """The rollout file's values for a spec, as a JSON body holds them."""
    account = {"account": spec.account} if spec.account else {}
    region = {"region": spec.region} if spec.region else {}
    notify: dict[str, Value] = {"notify": {"slack": spec.notify.slack}} if spec.notify.slack else {}
    labels: dict[str, Value] = {"labels": dict(spec.labels)} if spec.labels else {}
    return {
        "service": spec.service.path,
        "revision": dict(revision_document(spec)),
        **account,
        **region,
        "traffic": {
            "rules": _rules(spec.rules),
            **({"test_rules": _rules(spec.test_rules)} if spec.test_rules else {}),
        },
        "plan": _plan(spec.plan, spec.metrics.period),
        "gates": gates_document(spec.gates),
        "metrics": counting_document(spec.metrics),
        "approval": {
            "approvers": list(spec.approval.approvers),
            "required": spec.approval.required,
            "not_author": spec.approval.not_author,
            "timeout": duration_text(spec.approval.timeout),
            "on_timeout": spec.approval.on_timeout.value,
            "when": _when(spec),
        },
        **task_document(spec),
        "drain": dict(drain_document(spec.drain)),
        "limits": {
            "provision": duration_text(spec.limits.provision),
            "hold": duration_text(spec.limits.hold),
            "then": spec.limits.then.value,
            "settle": duration_text(spec.limits.settle),
            "unseen": duration_text(spec.limits.unseen),
            "page_again": duration_text(spec.limits.page_again),
            **_waiting(spec),
        },
        "on_failure": spec.on_failure.value,
        "one_way": spec.one_way,
        "on_drift": spec.on_drift.value,
        "sticky": spec.sticky.value,
        "ending": ending_document(spec.ending),
        **notify,
        **({"force": True} if spec.is_forced else {}),
        **({"override": spec.override} if spec.override else {}),
        **labels,
    }


def _waiting(spec: Spec) -> dict[str, Value]:
    wait = spec.limits.wait_for_blue
    return {"wait_for_blue": duration_text(wait)} if wait else {}


def _rules(arns: tuple[str, ...]) -> list[Value]:
    return [{"listener": arn} if ":listener/" in arn else arn for arn in arns]


def _plan(plan: Plan, period: timedelta) -> Value:
    if plan.auto is not None:
        return auto_document(plan)
    is_named = plan.name in NAMED_PLANS and named_plan(plan.name, period) == plan
    return plan.name if is_named else [_step(step) for step in plan.steps]


def _step(step: Step) -> dict[str, Value]:
    return {"weight": weight_text(step.weight), "bake": duration_text(step.bake), "approval": step.approval}


def _when(spec: Spec) -> list[Value]:
    """What the steps themselves do not say."""
    asked = (("before_traffic", spec.approval.before_traffic), ("before_full", spec.approval.before_full))
    return [word for word, is_asked in asked if is_asked]


def _steps(plan: Plan) -> Value:
    """A plan's steps one by one, also where the file names it, so that two plans can be compared."""
    if plan.auto is not None:
        return auto_document(plan)
    return [_step(step) for step in plan.steps]


def _flat(value: Value, place: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _flat(member, f"{place}.{key}".removeprefix("."))
    elif isinstance(value, list) and value:
        for index, member in enumerate(value):
            yield from _flat(member, f"{place}[{index + 1}]")
    else:
        yield (
            place,
            "nothing" if value == [] else str(value).lower() if isinstance(value, bool) else str(value),
        )
