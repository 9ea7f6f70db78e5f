"""Looks at a service that has no rollout file yet; only reads."""

from orchestrator.core.domain.commands import Actor
from orchestrator.core.domain.ids import RolloutId, revision_name
from orchestrator.core.domain.plan import NAMED_PLANS
from orchestrator.core.phases.pending import survey_need
from orchestrator.core.preflight.environment import surroundings_need
from orchestrator.core.preflight.initial_service import Beginning
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.rollout.spec import ServiceName, Spec
from orchestrator.ports.clock import Clock
from orchestrator.ports.cloud import PreflightCloud
from orchestrator.ports.initial_service import RunningService


async def look_at(
    service: ServiceName,
    *,
    cloud: PreflightCloud,
    scout: RunningService,
    clock: Clock,
    task_definition: str = "",
) -> Beginning:
    """A service as it runs. `task_definition` empty: the newest of blue's family. Raises Outside (Missing: no service).

    `cloud` and `scout` are those of the service's account.
    """
    runs = revision_name(await scout.running(service.cluster, service.service))
    wanted = task_definition or await scout.newest(runs) or runs
    spec = Spec(service=service, task_definition=wanted, plan=NAMED_PLANS["auto"])
    now = clock.now()
    row = Rollout(id=RolloutId(""), spec=spec, author=Actor(name=""), created_at=now)
    survey = await cloud.survey(survey_need(row, now))
    return Beginning(
        service=service,
        task_definition=wanted,
        survey=survey,
        around=await cloud.look_around(surroundings_need(spec, survey), now),
        watchers=await scout.watchers(survey),
        is_named=bool(task_definition),
    )
