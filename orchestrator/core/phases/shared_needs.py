"""What several phases must see alike: rules, services and their targets, and both colours' scaling."""

from dataclasses import replace
from datetime import datetime

from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.scaling import blue_floor, green_scaling
from orchestrator.core.tick.needs import Needs, RuleNeed


def base(row: Rollout) -> Needs:
    """The rules, and the cluster."""
    return Needs(rules=rules_of(row), cluster=row.blue.cluster if row.blue else "")


def rules_of(row: Rollout, *, are_tests_read: bool = False) -> tuple[RuleNeed, ...]:
    """The rules to read, test rules too where they matter."""
    wanted = (*row.rules, *(row.test_rules if are_tests_read else ()))
    return tuple(RuleNeed(arn=r.arn, listener=r.listener, is_default=r.is_default) for r in wanted)


def services(row: Rollout, stops: str) -> Needs:
    """Both services with the targets of their groups, and the stopped tasks of one.

    Once a task of it has stopped, the other's too: what befalls both is held against neither.
    """
    both = (row.known.blue.name, row.known.green.name)
    groups = [group for pair in row.pairs for group in (pair.blue, pair.green) if group is not None]
    return replace(
        base(row),
        blue=both[0],
        green=both[1],
        stops=both if stops and row.stops.stops_told else (stops,) if stops else (),
        targets=tuple(groups),
    )


def with_scaling(needs: Needs, row: Rollout, now: datetime, *, is_moving: bool = False) -> Needs:
    """With both colours' scaling, once a period: somebody else's change of it is noticed within one."""
    seen_at = row.blue_scaling.scaling_seen_at
    is_due = is_moving or blue_floor.is_due(row)
    if not is_due and seen_at is not None and now < seen_at + row.spec.metrics.period:
        return needs
    return with_greens_scaling(replace(needs, scaling=scaling_of(row)), row)


def with_greens_scaling(needs: Needs, row: Rollout) -> Needs:
    """With everything that scales green."""
    asked = green_scaling.needs(row)
    return replace(
        needs,
        green_scaling=asked.green_scaling,
        green_scales=asked.green_scales,
        drivers=asked.drivers,
    )


def scaling_of(row: Rollout) -> str:
    """The service whose scalable target is read: blue, where it has one."""
    return row.blue.name if row.blue is not None and row.blue.scaling is not None else ""
