"""What a first rollout file is written from: a service as it runs, and what watches it."""

from dataclasses import dataclass

from orchestrator.core.cloud.resources import AlarmSeen
from orchestrator.core.cloud.survey import Survey
from orchestrator.core.preflight.environment import Surroundings
from orchestrator.core.rollout.spec import ServiceName


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """A service as it was found. `survey.revision` is the one that the file will name."""

    service: ServiceName
    task_definition: str  # ``family:revision``: the newest, else the one that blue runs
    survey: Survey
    around: Surroundings
    watchers: tuple[AlarmSeen, ...]  # alarms on the service, its target groups or load balancers, by name
    is_named: bool = False  # by whoever asked; else it is the newest, which nobody has checked
