"""Reads the load balancer's minutes all along, to see when each can be read and whether it changes."""

import asyncio
from datetime import timedelta

from orchestrator.core.gates.scene import floor_to
from orchestrator.verify.means import Refusal
from orchestrator.verify.scene import Scene

BACK = 10  # minutes
PARTS = 6  # looks a minute


async def watch_datapoints(scene: Scene) -> None:
    """Look for ever; cancelling ends it. A look that fails is one of the facts anyhow."""
    if not scene.place.group or not scene.place.load_balancer:
        return
    minute = scene.wanted.minute
    while True:
        now = scene.now()
        start = floor_to(now, minute) - BACK * minute
        for metric in ("RequestCount", "HTTPCode_Target_2XX_Count"):
            try:
                found = await scene.counts(
                    metric, scene.place.group, start=start, end=now + timedelta(seconds=1)
                )
            except Refusal:
                continue
            scene.means.datapoints.saw(metric, found, now=scene.now(), period=minute)
        await asyncio.sleep(scene.minute / PARTS)
