"""Break glass: `teal deploy` is killed, nobody serves, and a person returns the traffic to blue with AWS alone."""

import asyncio
import time

from tests.endtoend.stage import LONGEST_SECONDS, LOOK_SECONDS, Shop, Stage

LATE_SECONDS = 375  # so long AWS may still carry out what a killed engine had sent (docs/decisions/0031)

SLOW = """\
service: prod/{service}
revision: {{task_definition: {revision}}}
plan: [{{weight: 50, bake: 10m}}, {{weight: 100, bake: 2s}}]
metrics: {{period: 1s, lag: 2 periods}}
"""


async def blue_serves_alone(shop: Shop) -> None:
    """`teal rollback --direct` with no store at all; no rule gives green anything afterwards."""
    alone = {"TEAL_STORE": "postgresql://nowhere.invalid/teal", "TEAL_SERVER": "http://127.0.0.1:9"}
    seen = await shop.teal("rollback", shop.name, "--direct", "--dry-run", **alone)
    assert seen.code == 0, seen
    assert "Dry run: nothing was touched." in seen.out
    began = time.monotonic()
    ended = await shop.teal("rollback", shop.name, "--direct", "-r", "the server is away", **alone)
    assert ended.code == 0, ended
    print(f"done {time.monotonic() - began:.1f} s after it was given:\n{ended.out}")
    assert f"all traffic is on blue, which runs {shop.name}:1" in ended.out
    pairs = [pair for actions in await shop.rules() for pair in actions[0]["ForwardConfig"]["TargetGroups"]]
    weights = {pair["TargetGroupArn"] == shop.scenery.target_group: pair["Weight"] for pair in pairs}
    assert weights[True] > 0
    assert weights[False] == 0


async def rolled_back_on_aws(made: Stage, name: str, phase: str, text: str) -> None:
    """Kill the engine in a phase, return traffic to blue, start the engine again: it sees a person's rollback."""
    shop = await made.shop(name)
    before, former = await shop.state(), await shop.on()
    file = shop.file(shop.revision(TEAL_DEMO_VERSION="2"), text=text)
    deploy = await shop.deploy(file)
    await shop.until(lambda view: view.phase == phase and view.green_percent)
    while phase == "settling" and await shop.on() == former:  # noqa: ASYNC110 - another process moves it
        await asyncio.sleep(LOOK_SECONDS)  # until blue takes the new revision over
    await deploy.kill()
    await blue_serves_alone(shop)
    ended = await (await shop.deploy(file)).ended(limit=LONGEST_SECONDS + LATE_SECONDS)
    assert ended.code == 3, ended
    view = await shop.newest()
    assert view.phase == "rolled_back"
    assert view.reason is not None
    assert view.reason.startswith("rolled back with AWS alone by "), view.reason
    assert view.reason.endswith(": the server is away"), view.reason
    assert await shop.on() == former
    assert await shop.changes(before) == []
    assert (await shop.load.finish()).shift == {}


async def engine_killed_while_traffic_shifts(made: Stage) -> None:
    await rolled_back_on_aws(made, "glass", "shifting", SLOW)


async def engine_killed_while_blue_takes_over(made: Stage) -> None:
    await rolled_back_on_aws(made, "takeover", "settling", SLOW.replace("10m", "3s"))


SCENES = (
    engine_killed_while_traffic_shifts,
    engine_killed_while_blue_takes_over,
)
