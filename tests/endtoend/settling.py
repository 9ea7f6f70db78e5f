"""When blue does not take the decided revision, and when somebody rolls back while traffic returns."""

from api.cli.backend.backend import NewCommand
from orchestrator.core.domain.commands import CommandKind
from tests.endtoend.stage import Ended, Stage

WATCHFUL = {
    "minimumHealthyPercent": 100,
    "maximumPercent": 200,
    "deploymentCircuitBreaker": {"enable": True, "rollback": True},
}


def print_from(words: str, ended: Ended) -> None:
    """Print what a person read, from the first line with these words on."""
    lines = ended.out.splitlines()
    first = next(number for number, line in enumerate(lines) if words in line)
    print("\n".join(("…", *lines[first:])))


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
    paged = await shop.event("paged: blue does not start on ")
    assert " tasks stopped, last: " in paged, paged
    assert f"; green serves everybody. Fix what stops them, or `teal rollback {view.id}`" in paged, paged
    assert not deploy.has_ended
    waited = await shop.teal("wait", shop.name, "--until", "done", "--timeout", "1s")
    assert waited.code == 4, waited
    assert (await shop.teal("rollback", shop.name, "-r", "blue cannot start it")).code == 0
    ended = await deploy.ended()
    assert ended.code == 3, ended
    print_from("people are paged", ended)
    assert "held: blue does not start on " in ended.out, ended
    assert "(goes on once blue runs steadily, or a person rolls back)" in ended.out, ended
    assert await shop.on() == former
    assert await shop.changes(before) == []
    assert (await shop.load.finish()).shift == {}


async def breaker_that_puts_the_former_back(made: Stage) -> None:
    shop = await made.shop("broken", deployment=WATCHFUL)
    before = await shop.state()
    new = shop.revision(TEAL_DEMO_VERSION="2")
    shop.fault("crash", service=shop.name, revision=new)
    deploy = await shop.deploy(shop.file(new))
    view = await shop.until(lambda view: [h for h in view.holds if h.kind == "blue"])
    hold = view.holds[0]
    assert hold.reason.startswith(f"blue did not take {new}, it is on "), hold
    assert "circuit breaker" in hold.reason
    assert "stopped, last: Essential container in task exited" in hold.reason, hold
    assert hold.clears_when == "a person resumes (tries once more) or rolls back"
    assert view.green_percent == 100.0
    await shop.event("paged: blue did not take")
    shop.fault("crash", service=shop.name, revision=new, end=True)
    resumed = await shop.teal("resume", shop.name, "-r", "the fault has ended")
    assert resumed.code == 0, resumed
    ended = await deploy.ended()
    assert ended.code == 0, ended
    print_from("people are paged", ended)
    assert f"`teal resume {view.id}` tries once more, `teal rollback {view.id}` goes back" in ended.out, ended
    assert "Scaling activity" not in ended.out, "that is ECS's own stop, and no reason"
    assert await shop.on() == new
    assert await shop.changes(before) == []
    assert (await shop.load.finish()).shift == {}


async def rollback_while_traffic_returns(made: Stage) -> None:
    alarms = {"alarmNames": ["turned-5xx"], "enable": True, "rollback": True}
    shop = await made.shop("turned", deployment={**WATCHFUL, "alarms": alarms})
    before, former = await shop.state(), await shop.on()
    new = shop.revision(TEAL_DEMO_VERSION="2")
    deploy = await shop.deploy(shop.file(new))
    await shop.until(lambda view: view.phase == "settling" and view.green_percent == 50.0)
    # Not by a process of its own: on a busy machine that starts so slowly that all traffic is back by then.
    await shop.door.give((await shop.newest()).id, NewCommand(kind=CommandKind.ROLLBACK, reason="turn round"))
    await shop.event("blue goes back to")
    ended = await deploy.ended()
    assert ended.code == 3, ended
    print_from("rolling back: ", ended)
    assert f"blue goes back to {former} in place, which takes 30 s at least; green keeps 50 %" in ended.out
    assert await shop.on() == former
    assert await shop.changes(before) == []
    assert (await shop.load.finish()).shift == {}


SCENES = (
    blue_that_cannot_start_it,
    breaker_that_puts_the_former_back,
    rollback_while_traffic_returns,
)
