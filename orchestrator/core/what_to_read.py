"""What each phase must see. A tick that rolls back reads only the rules (and blue, once it was touched)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from orchestrator.core.analysis import baseline
from orchestrator.core.analysis.metric_queries import alarm_names, alarms_since, metrics_need
from orchestrator.core.apply_commands import refusal
from orchestrator.core.domain.calendar import Freeze
from orchestrator.core.domain.commands import Command, CommandKind
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.text import group_name
from orchestrator.core.ecs import former_task_definition, task_definitions, task_protection
from orchestrator.core.evaluation import before_traffic, change_windows, webhooks
from orchestrator.core.phases import bringing_blue_back
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.rollout.spec import Capacity, Discovery
from orchestrator.core.scaling import blue_floor, green_scaling, swap_blue
from orchestrator.core.tick.needs import Needs, RuleNeed, SurveyNeed
from orchestrator.core.traffic import other_rules, rules, sticky_sessions, target_groups_in_use

ENDING = frozenset({CommandKind.ROLLBACK, CommandKind.REJECT, CommandKind.ABANDON})


def needs_of(
    row: Rollout, commands: Sequence[Command], now: datetime, freezes: Sequence[Freeze] = ()
) -> Needs:
    """What this tick must see, given the row, the commands that wait to be applied, and the calendar's freezes."""
    needs, listeners = _of_phase(row, commands, now, freezes), other_rules.need(row, now)
    return replace(needs, listeners=listeners) if listeners and not needs.is_urgent else needs


def _of_phase(row: Rollout, commands: Sequence[Command], now: datetime, freezes: Sequence[Freeze]) -> Needs:
    rolls_back = any(c.kind in ENDING and not refusal(row, c) for c in commands)
    if rolls_back and row.blue is not None:
        return _way_back(row)
    match row.phase:
        case Phase.PENDING:
            must_wait = rolls_back or change_windows.is_shut(row, freezes, now)
            return Needs() if must_wait else Needs(survey=survey_need(row, now))
        case Phase.PREPARING:
            return replace(
                _base(row),
                groups=tuple(pair.green_name for pair in row.pairs),
                revisions=task_definitions.needs(row),
            )
        case Phase.PROVISIONING:
            needs = replace(
                _services(row, row.green.name if row.green else ""),
                rules=_rules(row, are_tests_read=True),
                scaling=_scaling(row),
                metrics=baseline.need(row, now),
                images=task_definitions.images_need(row),
                probe=before_traffic.probe_need(row),
                hooks=webhooks.needs(row, now),
            )
            return _with_greens_scaling(needs, row)
        case Phase.SHIFTING | Phase.WATCHING:
            return _advancing(row, now)
        case Phase.SETTLING | Phase.RETIRING:
            return _settling(row, now) if row.phase is Phase.SETTLING else _retiring(row)
        case Phase.ROLLING_BACK:
            is_on_blue = row.end is not None and row.end.traffic_on_blue_at is not None
            return _leaving(row, now) if is_on_blue or row.blue is None else _way_back(row)
        case Phase.SUCCEEDED | Phase.ROLLED_BACK | Phase.ABANDONED:
            return Needs()
        case never:
            assert_never(never)


def survey_need(row: Rollout, now: datetime, known: str = "") -> SurveyNeed:
    """What a survey of this rollout's service starts from; `known`: the ECS service that serves, as the store knows."""
    spec = row.spec
    return SurveyNeed(
        cluster=spec.service.cluster,
        service=spec.service.service,
        task_definition=spec.task_definition,
        images=spec.images,
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


def _base(row: Rollout) -> Needs:
    return Needs(rules=_rules(row), cluster=row.blue.cluster if row.blue else "")


def _rules(row: Rollout, *, are_tests_read: bool = False) -> tuple[RuleNeed, ...]:
    wanted = (*row.rules, *(row.test_rules if are_tests_read else ()))
    return tuple(RuleNeed(arn=r.arn, listener=r.listener, is_default=r.is_default) for r in wanted)


def _services(row: Rollout, stops: str) -> Needs:
    groups = [group for pair in row.pairs for group in (pair.blue, pair.green) if group is not None]
    return replace(
        _base(row),
        blue=row.known.blue.name,
        green=row.known.green.name,
        stops=(stops,) if stops else (),
        targets=tuple(groups),
    )


def _with_scaling(needs: Needs, row: Rollout, now: datetime, *, is_moving: bool = False) -> Needs:
    """With both colours' scaling, once a period: somebody else's change of it is noticed within one."""
    seen_at = row.blue_scaling.scaling_seen_at
    is_due = is_moving or blue_floor.is_due(row)
    if not is_due and seen_at is not None and now < seen_at + row.spec.metrics.period:
        return needs
    return _with_greens_scaling(replace(needs, scaling=_scaling(row)), row)


def _with_greens_scaling(needs: Needs, row: Rollout) -> Needs:
    asked = green_scaling.needs(row)
    return replace(
        needs,
        green_scaling=asked.green_scaling,
        green_scales=asked.green_scales,
        drivers=asked.drivers,
    )


def _scaling(row: Rollout) -> str:
    return row.blue.name if row.blue is not None and row.blue.scaling is not None else ""


def _advancing(row: Rollout, now: datetime) -> Needs:
    needs = replace(
        _services(row, row.known.green.name),
        alarms=alarm_names(row),
        alarms_since=alarms_since(row),
        metrics=metrics_need(row, now),
        hooks=webhooks.needs(row, now),
    )
    is_moving = (
        not rules.all_at(row, row.plan.steps[row.progress.step].weight)
        or row.evidence.intervention is not None
    )
    return _with_scaling(needs, row, now, is_moving=is_moving)


def _settling(row: Rollout, now: datetime) -> Needs:
    if row.way_out.is_way_clear:
        return _leaving(row, now)
    needs = _with_scaling(_services(row, row.known.blue.name), row, now)
    needs = replace(needs, protection=task_protection.need(row, now))
    if not row.handover.attempts:
        needs = replace(needs, groups=tuple(pair.green_name for pair in row.pairs))
    if row.handover.is_homeward:
        needs = replace(needs, alarms=alarm_names(row), metrics=metrics_need(row, now))
    return needs


def _retiring(row: Rollout) -> Needs:
    retirement = row.retirement
    is_swapped = retirement is not None and retirement.swapped_at is not None
    is_drained = retirement is not None and retirement.drained_from is not None
    groups = [group_name(pair.blue) for pair in row.pairs] if row.blue and row.blue.is_own else []
    scaling = swap_blue.needs(row)
    return replace(
        _services(row, row.known.green.name),
        scaling=scaling.scaling,
        green_scales=scaling.green_scales,
        drivers=scaling.drivers,
        alarms=scaling.alarms,
        rules=_rules(row, are_tests_read=True),
        groups=tuple(groups if is_swapped else [pair.green_name for pair in row.pairs]),
        balancers=target_groups_in_use.balancers(row)
        if is_drained
        else tuple(dict.fromkeys(pair.load_balancer for pair in row.pairs)),
        revisions=task_definitions.needs(row),
    )


def _way_back(row: Rollout) -> Needs:
    needs = replace(_base(row), is_urgent=True)
    if not row.handover.attempts and row.blue_loss is None and not bringing_blue_back.is_wanted(row):
        return needs
    return replace(
        needs,
        blue=row.known.blue.name,
        targets=tuple(pair.blue for pair in row.pairs),
        revisions=former_task_definition.needs(row),
    )


def _leaving(row: Rollout, now: datetime) -> Needs:
    if row.blue is None or row.green is None:
        return Needs()
    scaling = green_scaling.leaving_needs(row)
    return replace(
        _base(row),
        green_scaling=scaling.green_scaling,
        green_scales=swap_blue.back_needs(row).green_scales,
        alarms=scaling.alarms,
        metrics=sticky_sessions.need(row, now),
        rules=_rules(row, are_tests_read=True),
        blue=row.blue.name
        if row.handover.attempts or row.handover.is_configuration_touched or row.retirement
        else "",
        green="" if row.green.is_gone else row.green.name,
        groups=tuple(pair.green_name for pair in row.pairs if not pair.is_deleted),
        scaling=_scaling(row) if row.blue_scaling.is_scaling_touched else "",
        revisions=task_definitions.needs(row),
        balancers=target_groups_in_use.balancers(row),
    )
