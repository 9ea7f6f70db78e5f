"""Simulated releases: what a plan is worth, computed beside the server so that no rollout waits for it."""

import asyncio
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.http.bodies import spec_of
from api.http.door import AtDoor
from api.problems import Simulating
from orchestrator.simulate.defects import Defect
from orchestrator.simulate.report import Simulation, simulate
from orchestrator.simulate.traffic import Demand

RUNS, RUNS_MAX = 20, 200

router = APIRouter(tags=["before a rollout"])


@router.post("/v1/simulate", operation_id="simulate", summary="Try a plan on simulated releases")
async def simulate_plan(
    request: Request,
    door: AtDoor,
    rps: Annotated[float, Query(gt=0, le=1_000_000, description="Requests a second of the service.")] = 100,
    error_rate: Annotated[
        float, Query(ge=0, lt=1, description="Share of its requests that fails anyway.")
    ] = 0.001,
    defect: Annotated[list[Defect] | None, Query(description="Only these defects; may be repeated.")] = None,
    runs: Annotated[int, Query(ge=1, le=RUNS_MAX, description="Simulated rollouts a defect.")] = RUNS,
    seed: Annotated[int, Query(ge=0, le=2**53, description="The same seed is the same traffic.")] = 1,
) -> Simulation:
    """Simulate rollouts of the body's file with good and bad releases, beside what others would do.

    Nothing is started, read from AWS or kept. One simulation runs at a time; another one is answered with 429.
    """
    spec = await spec_of(request)
    work = partial(
        simulate,
        spec,
        Demand(requests_per_second=rps, error_rate=error_rate),
        runs=runs,
        seed=seed,
        defects=tuple(dict.fromkeys(defect or Defect)),
        with_advice=False,
        workers=1,
    )
    if door.simulating.locked():
        raise Simulating(what="a simulation is running already", next_step="ask again in a minute")
    async with door.simulating:
        # In a process of its own: it computes for seconds, and ticks must not wait for it.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            return await asyncio.get_running_loop().run_in_executor(pool, work)
