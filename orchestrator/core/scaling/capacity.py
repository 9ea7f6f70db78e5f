"""Capacity: green as large as its traffic needs, and blue kept able to take everything back."""

from dataclasses import replace
from statistics import median

from orchestrator.core.cloud.effects import ScaleService
from orchestrator.core.cloud.readiness import not_healthy
from orchestrator.core.cloud.resources import ServiceSeen
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.plan import percent
from orchestrator.core.domain.text import counted
from orchestrator.core.gates.scene import Colour
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.core.rollout.spec import Capacity
from orchestrator.core.scaling import blue_floor, target_values, task_counts
from orchestrator.core.tick.draft import Draft, targets_of

GREW = 1.5  # times the usual traffic
NEWEST = 3  # whole periods that say how much there is now
USUAL_LEAST = 5  # periods of blue's last hour: fewer say nothing of what is usual
CHANCE = 4.0  # standard deviations of a count that chance may make of it


def tasks_at(row: Rollout, weight: Tenths, needed: int) -> int:
    """How many tasks green is to have at a weight, where all traffic needs so many."""
    return task_counts.tasks_at(row.spec, weight, needed=needed, zones=row.blue.zones if row.blue else 1)


def follow_blue(draft: Draft, green: ServiceSeen, weight: Tenths) -> None:
    """Keep green as large as its weight needs of what blue wants to be now: that blue's own scaling decides."""
    blue, row = draft.seen.blue, draft.row
    if not row.known.green.is_grown:
        return
    if isinstance(blue, ServiceSeen):
        wanted = tasks_at(row, weight, blue.desired)
        if wanted > row.known.green.desired:
            draft.change(green=replace(row.known.green, desired=wanted))
    wanted = draft.row.green.desired if draft.row.green else green.desired
    if green.desired < wanted:
        of = "as many as blue" if row.spec.capacity is Capacity.FULL else f"for a weight of {percent(weight)}"
        scale = ScaleService(cluster=green.cluster, service=green.name, desired=wanted)
        draft.ask(scale, f"give green {wanted} tasks, {of}")


def hold_until_carried(draft: Draft, weight: Tenths) -> None:
    """Hold until green has, healthy, the tasks that a weight needs of what blue wants to be now; ask for them."""
    green = draft.must_find(draft.seen.green, "green")
    if isinstance(green, str):
        return
    follow_blue(draft, green, weight)
    wanted = draft.green.desired
    short = not_healthy(targets_of(draft, Colour.GREEN), wanted)
    if short:
        draft.hold(HoldKind.CAPACITY, f"green: {short}", clears_when=f"{wanted} targets of green are healthy")


def is_grown(draft: Draft) -> bool:
    """True once green may have, and was ready with, the tasks that its first weight needs; until then it has fewer.

    What a task does in the background it does from its first moment: one shows it, when everything else about green
    was found to be well, before all do it.
    """
    green, blue, row = draft.green, draft.seen.blue, draft.row
    if green.is_grown:
        return True
    needed = max(blue.desired if isinstance(blue, ServiceSeen) else 1, row.spec.first_tasks)
    wanted = max(tasks_at(row, task_counts.first_weight(row.spec), needed), green.desired)
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
    blue, seen, known = draft.blue, draft.seen.blue, draft.row.blue_scaling.holding
    least = max(blue.desired, known.floor if known else 0)
    return max(least, seen.desired) if isinstance(seen, ServiceSeen) else least


def outgrown(draft: Draft) -> str:
    """Why the colours are too small for the traffic that came since the start, in words; empty: they are not.

    Traffic that grew by half (a region has failed over, a campaign has begun) is more than what blue was sized for,
    unless it has got as many more tasks since; green follows it. More of it for green waits for that.
    """
    row, usual = draft.row, usual_requests(draft.row)
    if row.blue is None or usual is None or not row.evidence.intervals:
        return ""
    # The busiest of the newest: one may have been read before all of it was published.
    newest = row.evidence.intervals[-NEWEST:]
    now = max(sum(counts.requests for counts in (one.blue, one.green) if counts) for one in newest)
    blues = draft.seen.blue.desired if isinstance(draft.seen.blue, ServiceSeen) else 0
    grown = blues / max(row.blue.desired, row.spec.first_tasks, 1)
    by_chance = CHANCE * usual**0.5
    if now < GREW * usual + by_chance or now < GREW * usual * grown + by_chance:
        return ""
    return (
        f"traffic has grown from {usual:,.0f} to {now:,.0f} requests a period since the rollout began, "
        f"and blue has {counted(blues, 'task')} for it"
    )


def usual_requests(row: Rollout) -> float | None:
    """Requests in a period before green's traffic, in the middle of those that are known; None: too few are."""
    known = row.evidence.history or ()
    if row.blue is not None and row.blue.is_own:
        known = known[-USUAL_LEAST:]  # it was a green: its past begins with that rollout's small weights
    return median(counts.requests for counts in known) if len(known) >= USUAL_LEAST else None


def hold_against_schedules(draft: Draft) -> None:
    """Where schedules act on blue, keep it at what all traffic needs by its minimum.

    Suspending the schedules instead would also block those that add tasks.
    """
    blue = draft.row.blue
    if blue is None or blue.scaling is None or not isinstance(draft.seen.blue, ServiceSeen):
        return
    if blue.scales is not None and blue.scales.schedules and not target_values.held(draft.row).floor:
        blue_floor.raise_to(draft, all_traffic_needs(draft), "scheduled actions may change its bounds")


def follow_green(draft: Draft, weight: Tenths) -> None:
    """Raise blue where green has scaled out by itself: few users of blue do not tell it how many tasks all need.

    As many times as green has grown beyond what its weight needs, up to the most that blue's own scaling allows.
    """
    row, seen = draft.row, draft.seen.green
    if row.blue is None or row.blue.scaling is None or row.green is None or not isinstance(seen, ServiceSeen):
        return
    needed = all_traffic_needs(draft)
    given = max(row.green.desired, tasks_at(row, weight, needed))
    if not row.green.is_scaling_given or seen.desired <= given or given < 1:
        return
    most = max(target_values.kept(target_values.held(row)).max_capacity, needed)
    grown = min(-(-needed * seen.desired // given), most)
    draft.change(green=replace(row.green, desired=seen.desired))
    if not isinstance(draft.seen.blue, ServiceSeen) or grown > draft.seen.blue.desired:
        blue_floor.raise_to(draft, grown, f"green has scaled out from {given} to {seen.desired}")
