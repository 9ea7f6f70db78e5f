"""Capacity providers of a cluster, and strategies that name them.

Sources: PutClusterCapacityProviders, CapacityProviderStrategyItem and CreateService of the Amazon ECS API reference: a
strategy names providers of its cluster, 20 at most, one of them with a base, one with a weight above zero unless it
stands alone; without strategy and launch type the cluster's default strategy holds. Tasks go to the providers by base
and weight.
"""

from collections import Counter
from collections.abc import Iterable

from sandbox.world.ecs.state import Containers
from sandbox.world.kernel.errors import AwsRefusal, Json
from sandbox.world.kernel.operation import Operation, operation

INVALID = "InvalidParameterException"
FARGATE = ("FARGATE", "FARGATE_SPOT")
_MOST = 20


class CapacityProviders:
    """PutClusterCapacityProviders."""

    def __init__(self, containers: Containers) -> None:
        self._all = containers

    def operations(self) -> dict[str, Operation]:
        """The operations by their AWS names."""
        strategy = "defaultCapacityProviderStrategy"
        return {
            "PutClusterCapacityProviders": operation(self.put, "cluster", "capacityProviders", strategy),
        }

    def put(self, params: Json) -> Json:
        """PutClusterCapacityProviders: both lists replace the former ones; none that a task uses is taken away."""
        cluster = self._all.clusters[self._all.cluster(params["cluster"])]
        providers = list(params["capacityProviders"])
        strategy = params["defaultCapacityProviderStrategy"]
        check(strategy, providers)
        running = [
            t for t in self._all.tasks.values() if t.cluster == cluster["clusterName"] and t.stopped is None
        ]
        if used := {task.provider for task in running} - {"", *providers}:
            raise AwsRefusal(
                "ResourceInUseException", f"The capacity provider {min(used)} is in use by tasks."
            )
        cluster |= {"capacityProviders": providers, "defaultCapacityProviderStrategy": completed(strategy)}
        return {"cluster": cluster}


def check(strategy: list[Json], providers: Iterable[str]) -> None:
    """Raises AwsRefusal for a strategy that a cluster with these providers cannot have."""
    named = [item["capacityProvider"] for item in strategy]
    if len(named) > _MOST or len(set(named)) < len(named):
        raise AwsRefusal(
            INVALID, f"A strategy can have {_MOST} capacity providers at most, each of them once."
        )
    if strange := set(named) - set(providers):
        raise AwsRefusal(
            INVALID,
            f"The specified capacity provider {min(strange)} was not found in the cluster's capacity providers.",
        )
    if sum(bool(item.get("base")) for item in strategy) > 1:
        raise AwsRefusal(INVALID, "Only one capacity provider of a strategy can have a base.")
    if len(strategy) > 1 and not any(item.get("weight") for item in strategy):
        raise AwsRefusal(INVALID, "A capacity provider of the strategy must have a weight above zero.")


def completed(strategy: list[Json]) -> list[Json]:
    """A strategy with its defaults, as it is shown."""
    return [{"weight": 0, "base": 0, **item} for item in strategy]


def next_provider(strategy: list[Json], used: Iterable[str]) -> str:
    """Where the next task goes, given where the others are; empty without a strategy."""
    if not strategy:
        return ""
    there = Counter(used)
    for item in strategy:
        if there[item["capacityProvider"]] < item.get("base", 0):
            return str(item["capacityProvider"])
    weighted = [item for item in strategy if item.get("weight")] or strategy

    def load(item: Json) -> float:
        beyond = there[item["capacityProvider"]] - item.get("base", 0)
        return float((beyond + 1) / (item.get("weight") or 1))

    return str(min(weighted, key=load)["capacityProvider"])
