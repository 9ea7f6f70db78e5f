"""An AWS as a process, for a server under attack: ``python -m tests.bench.hostile.aws SERVICES``.

It prints lines of JSON: first its endpoint and services; then every write of a rule's weights, with when and whether
all traffic is on blue; and every call that it answered with an error.
"""

import asyncio
import json
import os
import sys
import time
from datetime import UTC, datetime, timedelta

from sandbox.scenarios.scenery import Scenery, furnish, register, until_steady
from sandbox.wire.skin import Skin
from sandbox.wire.socket import serve
from sandbox.world.kernel.log import CallRecord
from sandbox.world.kernel.settings import WorldSettings
from sandbox.world.world import World

MOVE_SECONDS, LOOK_SECONDS = 0.1, 0.005
PERIOD = timedelta(seconds=5)  # of a CloudWatch minute


async def main(count: int) -> None:
    """Serve until standard input ends."""
    world = World(
        start=datetime.now(UTC) - timedelta(minutes=10), seed=1, minute=PERIOD, settings=WorldSettings.kind()
    )
    world.behaviour.start, world.behaviour.start_spread = timedelta(seconds=1), timedelta(seconds=0)
    shops = [furnish(world, service=f"shop-{n}", listener_port=80 + n, desired=1) for n in range(count)]
    for shop in shops:
        until_steady(world, shop)
    revisions = {}
    for shop in shops:
        revisions[shop.service] = register(world, family=shop.service).rpartition("/")[2]
        world.advance(timedelta(seconds=2))  # AWS limits how often
    world.advance(datetime.now(UTC))
    async with serve(Skin(world)) as endpoint:
        say({"endpoint": endpoint, "region": world.region, "revisions": revisions})
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(move(world)), group.create_task(tell(world, shops))]
            await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
            for task in tasks:
                task.cancel()


async def move(world: World) -> None:
    """Move the World along with the machine's clock."""
    while True:
        world.advance(max(world.now, datetime.now(UTC)))
        await asyncio.sleep(MOVE_SECONDS)


async def tell(world: World, shops: list[Scenery]) -> None:
    """Tell of writes and errors as they come."""
    of_rule = {rule: shop for shop in shops for rule in shop.rules}
    told = len(world.log)
    while True:
        for record in world.log[told:]:
            _tell(record, of_rule)
        told = len(world.log)
        await asyncio.sleep(LOOK_SECONDS)


def _tell(record: CallRecord, of_rule: dict[str, Scenery]) -> None:
    if record.error is not None:
        say({"error": str(record.error), "operation": record.operation, "at": time.time()})
    elif record.operation == "ModifyRule" and record.params["RuleArn"] in of_rule:
        shop = of_rule[record.params["RuleArn"]]
        groups = [
            group
            for action in record.params["Actions"]
            for group in action.get("ForwardConfig", {}).get("TargetGroups", [])
        ]
        others = sum(one.get("Weight", 1) for one in groups if one["TargetGroupArn"] != shop.target_group)
        say({"service": shop.service, "on_blue": others == 0, "at": time.time()})


def say(line: dict[str, object]) -> None:
    """One line for whoever started this."""
    os.write(1, json.dumps(line).encode() + b"\n")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
