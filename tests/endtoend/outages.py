"""AWS does not answer or is asked too much, nobody asks the service, or all it depends on fails: Teal holds."""

import asyncio
import time

from tests.endtoend.stage import Stage

OUTAGE_SECONDS = 5
GROWTH_SECONDS = 7  # after which nobody suspects green's growth of what blue suffers
LONG = """\
service: prod/{service}
revision: {{task_definition: {revision}}}
plan: [{{weight: 50, bake: 10s}}, {{weight: 100, bake: 2s}}]
metrics: {{period: 1s, lag: 2 periods}}
"""
LONGER = LONG.replace("bake: 10s", "bake: 13s")  # an outage that begins then is seen before the bake is over


async def api_is_away_and_then_throttles_while_traffic_moves(made: Stage) -> None:
    shop = await made.shop("away")
    before = await shop.state()
    deploy = await shop.deploy(shop.file(shop.revision(TEAL_DEMO_VERSION="2"), text=LONG))
    await shop.until(lambda view: view.green_percent == 50)
    shop.fault("outage")
    view = await shop.until(lambda view: [hold for hold in view.holds if hold.kind == "aws"])
    assert "503" in view.holds[0].reason or "ServiceUnavailable" in view.holds[0].reason, view.holds
    assert view.green_percent == 50
    shop.fault("outage", end=True)
    await shop.event("hold_cleared: ")
    shop.fault("throttling")
    await shop.until(lambda view: [hold for hold in view.holds if "Rate exceeded" in hold.reason])
    shop.fault("throttling", end=True)
    ended = await deploy.ended()
    assert ended.code == 0, ended
    assert await shop.changes(before) == []
    assert (await shop.load.finish()).shift == {}


async def api_is_away_when_somebody_rolls_back(made: Stage) -> None:
    shop = await made.shop("lost")
    before = await shop.state()
    deploy = await shop.deploy(shop.file(shop.revision(TEAL_DEMO_VERSION="2")))
    await shop.until(lambda view: view.green_percent == 50)
    shop.fault("outage")
    assert (await shop.teal("rollback", shop.name, "-r", "during an outage")).code == 0
    await shop.in_phase("rolling_back")
    await asyncio.sleep(OUTAGE_SECONDS)  # long enough for every wait between attempts to have grown
    shop.fault("outage", end=True)
    back = time.time()
    view = await shop.until(lambda view: view.traffic_on_blue_at)
    assert view.traffic_on_blue_at is not None
    print(f"all traffic on blue {view.traffic_on_blue_at.timestamp() - back:.1f} s after the outage ended")
    ended = await deploy.ended()
    assert ended.code == 3, ended
    assert await shop.changes(before) == []
    assert (await shop.load.finish()).shift == {}


async def all_that_both_colours_depend_on_fails(made: Stage) -> None:
    shop = await made.shop("shared")
    before = await shop.state()
    file = shop.file(shop.revision(TEAL_DEMO_VERSION="2"), "gates: {guard: {errors: 25%}}", text=LONGER)
    deploy = await shop.deploy(file)
    await shop.in_phase("shifting")
    await shop.event("step 1 of 2")
    await asyncio.sleep(GROWTH_SECONDS)
    shop.fault("dependency", rate=0.4, seconds=OUTAGE_SECONDS)
    view = await shop.until(lambda view: [hold for hold in view.holds if "blue itself fails" in hold.reason])
    assert view.green_percent == 50
    ended = await deploy.ended()
    assert ended.code == 0, ended
    assert [event for event in await shop.events() if event.startswith("intervention")] == []
    assert await shop.changes(before) == []
    load = await shop.load.finish()
    assert load.shift == {}
    assert load.failed_by_revision > 0


async def nobody_uses_the_service(made: Stage) -> None:
    shop = await made.shop("silent", is_used=False)
    before = await shop.state()
    file = shop.file(shop.revision(TEAL_DEMO_VERSION="2"), "limits: {hold: 4s}")
    ended = await (await shop.deploy(file)).ended()
    assert ended.code == 3, ended
    assert (await shop.newest()).reason.startswith(
        "held for 4 s: guard: no request reached green in the period"
    )
    assert await shop.changes(before) == []


SCENES = (
    api_is_away_and_then_throttles_while_traffic_moves,
    api_is_away_when_somebody_rolls_back,
    all_that_both_colours_depend_on_fails,
    nobody_uses_the_service,
)
