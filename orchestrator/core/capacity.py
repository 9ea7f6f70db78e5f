"""Capacity: green as large as blue wants to be, and blue kept able to take everything back."""

from dataclasses import replace

from orchestrator.core import holding
from orchestrator.core.draft import Draft
from orchestrator.core.effects import ScaleService
from orchestrator.core.observed import ServiceSeen


def follow_blue(draft: Draft, green: ServiceSeen) -> None:
    """Keep green as large as blue wants to be now: blue's own scaling goes on deciding how much is needed."""
    blue, row = draft.seen.blue, draft.row
    assert row.green is not None
    if not row.green.is_grown:
        return
    if isinstance(blue, ServiceSeen) and blue.desired > row.green.desired:
        draft.change(green=replace(row.green, desired=blue.desired))
    wanted = draft.row.green.desired if draft.row.green else green.desired
    if green.desired < wanted:
        scale = ScaleService(cluster=green.cluster, service=green.name, desired=wanted)
        draft.ask(scale, f"give green {wanted} tasks, as many as blue")


def is_grown(draft: Draft) -> bool:
    """True once green may have, and was ready with, all its tasks; before that it has one, and nobody's traffic.

    What a task does in the background it does from its first moment: one shows it, when everything else about green
    was found to be well, before all do it.
    """
    green, blue = draft.row.green, draft.seen.blue
    assert green is not None
    if green.is_grown:
        return True
    wanted = max(blue.desired if isinstance(blue, ServiceSeen) else 1, draft.row.spec.first_tasks)
    draft.change(green=replace(green, is_grown=True, desired=wanted))
    if wanted == green.desired:
        return True
    draft.change(ready_since=None, waiting_for=f"green grows to {wanted} tasks")
    draft.wake_by(draft.now)
    return False


def all_traffic_needs(draft: Draft) -> int:
    """How many tasks of blue all traffic needs: as many as it had at the start, or wants by now, or green has shown.

    Blue's scale-in is suspended, so what it wants never shrinks while traffic leaves it; and where it has scaled
    out, the tasks it had at the start could not take everything back.
    """
    blue, seen, holding = draft.row.blue, draft.seen.blue, draft.row.holding
    assert blue is not None
    least = max(blue.desired, holding.floor if holding else 0)
    return max(least, seen.desired) if isinstance(seen, ServiceSeen) else least


def hold_against_schedules(draft: Draft) -> None:
    """Where schedules act on blue, keep it at what all traffic needs by its minimum.

    Suspending the schedules instead would also block those that add tasks.
    """
    blue = draft.row.blue
    if blue is None or blue.scaling is None or not isinstance(draft.seen.blue, ServiceSeen):
        return
    if blue.scales is not None and blue.scales.schedules and not holding.held(draft.row).floor:
        holding.raise_to(draft, all_traffic_needs(draft), "scheduled actions may change its bounds")


def follow_green(draft: Draft) -> None:
    """Raise blue where green has scaled out by itself: few users of blue do not tell it how many tasks all need.

    As many times as green has grown beyond what it was given, up to the most that blue's own scaling allows.
    """
    row, seen = draft.row, draft.seen.green
    if row.blue is None or row.blue.scaling is None or row.green is None or not isinstance(seen, ServiceSeen):
        return
    given = row.green.desired
    if not row.green.is_scaling_given or seen.desired <= given or given < 1:
        return
    needed = all_traffic_needs(draft)
    most = max(holding.held(row).base.max_capacity, needed)
    grown = min(-(-needed * seen.desired // given), most)
    draft.change(green=replace(row.green, desired=seen.desired))
    if not isinstance(draft.seen.blue, ServiceSeen) or grown > draft.seen.blue.desired:
        holding.raise_to(draft, grown, f"green has scaled out from {given} to {seen.desired}")
