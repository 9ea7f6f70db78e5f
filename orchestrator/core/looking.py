"""What each phase must see. A tick that rolls back reads only the rules (and blue, once it was touched)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from orchestrator.core import (
    asking,
    clearing,
    copying,
    history,
    holding,
    listing,
    protecting,
    recalling,
    rehearsing,
    revising,
    reviving,
    rules,
    sticky,
    stilling,
    windowing,
)
from orchestrator.core.commands import Command, CommandKind
from orchestrator.core.hours import Freeze
from orchestrator.core.needs import Needs, RuleNeed, SurveyNeed
from orchestrator.core.phases import Phase
from orchestrator.core.rollout import Rollout
from orchestrator.core.spec import Capacity, Discovery
from orchestrator.core.wanted import alarm_names, alarms_since, metrics_need
from orchestrator.core.wishes import refusal
from orchestrator.core.words import group_name

ENDING = frozenset({CommandKind.ROLLBACK, CommandKind.REJECT, CommandKind.ABANDON})


def needs_of(
    row: Rollout, commands: Sequence[Command], now: datetime, freezes: Sequence[Freeze] = ()
) -> Needs:
    """What this tick must see, given the row, the commands that wait to be applied, and the calendar's freezes."""
    needs, listeners = _of_phase(row, commands, now, freezes), listing.need(row, now)
    return replace(needs, listeners=listeners) if listeners and not needs.is_urgent else needs


def _of_phase(row: Rollout, commands: Sequence[Command], now: datetime, freezes: Sequence[Freeze]) -> Needs:
    rolls_back = any(c.kind in ENDING and not refusal(row, c) for c in commands)
    if rolls_back and row.blue is not None:
        return _way_back(row)
    match row.phase:
        case Phase.PENDING:
            must_wait = rolls_back or windowing.is_shut(row, freezes, now)
            return Needs() if must_wait else Needs(survey=survey_need(row, now))
        case Phase.PREPARING:
            return replace(
                _base(row),
                groups=tuple(pair.green_name for pair in row.pairs),
                revisions=revising.needs(row),
            )
        case Phase.PROVISIONING:
            needs = replace(
                _services(row, row.green.name if row.green else ""),
                rules=_rules(row, are_tests_read=True),
                scaling=_scaling(row),
                metrics=history.need(row, now),
                images=revising.images_need(row),
                probe=rehearsing.probe_need(row),
                hooks=asking.needs(row, now),
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
    assert row.blue is not None
    assert row.green is not None
    groups = [group for pair in row.pairs for group in (pair.blue, pair.green) if group is not None]
    return replace(
        _base(row),
        blue=row.blue.name,
        green=row.green.name,
        stops=(stops,) if stops else (),
        targets=tuple(groups),
    )


def _with_scaling(needs: Needs, row: Rollout, now: datetime, *, is_moving: bool = False) -> Needs:
    """With both colours' scaling, once a period: somebody else's change of it is noticed within one."""
    seen_at = row.scaling_seen_at
    is_due = is_moving or holding.is_due(row)
    if not is_due and seen_at is not None and now < seen_at + row.spec.metrics.period:
        return needs
    return _with_greens_scaling(replace(needs, scaling=_scaling(row)), row)


def _with_greens_scaling(needs: Needs, row: Rollout) -> Needs:
    asked = copying.needs(row)
    return replace(
        needs,
        green_scaling=asked.green_scaling,
        green_scales=asked.green_scales,
        drivers=asked.drivers,
    )


def _scaling(row: Rollout) -> str:
    return row.blue.name if row.blue is not None and row.blue.scaling is not None else ""


def _advancing(row: Rollout, now: datetime) -> Needs:
    assert row.green is not None
    needs = replace(
        _services(row, row.green.name),
        alarms=alarm_names(row),
        alarms_since=alarms_since(row),
        metrics=metrics_need(row, now),
        hooks=asking.needs(row, now),
    )
    is_moving = not rules.all_at(row, row.plan.steps[row.step].weight) or row.intervention is not None
    return _with_scaling(needs, row, now, is_moving=is_moving)


def _settling(row: Rollout, now: datetime) -> Needs:
    assert row.blue is not None
    if row.is_way_clear:
        return _leaving(row, now)
    needs = _with_scaling(_services(row, row.blue.name), row, now)
    needs = replace(needs, protection=protecting.need(row, now))
    if not row.attempts:
        needs = replace(needs, groups=tuple(pair.green_name for pair in row.pairs))
    if row.is_homeward:
        needs = replace(needs, alarms=alarm_names(row), metrics=metrics_need(row, now))
    return needs


def _retiring(row: Rollout) -> Needs:
    assert row.green is not None
    retirement = row.retirement
    is_swapped = retirement is not None and retirement.swapped_at is not None
    is_drained = retirement is not None and retirement.drained_from is not None
    groups = [group_name(pair.blue) for pair in row.pairs] if row.blue and row.blue.is_own else []
    scaling = stilling.needs(row)
    return replace(
        _services(row, row.green.name),
        scaling=scaling.scaling,
        green_scales=scaling.green_scales,
        drivers=scaling.drivers,
        alarms=scaling.alarms,
        rules=_rules(row, are_tests_read=True),
        groups=tuple(groups if is_swapped else [pair.green_name for pair in row.pairs]),
        balancers=clearing.balancers(row)
        if is_drained
        else tuple(dict.fromkeys(pair.load_balancer for pair in row.pairs)),
        revisions=revising.needs(row),
    )


def _way_back(row: Rollout) -> Needs:
    needs = replace(_base(row), is_urgent=True)
    if not row.attempts and row.blue_loss is None and not recalling.is_wanted(row):
        return needs
    assert row.blue is not None
    return replace(
        needs,
        blue=row.blue.name,
        targets=tuple(pair.blue for pair in row.pairs),
        revisions=reviving.needs(row),
    )


def _leaving(row: Rollout, now: datetime) -> Needs:
    if row.blue is None or row.green is None:
        return Needs()
    scaling = copying.leaving_needs(row)
    return replace(
        _base(row),
        green_scaling=scaling.green_scaling,
        green_scales=stilling.back_needs(row).green_scales,
        alarms=scaling.alarms,
        metrics=sticky.need(row, now),
        rules=_rules(row, are_tests_read=True),
        blue=row.blue.name if row.attempts or row.is_configuration_touched or row.retirement else "",
        green="" if row.green.is_gone else row.green.name,
        groups=tuple(pair.green_name for pair in row.pairs if not pair.is_deleted),
        scaling=_scaling(row) if row.is_scaling_touched else "",
        revisions=revising.needs(row),
        balancers=clearing.balancers(row),
    )
