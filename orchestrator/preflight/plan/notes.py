"""What was found, so that a person can see what a rollout would touch and how long it would take."""

import json
from collections.abc import Iterator
from datetime import datetime

from orchestrator.core.cloud.resources import RuleSeen
from orchestrator.core.cloud.survey import Finding, GroupSurvey, Survey
from orchestrator.core.domain.ids import revision_name
from orchestrator.core.domain.plan import percent
from orchestrator.core.domain.text import counted, load_balancer_name, span
from orchestrator.core.rollout.spec import Spec
from orchestrator.core.traffic.discovery import in_scope
from orchestrator.preflight.findings import note
from orchestrator.preflight.timing import PlanRow, plan_table


def look(spec: Spec, survey: Survey, now: datetime) -> Iterator[Finding]:
    """Blue, the revision, the rules and target groups, and the plan's real times."""
    blue = survey.blue
    yield note(
        "blue",
        f"{spec.service.path} in account {_account(spec, survey)}, {survey.region}: "
        f"{counted(blue.desired, 'task')} of {revision_name(blue.task_definition)}",
    )
    if survey.revision is not None:
        yield note("revision", f"green will run {revision_name(survey.revision.arn)}")
    for group in survey.groups:
        yield note("target-group", _group(group))
    for rule in in_scope(spec, survey):
        yield note(
            "rule",
            f"{rule.name} will be moved",
            f"its listener is {rule.listener}{conditions_of(rule)}",
        )
    rows = plan_table(spec, survey.alarms)
    for row in rows:
        yield note("step", _step(row, is_last=row is rows[-1]))
    yield _total(rows, spec, now)
    if spec.one_way:
        yield note(
            "one-way",
            "one_way: once green was started, a failure holds and pages people",
            "what its start does cannot be undone, so only a person sends users back to blue",
        )


def _account(spec: Spec, survey: Survey) -> str:
    return f"{spec.account} ({survey.account})" if spec.account else survey.account


def _group(group: GroupSurvey) -> str:
    names = ", ".join(load_balancer_name(arn) for arn in group.load_balancers) or "no load balancer"
    health = f", {group.targets.healthy} of {group.targets.registered} healthy" if group.targets else ""
    return f"target group {group.name} ({group.container}:{group.port}) on {names}{health}; green gets one like it"


def conditions_of(rule: RuleSeen) -> str:
    """A rule's conditions as people read them: ``, for host-header checkout.example.com``."""
    words = []
    for condition in json.loads(rule.conditions or "[]"):
        configs = [value for key, value in condition.items() if key.endswith("Config")]
        values = condition.get("Values") or [v for config in configs for v in config.get("Values", ())]
        given = condition.get("RegexValues") or [v for c in configs for v in c.get("RegexValues", ())]
        shown = [*map(str, values), *(f"regex {expression}" for expression in given)]
        words.append(f"{condition.get('Field', 'condition')} {' or '.join(shown)}".strip())
    return f", for {' and '.join(words)}" if words else ""


def _step(row: PlanRow, *, is_last: bool) -> str:
    name = "the watch" if is_last else f"step {row.number}"
    wait = (
        f" (its bake is {span(row.bake)}, a measured interval takes longer)" if row.lasts > row.bake else ""
    )
    approval = ", then an approval" if row.approval else ""
    return f"{name}: {percent(row.weight)} for at least {span(row.lasts)}{wait}{approval}"


def _total(rows: tuple[PlanRow, ...], spec: Spec, now: datetime) -> Finding:
    ends = rows[-1].ends
    people = " and the time approvals take" if any(row.approval for row in rows) else ""
    full = rows[-2].ends if len(rows) > 1 else None
    after = "retiring blue" if spec.ending.is_swap else "settling"
    first = f"100 % after {span(full)}, " if full else ""
    return note(
        "expected-time",
        f"{first}the watch over after {span(ends)}, at {now + ends:%Y-%m-%d %H:%M:%S}Z at the earliest",
        f"counted from the first weight: add green's start (at most {span(spec.limits.provision)}), "
        f"up to {span(spec.metrics.period)} a step until a period begins{people}, then {after}",
    )
