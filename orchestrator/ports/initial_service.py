"""AWS, as the writing of a rollout file (`teal init`) sees it. Only reads."""

from typing import Protocol

from orchestrator.core.cloud.resources import AlarmSeen
from orchestrator.core.cloud.survey import Survey


class ServiceNames(Protocol):
    """Which services there are."""

    async def services(self, cluster: str) -> tuple[str, ...]:
        """The names of a cluster's services, in order. Raises Outside (Missing: no such cluster)."""
        ...


class RunningService(Protocol):
    """What one service runs, could run, and is watched by."""

    async def running(self, cluster: str, service: str) -> str:
        """The task definition that a service runs. Raises Outside (Missing: no such service)."""
        ...

    async def newest(self, task_definition: str) -> str:
        """The newest active revision of a task definition's family, if it is newer than this one; else empty.

        `task_definition`: ``family:revision``. Raises Outside.
        """
        ...

    async def watchers(self, survey: Survey) -> tuple[AlarmSeen, ...]:
        """The alarms that watch the service of a survey, by name. Raises Outside."""
        ...


class Scout(ServiceNames, RunningService, Protocol):
    """Both: `teal init` for a whole cluster."""
