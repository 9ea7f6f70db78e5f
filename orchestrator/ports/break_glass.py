"""AWS, as a rollback without server, store or file sees it (`core.break_glass`)."""

from collections.abc import Collection
from typing import Protocol

from orchestrator.core.break_glass.snapshot import Place, Step
from orchestrator.core.domain.ids import TargetGroupArn
from orchestrator.core.rollout.spec import ServiceName


class Direct(Protocol):
    """Looks at a service as it runs, and takes a way back step by step."""

    async def find(self, *, cluster: str, service: str) -> ServiceName:
        """The service of record that is meant; `cluster` empty: the only one that has it. Raises NotFound, Outside."""
        ...

    async def look(self, service: ServiceName, known: Collection[TargetGroupArn] = ()) -> Place:
        """Blue, and everything that divides its traffic with a green. Raises Outside (Missing: no such service).

        `known`: green's target groups of an earlier look, which may be in no rule any more.
        """
        ...

    async def perform(self, step: Step) -> None:
        """Carry a step out; twice is once. Raises Outside; after Unreachable its outcome is unknown."""
        ...
