"""The first rollout file of a service: which gates, which plan and why, from what runs. Pure: nothing is read here.

Where there is a choice it is made the careful way, and the remark beside it says which one and why; what could be
written instead stands there too. Nothing is proposed that was not seen.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from orchestrator.core.analysis.detectable_regression import Load, foresee, words_of
from orchestrator.core.cloud.definition_differences import Difference
from orchestrator.core.cloud.forward_action import cookie_life
from orchestrator.core.cloud.resources import Absent, AlarmSeen
from orchestrator.core.cloud.survey import Finding, GroupSurvey, Survey
from orchestrator.core.domain.ids import revision_name
from orchestrator.core.domain.plan import NAMED_PLANS, Plan
from orchestrator.core.domain.text import counted, span
from orchestrator.core.gates.alarm_scope import Seeing, Sight, seeing
from orchestrator.core.gates.alarms import AlarmSpec, AlarmsSpec
from orchestrator.core.gates.compare import CompareSpec
from orchestrator.core.gates.guard import GuardSpec
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.preflight.initial_service import Beginning
from orchestrator.core.rollout.spec import MetricsSpec, Spec
from orchestrator.preflight import errors, findings
from orchestrator.preflight.evidence.alarms import names_with_green
from orchestrator.preflight.plan.notes import conditions_of

NOT_A_FAULT = "already-runs-it"  # the file is right, and waits for a revision to release
DIFFERENCES_MAX = 20
MINUTE = timedelta(seconds=60)

Remarks = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A rollout to write down, and what is to be said at each key (``gates.alarms``; empty: at the top)."""

    spec: Spec
    remarks: Remarks
    findings: tuple[Finding, ...] = field(default=())

    @property
    def refused(self) -> tuple[Finding, ...]:
        """What speaks against any rollout of this service."""
        return tuple(one for one in errors(self.findings) if one.code != NOT_A_FAULT)

    @property
    def lacks_revision(self) -> bool:
        """True if nothing newer than what blue runs was there to be named."""
        return any(one.code == NOT_A_FAULT for one in self.findings)


def propose(found: Beginning, now: datetime) -> Proposal:
    """The rollout that suits what runs, with the reason of every choice."""
    survey = found.survey
    names = names_with_green(survey)
    judged = {alarm.name: (alarm, seeing(alarm, names)) for alarm in found.watchers}
    taken = tuple(alarm for alarm, seen in judged.values() if not _why_not(alarm, seen, survey))
    is_grpc = any(group.protocol_version == "GRPC" for group in survey.groups)
    spec = Spec(
        service=found.service,
        task_definition=found.task_definition,
        region=survey.region,
        plan=_plan(found),
        gates=GatesSpec(
            guard=GuardSpec(on=not is_grpc),
            compare=CompareSpec(on=not is_grpc),
            alarms=AlarmsSpec(alarms=tuple(AlarmSpec(name=alarm.name) for alarm in taken)),
        ),
        metrics=_metrics(found.watchers),
    )
    told = findings(spec, replace(survey, alarms=taken), now=now, around=found.around)
    remarks = {
        "": tuple(_head(found, now)),
        "revision": tuple(_on_revision(found)),
        "plan": tuple(_on_plan(found, spec)),
        "gates": tuple(_on_gates(is_grpc=is_grpc)),
        "gates.alarms": tuple(_on_alarms(judged, survey)),
        "traffic": tuple(_on_traffic(survey)),
        "metrics": _on_metrics(spec),
        "end": tuple(_on_the_rest(survey)),
    }
    return Proposal(spec=spec, remarks=remarks, findings=told)


def _plan(found: Beginning) -> Plan:
    """`auto` where there is traffic that it can learn from, or where nobody knows."""
    return NAMED_PLANS["canary" if isinstance(found.around.load, Absent) else "auto"]


def _metrics(watchers: tuple[AlarmSeen, ...]) -> MetricsSpec:
    """AWS's minute; in a sandbox whose minutes are shorter, that of the alarms on its load balancers."""
    periods = [a.period for a in watchers if a.namespace == "AWS/ApplicationELB" and a.period]
    shortest = min(periods, default=MINUTE)
    return MetricsSpec() if shortest >= MINUTE else MetricsSpec(period=shortest, lag=2 * shortest)


def _why_not(alarm: AlarmSeen, seen: Seeing, survey: Survey) -> str:
    """Why an alarm is not taken as a gate; empty: it is."""
    if seen.sight is Sight.BLIND:
        return f"it does not cover green: {seen.why}"
    if alarm.state == "ALARM":
        return f"it fires now ({alarm.reason}); it would not be counted, and the first traffic would need an approval"
    if alarm.state != "OK":
        return "it has no data now, and would hold the rollout; with no_data: pass silence is a pass"
    is_shared = survey.groups_per_load_balancer > len(survey.groups)
    if seen.sight is Sight.BOTH and is_shared:
        return "it is on what others share with this service: their faults would take this rollout back"
    return ""


def _head(found: Beginning, now: datetime) -> Iterator[str]:
    blue = found.survey.blue
    yield (
        f"The rollout of {found.service} in account {found.survey.account}, {found.survey.region}: "
        f"written by `teal init` on {now:%Y-%m-%d} from what runs."
    )
    yield (
        f"Blue is {counted(blue.desired, 'task')} of {revision_name(blue.task_definition)}. Look before you start: "
        "`teal preflight -f FILE`. Then: `teal deploy -f FILE`."
    )
    yield "What is not written here has its default: `docs/rollout-file.md`, `teal schema`."


def _on_revision(found: Beginning) -> Iterator[str]:
    runs = revision_name(found.survey.blue.task_definition)
    if found.task_definition == runs:
        yield f"Blue runs {runs} already: name the revision to release, or its images: {{images: {{app: …}}}}."
        return
    if found.is_named:
        yield f"Blue runs {runs}; this one was named."
    else:
        yield (
            f"CHECK THIS: blue runs {runs}. {found.task_definition} stands here for one reason, that it was registered "
            "last in the family: nobody has said that it is good, or meant to be released."
        )
    yield from _on_differences(found.survey.differences)


def _on_differences(differences: Sequence[Difference] | None) -> Iterator[str]:
    """What the named revision changes, as `teal diff` shows it."""
    if differences is None:
        yield "What it changes could not be read: look with `teal diff -f FILE`."
        return
    if not differences:
        yield "It runs the same as blue does."
        return
    yield "What it changes (`teal diff -f FILE`):"
    for one in differences[:DIFFERENCES_MAX]:
        what = " ".join(part for part in (one.container, one.field, one.name) if part)
        if one.before == one.after:
            yield f"  {what}: {one.before} changes"
        else:
            yield f"  {what}: {_value(one.before)} → {_value(one.after)}"
    if len(differences) > DIFFERENCES_MAX:
        yield f"  and {len(differences) - DIFFERENCES_MAX} more"


def _value(value: str | None) -> str:
    return "not there" if value is None else value or '""'


def _on_plan(found: Beginning, spec: Spec) -> Iterator[str]:
    load = found.around.load
    if isinstance(load, Absent):
        yield (
            "No request came in the last hour, so there is no evidence for `auto` to plan by: 10 % for five minutes, "
            "then everything, watched for half an hour."
        )
        yield "With traffic, write `auto`; without it, have a probe judge green (gates.probe)."
        return
    if not isinstance(load, Load):
        yield f"`auto` plans by the traffic that it sees. It could not be read now: {load.why}"
        return
    yield (
        f"By the last hour, {words_of(foresee(spec, load), spec.metrics.period)} (full weight after "
        f"{span(foresee(spec, load).full_after)} at best)."
    )
    yield f"`fast`: {_would(spec, 'fast', load)}."
    yield f"`careful`: {_would(spec, 'careful', load)}."


def _would(spec: Spec, plan: str, load: Load) -> str:
    seen = foresee(replace(spec, plan=NAMED_PLANS[plan]), load)
    found = (
        "too little traffic: an error regression may reach 100 % unnoticed"
        if seen.ratio is None
        else f"errors from {seen.ratio:.1f} times on"
    )
    return (
        f"{found}, about {seen.total_harm:,.0f} requests at worst, full weight after {span(seen.full_after)}"
    )


def _on_gates(*, is_grpc: bool) -> Iterator[str]:
    yield "`health` is always on: targets and tasks of green, every quarter of a period."
    if is_grpc:
        yield (
            "A failed gRPC call is an HTTP 200 to the load balancer: `guard` and `compare` would see no error, so they "
            "are off. Name an alarm on the service's own error metric, or a `metric` gate."
        )
    else:
        yield "`guard` (a green that fails at once) and `compare` (green against blue) are on by default."


def _on_alarms(judged: Mapping[str, tuple[AlarmSeen, Seeing]], survey: Survey) -> Iterator[str]:
    if not judged:
        yield "No alarm watches the service, its target groups or its load balancer."
    for alarm, seen in judged.values():
        left_out = _why_not(alarm, seen, survey)
        if left_out:
            yield f"Not taken: {alarm.name}: {left_out}."
        elif seen.sight is Sight.BOTH:
            yield f"{alarm.name} sees both colours; at a small weight green is a small part of it."
        else:
            yield f"{alarm.name}: {seen.why}; it is judged with green's names in its query."


def _on_traffic(survey: Survey) -> Iterator[str]:
    yield "Every rule that forwards to blue's target groups is moved, also one that is added later. Found:"
    for rule in survey.rules:
        yield f"  {rule.name}{conditions_of(rule)}: {rule.arn}"
        life = cookie_life(rule.actions)
        if life:
            yield f"  it keeps users on a colour by a cookie for {span(life)}: they follow a weight that late"
    yield "To move some of them only, list them in `rules`; one that only testers come by, in `test_rules`."
    for group in survey.groups:
        yield f"Target group {group.name} ({group.container}:{group.port}){_stickiness(group)}: green gets one like it."


def _stickiness(group: GroupSurvey) -> str:
    return f", sticky by {group.stickiness}" if group.stickiness else ""


def _on_metrics(spec: Spec) -> tuple[str, ...]:
    if spec.metrics == MetricsSpec():
        return ()
    return (f"The load balancer's metrics come every {span(spec.metrics.period)} here, as its alarms say.",)


def _on_the_rest(survey: Survey) -> Iterator[str]:
    scaling = survey.scaling
    if scaling is not None:
        driven = (*survey.policies, *survey.scheduled_actions)
        by = f", driven by {', '.join(driven)}" if driven else ""
        yield (
            f"Scaling: between {scaling.min_capacity} and {scaling.max_capacity} tasks{by}. Blue's scale-in is "
            "suspended meanwhile and restored exactly; green scales as blue does."
        )
    template: dict[str, Any] = json.loads(survey.template)
    yield (
        f"Blue rolls between {survey.minimum_percent} % and {survey.maximum_percent} % of its tasks when it takes the "
        f"new revision over; grace period {template.get('healthCheckGracePeriodSeconds', 0)} s."
    )
    yield "If tasks do more than answer requests (queues, schedules), say so: `background: safe` or `suspend`."
    yield "People: `approval: {when: [before_full]}`; hours: `gates: {window: …}`; messages: `notify: {slack: …}`."
