"""A checked rollout file as the core's values."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from orchestrator.config.gates.forms import build_gates
from orchestrator.config.rollout_file.drain import build_drain
from orchestrator.config.rollout_file.ending import build_ending
from orchestrator.config.rollout_file.metrics import build_counting
from orchestrator.config.rollout_file.models import (
    ApprovalModel,
    File,
    ListenerModel,
    When,
)
from orchestrator.config.rollout_file.plan_auto import AutoModel, build_auto
from orchestrator.core.domain.plan import NAMED_PLANS, Plan, Step, named_plan
from orchestrator.core.rollout.spec import ApprovalSpec, Limits, NotifySpec, Spec


def build(file: File) -> Spec:
    """The Spec that a file asks for. Plans that say the same as a named one bear its name."""
    return Spec(
        service=replace(file.service, account=file.account or ""),
        task_definition=file.revision.task_definition or "",
        images=tuple(sorted((file.revision.images or {}).items())),
        colour_variable=file.revision.colour_variable or "",
        background=file.background,
        capacity=file.capacity.green,
        discovery=file.discovery,
        first_tasks=file.first_deployment.tasks if file.first_deployment else 0,
        region=file.region or "",
        plan=_plan(file),
        rules=_arns(file.traffic.rules),
        test_rules=_arns(file.traffic.test_rules),
        gates=build_gates(file.gates),
        metrics=build_counting(file.metrics),
        approval=_approval(file.approval, is_auto=_plan(file).auto is not None),
        limits=Limits(
            provision=file.limits.provision,
            hold=file.limits.hold,
            then=file.limits.then,
            settle=file.limits.settle,
            unseen=file.limits.unseen,
            page_again=file.limits.page_again,
            wait_for_blue=file.limits.wait_for_blue or timedelta(0),
        ),
        on_failure=file.on_failure,
        one_way=file.one_way,
        drain=build_drain(file.drain),
        on_drift=file.on_drift,
        sticky=file.sticky,
        ending=build_ending(file.ending),
        labels=tuple(sorted(file.labels.items())),
        notify=NotifySpec(slack=file.notify.slack or ""),
        is_forced=file.force,
        override=file.override or "",
    )


def _arns(rules: Sequence[str | ListenerModel]) -> tuple[str, ...]:
    return tuple(rule.listener if isinstance(rule, ListenerModel) else rule for rule in rules)


def _plan(file: File) -> Plan:
    period = file.metrics.period
    named = [named_plan(name, period) for name in NAMED_PLANS]
    if isinstance(file.plan, AutoModel):
        return build_auto(file.plan)
    if isinstance(file.plan, str) and NAMED_PLANS[file.plan].auto is not None:
        return NAMED_PLANS[file.plan]
    if isinstance(file.plan, str):
        steps = named_plan(file.plan, period).steps
    else:
        steps = tuple(Step(weight=s.weight, bake=s.bake, approval=s.approval) for s in file.plan)
    waiting = _waiting(file.approval, len(steps))
    steps = tuple(replace(step, approval=step.approval or i in waiting) for i, step in enumerate(steps))
    return next(
        (plan for plan in named if plan.auto is None and plan.steps == steps),
        Plan(name="custom", steps=steps),
    )


def _waiting(approval: ApprovalModel, steps: int) -> frozenset[int]:
    """Indices of the steps that ``approval.when`` makes wait before they are left."""
    if When.EVERY_STEP in approval.when:
        return frozenset(range(steps - 1))
    return frozenset({steps - 2} if When.BEFORE_FULL in approval.when else ())


def _approval(approval: ApprovalModel, *, is_auto: bool) -> ApprovalSpec:
    return ApprovalSpec(
        approvers=tuple(approval.approvers),
        required=approval.required,
        not_author=approval.not_author,
        timeout=approval.timeout,
        on_timeout=approval.on_timeout,
        before_full=is_auto and When.BEFORE_FULL in approval.when,  # else a step says it
        before_traffic=When.BEFORE_TRAFFIC in approval.when,
    )
