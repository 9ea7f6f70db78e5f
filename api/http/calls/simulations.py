"""Simulated releases: what a plan is worth, computed beside the server so that no rollout waits for it."""

import asyncio
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.http.request.authorization import check_reach
from api.http.request.bodies import spec_of
from api.http.request.context import Who
from api.http.request.server_state import AtDoor, Door
from api.problems import MistakePart, RequestInvalid, Simulating
from orchestrator.core.analysis.detectable_regression import Measured
from orchestrator.core.domain.roles import Principal
from orchestrator.core.rollout.spec import Spec
from orchestrator.engine.views.traffic import measure
from orchestrator.simulate.defects import Defect
from orchestrator.simulate.report import Simulation, simulate
from orchestrator.simulate.scope import demand_of, foreseen, horizon_of, simulated
from orchestrator.simulate.traffic import ERRORS_USUAL, RATE_MAX, RATE_MIN, Demand

RUNS, RUNS_MAX = 20, 200

router = APIRouter(tags=["before a rollout"])


@router.post("/v1/simulate", operation_id="simulate", summary="Try a plan on simulated releases")
async def simulate_plan(
    request: Request,
    door: AtDoor,
    who: Who,
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

    Nothing is started or kept, and with `rps` nothing is read from AWS. One simulation runs at a time; another one is
    answered with 429. One that would take minutes is refused, with how many runs may be asked for.
    """
    spec = await spec_of(request)
    load, measured = await _load(spec, door, who, rps, error_rate)
    defects = tuple(dict.fromkeys(defect or Defect))
    work = partial(
        simulate,
        spec,
        load,
        runs=_runs(spec, load, runs, len(defects), door.simulated_max),
        seed=seed,
        defects=defects,
        with_advice=False,
        workers=1,
    )
    if door.simulating.locked():
        raise Simulating(what="a simulation is running already", next_step="ask again in a minute")
    async with door.simulating:
        # In a process of its own: it computes for seconds, and ticks must not wait for it.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            report = await asyncio.get_running_loop().run_in_executor(pool, work)
    return replace(report, measured=measured)


async def _load(
    spec: Spec, door: Door, who: Principal, rps: float | None, error_rate: float | None
) -> tuple[Demand, Measured | None]:
    """The rates that were said, or the service's own.

    Raises TrafficUnknown, or Forbidden for a service out of reach.
    """
    if rps is not None:
        usual = ERRORS_USUAL if error_rate is None else error_rate
        return Demand(requests_per_second=rps, error_rate=usual), None
    check_reach(who, str(spec.service))
    measured = await measure(spec, cloud=door.engine.cloud, clock=door.engine.clock)
    return demand_of(measured, spec.metrics.period, error_rate), measured


def _runs(spec: Spec, load: Demand, asked: int | None, defects: int, periods_max: int) -> int:
    """How many rollouts a defect are simulated. Raises RequestInvalid for more than this server computes at once."""
    lasts = horizon_of(foreseen(simulated(spec)[0], load)) / spec.metrics.period
    fit = int(periods_max / (lasts * defects))
    if fit < (asked or 1):
        few = f"ask for at most {fit} runs, or for fewer defects" if fit else "ask for fewer defects"
        much = f"{asked or 1} runs of {defects} defects over {lasts:,.0f} metric periods"
        what = f"{much} are more than is simulated at once"
        raise RequestInvalid([MistakePart(where="query", pointer="/runs", what=what, instead=few)])
    return asked or min(RUNS, fit)
