"""How many tasks green has at each weight (`capacity: full` or `stepped`): arithmetic alone."""

from collections.abc import Sequence

from orchestrator.core.cloud.resources import ServiceSeen
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.plan import ALL
from orchestrator.core.rollout.handover import Attempt
from orchestrator.core.rollout.spec import Background, Capacity, Spec

MARGIN_PERCENT = 10  # of green's share: what it has more than that needs, with `stepped` capacity


def first_weight(spec: Spec) -> Tenths:
    """The weight that green gets first; of `auto`, which plans it from traffic, the largest that it may be."""
    plan = spec.plan
    return plan.steps[0].weight if plan.auto is None else plan.auto.first_max


def tasks_at(spec: Spec, weight: Tenths, *, needed: int, zones: int) -> int:
    """How many tasks green is to have at a weight, where all traffic needs so many.

    With `stepped` capacity as large a part of them as its weight, and a tenth of that more; one in each zone of the
    load balancer at least, which would answer 503 where it has none.
    """
    if spec.capacity is Capacity.FULL or weight >= ALL:
        return needed
    share = -(-needed * weight * (100 + MARGIN_PERCENT) // (ALL * 100))
    return min(needed, max(share, zones, 1))


def first_tasks(spec: Spec, *, needed: int, zones: int) -> int:
    """How many tasks green begins with: all, or its first share, or one that shows what it does in the background."""
    if spec.background is not Background.NONE:
        return min(needed, 1)
    if spec.capacity is Capacity.FULL:
        return needed
    return min(needed, max(-(-needed * first_weight(spec) // ALL), zones, 1))


def count_before(attempts: Sequence[Attempt], seen: ServiceSeen) -> int:
    """The desired count that blue has at the end: the one before Teal's first update, or what others set since."""
    if not attempts or seen.desired != attempts[-1].desired:
        return seen.desired
    return attempts[-1].desired_before
