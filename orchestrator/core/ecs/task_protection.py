"""Blue's tasks that have asked ECS not to stop them: its roll waits for them, for up to 48 hours.

ECS takes the update, and nothing moves. Teal says so, asks until when, waits, and counts none of that time towards a
limit; it never stops such a task, which works at something that must not be lost.
"""

from datetime import datetime

from orchestrator.core.cloud.resources import ProtectionSeen
from orchestrator.core.domain.text import counted
from orchestrator.core.rollout.draft import Draft
from orchestrator.core.rollout.rollout import HoldKind, Rollout

PATIENCE = 2  # periods after an update until protection may be what it waits for


def need(row: Rollout, now: datetime) -> str:
    """The service whose protected tasks are to be looked for; empty: none."""
    if row.blue is None or not row.attempts or row.is_homeward or row.ready_since is not None:
        return ""
    period, since = row.spec.metrics.period, row.protection_read_at
    is_long = now >= row.attempts[-1].at + PATIENCE * period
    return row.blue.name if is_long and (since is None or now >= since + period) else ""


def wait(draft: Draft) -> None:
    """Hold for blue's protected tasks, if it has any, and keep that time out of the limits."""
    row, seen = draft.row, draft.seen.protection
    if isinstance(seen, ProtectionSeen):
        draft.change(protection=seen, protection_read_at=draft.now)
    found = draft.row.protection
    if found is None or found.until is None or draft.now >= found.until:
        return
    until = f"{found.until:%Y-%m-%d %H:%M}Z"
    draft.hold(
        HoldKind.PROTECTED,
        f"{counted(found.count, 'task')} of blue asked ECS not to be stopped, until {until} at the latest",
        clears_when="their protection ends",
    )
    draft.change(waiting_for=f"blue's protected tasks, until {until} at the latest")
    if not row.paused_by:
        draft.change(protected_for=row.protected_for + draft.since_last(row.ticked_at))
