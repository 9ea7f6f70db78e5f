"""How much traffic a service has, by its load balancers' metrics: what a simulation begins with; only reads."""

from dataclasses import replace

from orchestrator.core.analysis.detectable_regression import Load, Measured
from orchestrator.core.domain.commands import Actor
from orchestrator.core.domain.errors import Outside, TrafficUnknown
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.phases.pending import survey_need
from orchestrator.core.preflight.environment import LOOKED_BACK, Groups, groups_of, load_window
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.rollout.spec import Spec
from orchestrator.ports.clock import Clock
from orchestrator.ports.cloud import ByAccount, ServiceSurvey, TrafficCloud

SAY_IT = "say how much it has: --rps 100 --error-rate 0.1% (over HTTP: rps=100 and error_rate=0.001)"


async def measure(spec: Spec, *, cloud: ByAccount[TrafficCloud], clock: Clock) -> Measured:
    """A service's traffic of the last sixty periods, as preflight reads it.

    Raises TrafficUnknown where it could not be read or none came, Invalid for an account that the settings do not have.
    """
    there, now, period = cloud.of(spec.account), clock.now(), spec.metrics.period
    try:
        found = await there.load(await _groups(spec, there, clock), period=period, now=now)
    except Outside as error:
        why = ": ".join(part for part in (error.what, error.why) if part)
        raise TrafficUnknown(
            what=f"the traffic of {spec.service} could not be read", why=why, next_step=SAY_IT
        ) from error
    start, end = load_window(now, period)
    if not isinstance(found, Load):
        raise TrafficUnknown(
            what=f"no request came to {spec.service} in its last {LOOKED_BACK} metric periods",
            why=f"CloudWatch has none from {start:%H:%M:%S}Z to {end:%H:%M:%S}Z",
            next_step=SAY_IT,
        )
    return Measured(load=found, start=start, end=end)


async def _groups(spec: Spec, cloud: ServiceSurvey, clock: Clock) -> Groups:
    asked = replace(
        spec, gates=GatesSpec(), rules=(), test_rules=()
    )  # nothing that only a rollout would look at
    now = clock.now()
    row = Rollout(id=RolloutId(""), spec=asked, author=Actor(name=""), created_at=now)
    return groups_of(await cloud.survey(survey_need(row, now)))
