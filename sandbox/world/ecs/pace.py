"""How many tasks a rolling deployment may start and stop right now: arithmetic alone.

Source: "Amazon ECS service deployment" parameters minimumHealthyPercent (rounded up) and maximumPercent (rounded
down), both of the desired count.
"""

from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Tasks that are meant to run, of the wanted deployment and of former ones."""

    new: int
    new_healthy: int
    old: int
    old_healthy: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What to do now."""

    start: int
    stop_new: int
    stop_old: int


def pace(desired: int, minimum_percent: int, maximum_percent: int, counts: Counts) -> Pace:
    """Start what fits under the maximum; stop former tasks as new ones take over, never below the minimum.

    Healthy former tasks also make room where the maximum leaves none, as far as the minimum allows.
    """
    most = desired * maximum_percent // 100
    least = ceil(desired * minimum_percent / 100)
    stop_new = max(0, counts.new - desired)
    missing = max(0, desired - counts.new)
    start = max(0, min(missing, most - counts.new - counts.old))
    replaced = counts.old - max(0, desired - counts.new_healthy)
    room = missing - start
    spare = max(0, counts.new_healthy + counts.old_healthy - least)
    stoppable = counts.old - counts.old_healthy + min(spare, counts.old_healthy)
    return Pace(start=start, stop_new=stop_new, stop_old=max(0, min(max(replaced, room), stoppable)))


def breaker_threshold(desired: int, configuration: dict[str, int | str] | None) -> int:
    """Failed tasks after which the circuit breaker opens. Default: half of the desired count, from 3 to 200."""
    kind, value = "BOUNDED_PERCENT", 50
    if configuration:
        kind, value = str(configuration["type"]), int(configuration["value"])
    if kind == "COUNT":
        return max(1, value)
    share = ceil(desired * value / 100)
    return max(1, share) if kind == "UNBOUNDED_PERCENT" else min(200, max(3, share))
