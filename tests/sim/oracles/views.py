"""What one rollout's oracle sees of a World in which there are several: its own calls, and everybody's reads."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, cast

from sandbox.scenarios.scenery import Scenery
from sandbox.world.ecs.resources import Service
from sandbox.world.kernel.errors import CallLost, Json
from sandbox.world.kernel.log import CallRecord
from sandbox.world.world import World
from tests.sim.oracles.truth import Truth

READS = ("Describe", "Get", "List")
OF_RULES = ("ModifyRule", "ModifyListener", "SetRulePriorities")


class WorldView:
    """A World whose log holds what concerns one rollout."""

    def __init__(self, world: World, name: str) -> None:
        self._world, self.name = world, name
        self.log: list[CallRecord] = []

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the World has
        return getattr(self._world, name)

    @classmethod
    def of(cls, world: World, name: str) -> tuple[World, list[CallRecord]]:
        """The view, in the place of a World, and its log."""
        view = cls(world, name)
        return cast(World, view), view.log


class TruthAmongOthers(Truth):
    """What is really so, but for what belongs to other services of the World."""

    def __init__(self, world: World, others: Iterable[str]) -> None:
        super().__init__(world)
        self._others = tuple(others)

    def _is_mine(self, name: str) -> bool:
        return not any(other in name for other in self._others)

    def groups(self) -> dict[str, str]:
        """Every target group's name by ARN."""
        return {arn: name for arn, name in super().groups().items() if self._is_mine(name)}

    def services(self) -> list[Service]:
        """Every service that is not INACTIVE."""
        return [service for service in super().services() if self._is_mine(service.name)]

    def scalable_targets(self) -> list[str]:
        """The services that have a scalable target."""
        return [name for name in super().scalable_targets() if self._is_mine(name)]

    def alarms(self) -> dict[str, str]:
        """Every alarm by name, as it was put."""
        return {name: text for name, text in super().alarms().items() if self._is_mine(name)}


class Distribution:
    """Gives each rollout's log what concerns it, as calls are made."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._read = len(world.log)
        self._owners: dict[int, str] = {}  # whose a call is that may still be carried out, by its parameters
        self._logs: list[tuple[str, Scenery, list[CallRecord]]] = []

    def add(self, name: str, scenery: Scenery, log: list[CallRecord]) -> None:
        """Another rollout."""
        self._logs.append((name, scenery, log))

    def go_on(self, caller: str | None, *, is_late: bool = False) -> None:
        """Hand out what was logged since.

        `caller`: the rollout whose tick made the calls; None: they came by themselves. `is_late`: a stopped process
        sent it long after it was decided, as a network may deliver one late.
        """
        log = self._world.log
        while self._read < len(log):
            record = log[self._read]
            self._read += 1
            is_read = record.operation.startswith(READS)
            whose = caller or self._owners.get(id(record.params))
            if caller is not None and not is_read:
                self._owners[id(record.params)] = caller
            if is_late and not is_read and record.error is None:
                record = replace(record, error=CallLost("took effect late: its process was stopped"))
            for name, scenery, mine in self._logs:
                if is_read:
                    mine.append(self._of_mine(record, scenery))
                elif name == whose and not self._is_of_test_rule(record, scenery):
                    mine.append(record)

    def _is_of_test_rule(self, record: CallRecord, scenery: Scenery) -> bool:
        """Rules that no user comes by are looked at apart."""
        return record.operation in OF_RULES and record.params.get("RuleArn") in scenery.test_rules

    def _of_mine(self, record: CallRecord, scenery: Scenery) -> CallRecord:
        """An answer about metrics without what is no target group's, or another service's."""
        if record.operation != "GetMetricData" or record.answer is None:
            return record
        others = {one.service for _, one, _ in self._logs if one.service != scenery.service}
        queries = [
            query
            for query in record.params["MetricDataQueries"]
            if (group := _group_of(query)) and not any(other in group for other in others)
        ]
        ids = {query["Id"] for query in queries}
        results = [one for one in record.answer["MetricDataResults"] if one["Id"] in ids]
        return replace(
            record,
            params={**record.params, "MetricDataQueries": queries},
            answer={**record.answer, "MetricDataResults": results},
        )


def _group_of(query: Json) -> str:
    """The target group whose own metric is asked for; empty: an expression, or anything else's."""
    dimensions = query.get("MetricStat", {}).get("Metric", {}).get("Dimensions", ())
    return next((str(one["Value"]) for one in dimensions if one["Name"] == "TargetGroup"), "")
