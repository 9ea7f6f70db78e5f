"""Every kind of bad revision is taken back by itself, with a reason that a person understands."""

from tests.endtoend.stage import Ended, Shop, Stage


async def taken_back(shop: Shop, revision: str, *more: str, lost: frozenset[str] = frozenset()) -> Ended:
    """Deploy it; it must end rolled back with everything as before and blue serving.

    `lost`: ways of failing that the load cannot lay at the revision's door, though they are its fault.
    """
    before, former = await shop.state(), await shop.on()
    ended = await (await shop.deploy(shop.file(revision, *more))).ended()
    assert ended.code == 3, ended
    view = await shop.newest()
    assert view.phase == "rolled_back"
    assert view.reason in ended.out
    assert await shop.on() == former
    assert await shop.changes(before) == []
    seen = await shop.load.finish()
    assert seen.shift.keys() <= lost, seen
    assert seen.revisions[former].failed == 0, seen
    print(f"{shop.name}: {view.reason}")
    return ended


async def fails_requests(made: Stage) -> None:
    shop = await made.shop("errors")
    ended = await taken_back(shop, shop.revision(TEAL_DEMO_ERROR_RATE="0.3"))
    assert "failed on green in the period from" in ended.out


async def crashes_after_some_seconds(made: Stage) -> None:
    shop = await made.shop("crashes")
    # A group whose tasks have all died has the load balancer answer, and 503 names no revision.
    ended = await taken_back(shop, shop.revision(TEAL_DEMO_CRASH_AFTER="6"), lost=frozenset({"503"}))
    assert "health: " in (await shop.newest()).reason, ended


async def crashes_at_once(made: Stage) -> None:
    shop = await made.shop("dies")
    await taken_back(shop, shop.revision(TEAL_DEMO_CRASH_AFTER="0"))
    reason = (await shop.newest()).reason
    assert reason.startswith("green does not start: "), reason
    assert "Essential container in task exited" in reason, reason


async def is_never_healthy(made: Stage) -> None:
    shop = await made.shop("ill")
    await taken_back(shop, shop.revision(TEAL_DEMO_UNHEALTHY="1"), "limits: {provision: 8s}")
    reason = (await shop.newest()).reason
    assert reason.startswith("green was not ready within 8 s, still waiting for: "), reason
    assert "0 of 2 targets are healthy" in reason, reason


async def starts_too_slowly(made: Stage) -> None:
    shop = await made.shop("slow")
    await taken_back(shop, shop.revision(TEAL_DEMO_SLOW_START="60"), "limits: {provision: 8s}")
    assert "0 of 2 targets are healthy" in (await shop.newest()).reason


async def has_no_room(made: Stage) -> None:
    shop = await made.shop("full")
    shop.fault("no_capacity")
    await taken_back(shop, shop.revision(TEAL_DEMO_VERSION="2"), "limits: {provision: 8s}")
    reason = (await shop.newest()).reason
    assert "Capacity is unavailable at this time" in reason, reason


SCENES = (
    fails_requests,
    crashes_after_some_seconds,
    crashes_at_once,
    is_never_healthy,
    starts_too_slowly,
    has_no_room,
)
