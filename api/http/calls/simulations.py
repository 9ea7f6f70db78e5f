"""Simulated releases: what a plan is worth, computed beside the server so that no rollout waits for it."""

from dataclasses import replace
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.http.request.authorization import check_reach
from api.http.request.bodies import spec_of
from api.http.request.context import AtVisit, Visit
from api.http.request.server_state import AtDoor, Door
from api.problems import MistakePart, RequestInvalid
from orchestrator.core.analysis.detectable_regression import Measured
from orchestrator.core.rollout.spec import Spec
from orchestrator.engine.views.traffic import measure
from orchestrator.simulate.defects import Defect
from orchestrator.simulate.report import Simulation, simulate
from orchestrator.simulate.scope import DAY, demand_of, room_for
from orchestrator.simulate.traffic import ERRORS_USUAL, RATE_MAX, RATE_MIN, Demand

RUNS, RUNS_MAX = 20, 200

router = APIRouter(tags=["before a rollout"])


@router.post("/v1/simulate", operation_id="simulate", summary="Try a plan on simulated releases")
async def simulate_plan(
    request: Request,
    door: AtDoor,
    visit: AtVisit,
    rps: Annotated[
        float | None,
        Query(
            ge=RATE_MIN,
            le=RATE_MAX,
            description="Requests a second of the service. Default: those of its last hour, read from CloudWatch.",
        ),
    ] = None,
    error_rate: Annotated[
        float | None,
        Query(
            ge=0,
            lt=1,
            description="Share of its requests that fails anyway. Default: as `rps`; with `rps`, "
            f"{ERRORS_USUAL:g}.",
        ),
    ] = None,
    defect: Annotated[list[Defect] | None, Query(description="Only these defects; may be repeated.")] = None,
    runs: Annotated[
        int | None,
        Query(
            ge=1,
            le=RUNS_MAX,
            description=f"Simulated rollouts a defect. Default: {RUNS}, fewer where the plan is long.",
        ),
    ] = None,
    seed: Annotated[int, Query(ge=0, le=2**53, description="The same seed is the same traffic.")] = 1,
) -> Simulation:
    """Simulate rollouts of the body's file with good and bad releases, beside what others would do.

    Nothing is started or kept, and with `rps` nothing is read from AWS. One simulation runs at a time, and callers
    take turns. One that would take minutes is refused, with how many runs may be asked for.
    """
    spec = await spec_of(request)
    load, measured = await _load(spec, door, visit, rps, error_rate)
    defects = tuple(dict.fromkeys(defect or Defect))
    fit, lasts = await door.work.read(
        visit.caller, partial(room_for, spec, load, defects=len(defects), periods_max=door.simulated_max)
    )
    work = partial(
        simulate,
        spec,
        load,
        runs=_runs(fit, lasts, runs, len(defects)),
        seed=seed,
        defects=defects,
        with_advice=False,
        workers=1,
    )
    return replace(await door.work.simulate(visit.caller, work), measured=measured)


async def _load(
    spec: Spec, door: Door, visit: Visit, rps: float | None, error_rate: float | None
) -> tuple[Demand, Measured | None]:
    """The rates that were said, or the service's own.

    Raises RequestInvalid for next to no traffic, TrafficUnknown, or Forbidden for a service out of reach.
    """
    if rps is not None:
        if rps * DAY.total_seconds() < 1:
            what = f"{rps:g} requests a second are less than one a day, and a day is simulated"
            instead = "say how many users send"
            raise RequestInvalid([MistakePart(where="query", pointer="/rps", what=what, instead=instead)])
        usual = ERRORS_USUAL if error_rate is None else error_rate
        return Demand(requests_per_second=rps, error_rate=usual), None
    check_reach(visit.principal, str(spec.service))
    measured = await measure(spec, cloud=door.engine.cloud, clock=door.engine.clock)
    return demand_of(measured, spec.metrics.period, error_rate), measured


def _runs(fit: int, lasts: float, asked: int | None, defects: int) -> int:
    """How many rollouts a defect are simulated. Raises RequestInvalid for more than this server computes at once."""
    if fit < (asked or 1):
        few = f"ask for at most {fit} runs, or for fewer defects" if fit else "ask for fewer defects"
        much = f"{asked or 1} runs of {defects} defects over {lasts:,.0f} metric periods"
        what = f"{much} are more than is simulated at once"
        raise RequestInvalid([MistakePart(where="query", pointer="/runs", what=what, instead=few)])
    return asked or min(RUNS, fit)
