"""When blue does not take the decided revision, and when somebody turns round half-way home."""

from tests.endtoend.stage import Stage

WATCHFUL = {
    "minimumHealthyPercent": 100,
    "maximumPercent": 200,
    "deploymentCircuitBreaker": {"enable": True, "rollback": True},
}


async def blue_that_cannot_start_it(made: Stage) -> None:
    shop = await made.shop("stuck")
    before, former = await shop.state(), await shop.on()
    new = shop.revision(TEAL_DEMO_VERSION="2")
    shop.fault("crash", service=shop.name, revision=new)  # on blue only: green has a name of its own
    deploy = await shop.deploy(shop.file(new))
    view = await shop.until(lambda view: [hold for hold in view.holds if hold.kind == "blue"])
    assert view.holds[0].reason.startswith(f"blue does not start on {new}: "), view
    assert "Essential container in task exited" in view.holds[0].reason, view
    assert (view.phase, view.green_percent) == ("settling", 100.0)
    await shop.told(f"paged: {view.holds[0].reason}; green serves")
    print(f"people are called: {view.holds[0].reason}; green serves")
    assert not deploy.has_ended
    waited = await shop.teal("wait", shop.name, "--until", "done", "--timeout", "1s")
    assert waited.code == 4, waited
    assert (await shop.teal("rollback", shop.name, "-r", "blue cannot start it")).code == 0
    ended = await deploy.ended()
    assert ended.code == 3, ended
    assert await shop.on() == former
    assert await shop.changes(before) == []
    assert (await shop.load.finish()).failed_by_shift == 0


async def breaker_that_puts_the_former_back(made: Stage) -> None:
    shop = await made.shop("broken", deployment=WATCHFUL)
    before = await shop.state()
    new = shop.revision(TEAL_DEMO_VERSION="2")
    shop.fault("crash", service=shop.name, revision=new)
    deploy = await shop.deploy(shop.file(new))
    view = await shop.until(lambda view: [h for h in view.holds if h.kind == "blue"])
    hold = view.holds[0]
    assert hold.reason.startswith(f"blue did not take {new} (it is on "), hold
    assert "circuit breaker" in hold.reason
    assert hold.clears_when == "a person resumes (tries once more) or rolls back"
    assert view.green_percent == 100.0
    await shop.told("paged: blue did not take")
    shop.fault("crash", service=shop.name, revision=new, end=True)
    resumed = await shop.teal("resume", shop.name, "-r", "the fault has ended")
    assert resumed.code == 0, resumed
    ended = await deploy.ended()
    assert ended.code == 0, ended
    assert await shop.on() == new
    assert await shop.changes(before) == []
    assert (await shop.load.finish()).failed_by_shift == 0


async def rollback_half_way_home(made: Stage) -> None:
    alarms = {"alarmNames": ["turned-5xx"], "enable": True, "rollback": True}
    shop = await made.shop("turned", deployment={**WATCHFUL, "alarms": alarms})
    before, former = await shop.state(), await shop.on()
    new = shop.revision(TEAL_DEMO_VERSION="2")
    deploy = await shop.deploy(shop.file(new))
    await shop.until(lambda view: view.phase == "settling" and view.green_percent == 50.0)
    assert (await shop.teal("rollback", shop.name, "-r", "turn round")).code == 0
    await shop.told("blue goes back to")
    ended = await deploy.ended()
    assert ended.code == 3, ended
    assert await shop.on() == former
    assert await shop.changes(before) == []
    assert (await shop.load.finish()).failed_by_shift == 0


SCENES = (
    blue_that_cannot_start_it,
    breaker_that_puts_the_former_back,
    rollback_half_way_home,
)
