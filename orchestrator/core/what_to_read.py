"""What each phase must see, as its own file says. One that rolls back reads the rules alone, as far as it can."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from orchestrator.core.apply_commands import refusal
from orchestrator.core.domain.calendar import Freeze
from orchestrator.core.domain.commands import Command, CommandKind
from orchestrator.core.domain.phases import Phase
from orchestrator.core.phases import (
    pending,
    preparing,
    provisioning,
    retiring,
    rolling_back,
    settling,
    shifting,
    went_back,
)
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.tick.needs import Needs
from orchestrator.core.traffic import other_rules

ENDING = frozenset({CommandKind.ROLLBACK, CommandKind.REJECT, CommandKind.ABANDON})


def needs_of(
    row: Rollout, commands: Sequence[Command], now: datetime, freezes: Sequence[Freeze] = ()
) -> Needs:
    """What this tick must see, given the row, the commands that wait to be applied, and the calendar's freezes."""
    listeners = other_rules.need(row, now)
    if any(c.kind in ENDING and not refusal(row, c) for c in commands):
        needs = Needs() if row.blue is None else rolling_back.way_back_needs(row)
    else:
        needs = replace(_of_phase(row, now, freezes), may_wait=_may_wait(row))
    needs = went_back.with_needs(needs, row)
    return replace(needs, listeners=listeners) if listeners and not needs.is_urgent else needs


def _may_wait(row: Rollout) -> bool:
    """True while green has no traffic yet, or none any more."""
    if row.phase is Phase.ROLLING_BACK:
        return row.end is not None and row.end.traffic_on_blue_at is not None
    return row.phase in (Phase.PREPARING, Phase.PROVISIONING)


def _of_phase(row: Rollout, now: datetime, freezes: Sequence[Freeze]) -> Needs:
    match row.phase:
        case Phase.PENDING:
            return pending.needs(row, now, freezes)
        case Phase.PREPARING:
            return preparing.needs(row)
        case Phase.PROVISIONING:
            return provisioning.needs(row, now)
        case Phase.SHIFTING | Phase.WATCHING:
            return shifting.needs(row, now)
        case Phase.SETTLING:
            return settling.needs(row, now)
        case Phase.RETIRING:
            return retiring.needs(row)
        case Phase.ROLLING_BACK:
            return rolling_back.needs(row, now)
        case Phase.SUCCEEDED | Phase.ROLLED_BACK | Phase.ABANDONED:
            return Needs()
        case never:
            assert_never(never)
