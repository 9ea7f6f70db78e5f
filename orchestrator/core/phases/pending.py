"""Pending: what runs is read, and what the rollout will make is named before anything is made."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from orchestrator.core.cloud.forward_action import canonical, cookie_life, forward_of
from orchestrator.core.cloud.resources import RuleSeen
from orchestrator.core.cloud.survey import LB_COOKIE, Severity, Survey
from orchestrator.core.domain.calendar import Freeze
from orchestrator.core.domain.events import EventKind, Record
from orchestrator.core.domain.ids import Json, TaskDefinitionArn, revision_name
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.text import span
from orchestrator.core.evaluation import change_windows
from orchestrator.core.gates.scene import Names
from orchestrator.core.rollout import rule_lists
from orchestrator.core.rollout.colours import Blue, Colours, Green, Registration
from orchestrator.core.rollout.names import first_service_name, short_id, token_of
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.core.rollout.rule_state import Pair, RuleState
from orchestrator.core.rollout.spec import UNDOES, Background, Capacity, Discovery, Spec
from orchestrator.core.scaling import policies_for_green
from orchestrator.core.tick.draft import TEAL, Draft
from orchestrator.core.tick.needs import Needs, SurveyNeed
from orchestrator.core.tick.turn_back import roll_back
from orchestrator.core.traffic.discovery import in_scope, test_rules_of

STOPS_IN = timedelta(seconds=30)  # a task's default


FAILOVER = "target_group_health.dns_failover.minimum_healthy_targets."


FAILOVER_KINDS = ("count", "percentage")


GROUP_STEM_MAX = 16  # characters of a service's name that a target group's 32 leave room for


def survey_need(row: Rollout, now: datetime, known: str = "") -> SurveyNeed:
    """What a survey of this rollout's service starts from; `known`: the ECS service that serves, as the store knows."""
    spec = row.spec
    return SurveyNeed(
        cluster=spec.service.cluster,
        service=spec.service.service,
        task_definition=spec.task_definition,
        images=spec.images,
        revives=UNDOES in dict(spec.labels),
        colour_variable=spec.colour_variable,
        counts_zones=spec.capacity is Capacity.STEPPED,
        keeps_discovery=spec.discovery is Discovery.KEEP,
        known=known,
        rules=(*spec.rules, *spec.test_rules),
        alarms=tuple(alarm.name for alarm in spec.gates.alarms.alarms),
        metrics=tuple(one for one in spec.gates.metrics if not one.source),
        period=spec.metrics.period,
        at=now,
    )


def needs(row: Rollout, now: datetime, freezes: Sequence[Freeze]) -> Needs:
    """What pending must see: nothing, while it must not begin."""
    return Needs() if change_windows.is_shut(row, freezes, now) else Needs(survey=survey_need(row, now))


def read_blue(draft: Draft) -> None:
    """Once it may begin, take blue, its groups, rules, scaling and alarms into the row as they were first read."""
    if change_windows.must_wait(draft):
        return
    survey = draft.must_read(draft.seen.survey, "blue")
    if isinstance(survey, str):
        return
    errors = [finding for finding in draft.seen.findings if finding.severity is Severity.ERROR]
    if errors:
        words = "; ".join(finding.what for finding in errors)
        if all(finding.passes for finding in errors) and draft.row.spec.limits.wait_for_blue:
            _wait_for_blue(draft, words)
            return
        draft.hold(
            HoldKind.BLUE, f"preflight refuses: {words}", clears_when="preflight finds nothing against it"
        )
        return
    if draft.row.pause.paused_by:
        return
    _take(draft, survey)
    draft.move(Phase.PREPARING, f"{draft.row.spec.service} and what forwards to it were read")


def _wait_for_blue(draft: Draft, words: str) -> None:
    """Wait as long as the file says for somebody else's deployment of blue to end; nothing is made meanwhile."""
    row, limit = draft.row, draft.row.spec.limits.wait_for_blue
    if draft.now - row.created_at - row.pause.paused_for >= limit:
        roll_back(draft, f"waited {span(limit)} for blue: {words}", TEAL)
        return
    until = row.created_at + row.pause.paused_for + limit
    draft.hold(
        HoldKind.BLUE,
        f"waits for blue: {words}; it begins by itself then, and at {until:%H:%M:%S}Z it gives up with nothing made",
        clears_when="nobody else deploys it any more",
    )
    draft.wake_by(until)


def _take(draft: Draft, survey: Survey) -> None:
    row, revision = draft.row, survey.revision
    assert revision is not None, "preflight refuses a revision that AWS does not know"
    hexes = short_id(row.id)
    stem = "".join(c if c.isalnum() else "-" for c in row.spec.service.service)[:GROUP_STEM_MAX].strip("-")
    colours = Colours(
        blue=Blue(
            cluster=survey.blue.cluster,
            name=survey.blue.name,
            arn=survey.blue.arn,
            former=survey.blue.task_definition,
            former_template=survey.former_template,
            desired=survey.blue.desired,
            deployment_configuration=survey.blue.deployment_configuration,
            template=survey.template,
            scaling=survey.scaling,
            alarms=survey.alarms,
            scales=survey.scales,
            zones=survey.zones,
            tags=tuple((key, value) for key, value in survey.blue.tags.items() if key.startswith("teal:")),
            stops_in=survey.former.stops_in if survey.former else STOPS_IN,
        ),
        green=Green(
            name=first_service_name(row.id, row.spec.service),
            task_definition=TaskDefinitionArn("") if survey.new_revisions else revision.arn,
            # `register` fills in what the file's images make of it, and what knows its colour.
            blues=revision.arn
            if survey.new_revisions and all(new.is_greens_own for new in survey.new_revisions)
            else None,
            desired=max(survey.blue.desired, row.spec.first_tasks),
            vcpu=revision.vcpu,
            token=token_of(row, ""),
            is_grown=row.spec.background is Background.NONE and row.spec.capacity is Capacity.FULL,
            alarms=tuple(f"teal-{stem}-{hexes}-alarm-{number}" for number in range(_drivers(survey))),
        ),
    )
    draft.change(
        colours=colours,
        registrations=tuple(Registration(revision=revision) for revision in survey.new_revisions),
        pairs=tuple(
            Pair(
                blue=group.arn,
                load_balancer=group.load_balancers[0],
                green_name=f"teal-{stem}-{hexes}-{number}",
                template=group.template,
                attributes=_attributes(row.spec, group.attributes),
            )
            for number, group in enumerate({group.arn: group for group in survey.groups}.values())
        ),
        rules=tuple(_rule_state(survey, seen) for seen in in_scope(row.spec, survey)),
        test_rules=tuple(_rule_state(survey, seen) for seen in test_rules_of(row.spec, survey)),
    )
    body = canonical(
        {"blue": survey.blue.arn, "former": survey.blue.task_definition, "rules": len(draft.row.rules)}
    )
    draft.records.append(Record(key="snapshot", at=draft.now, kind="snapshot", body=body))
    draft.tell(
        EventKind.BLUE_READ,
        f"{survey.blue.name} runs {survey.blue.desired} tasks of {revision_name(survey.blue.task_definition)}; "
        f"{len(draft.row.rules)} rule(s) forward to it",
        former=survey.blue.task_definition,
        desired=survey.blue.desired,
        rules=len(draft.row.rules),
        min_capacity=survey.scaling.min_capacity if survey.scaling else None,
        max_capacity=survey.scaling.max_capacity if survey.scaling else None,
    )


def blues_names(survey: Survey) -> Names:
    """The names that blue is known by, where green has none yet."""
    return Names(
        cluster=survey.blue.cluster,
        blue_service=survey.blue.name,
        green_service=survey.blue.name,
        groups=tuple((group.arn, group.arn) for group in survey.groups),
    )


def _drivers(survey: Survey) -> int:
    """How many alarms will drive green's step-scaling policies."""
    if survey.scales is None:
        return 0
    return len(
        policies_for_green.drivers_of(
            survey.scales, policies_for_green.copied(survey.scales, blues_names(survey))
        )
    )


def _attributes(spec: Spec, attributes: Json) -> Json:
    """Attributes of green's group: blue's, but that DNS never judges the load balancer by a guest of it.

    A green that is to stay is none, and its group is like blue's in everything.

    A Route 53 record that evaluates target health fails a load balancer over for any group without a healthy target:
    a broken green would take the neighbours with it. Teal takes such a green back once two looks agree.
    """
    if spec.ending.is_swap:
        return attributes
    return canonical({**json.loads(attributes), **{f"{FAILOVER}{kind}": "off" for kind in FAILOVER_KINDS}})


def _rule_state(survey: Survey, seen: RuleSeen) -> RuleState:
    forward = forward_of(seen.actions)
    blues = {group.arn: group for group in survey.groups}
    blue = blues[next(w.group for w in forward.groups if w.group in blues)]
    is_lent = blue.stickiness == LB_COOKIE and not cookie_life(seen.actions)
    return RuleState(
        arn=seen.arn,
        listener=seen.listener,
        load_balancer=seen.load_balancer,
        is_default=seen.is_default,
        conditions=rule_lists.conditions_of(seen),
        base=seen.actions,
        blue_group=blue.arn,
        lent_stickiness_s=blue.cookie_seconds if is_lent else 0,
    )
