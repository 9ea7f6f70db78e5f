"""The calendar of freezes: what the settings say and what the store keeps, together, and known soon."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from orchestrator.core.domain.calendar import Freeze
from orchestrator.core.rollout.spec import ServiceName
from orchestrator.engine.calendar import ASK_AGAIN, Calendar
from orchestrator.store.memory.store import MemoryStore
from tests.support.virtual import LoopClock, VirtualLoop, play

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SERVICE = ServiceName(cluster="prod", service="checkout")


def freeze(reason: str, *, begins: int = -1, ends: int = 1, services: tuple[str, ...] = ()) -> Freeze:
    return Freeze(begins=NOON + begins * HOUR, ends=NOON + ends * HOUR, reason=reason, services=services)


def reasons(
    kept: Sequence[Freeze], own: Sequence[Freeze] | None = None, service: ServiceName = SERVICE
) -> list[str]:
    """What a calendar knows of a service."""

    async def script(loop: VirtualLoop) -> list[str]:
        store = MemoryStore()
        await store.keep_freezes(tuple(kept))
        found = await Calendar(store, LoopClock(loop, NOON), own).of(service)
        return [one.reason for one in found]

    return play(script)


def test_the_settings_freezes_and_the_stores_hold_together_each_once() -> None:
    both = freeze("both")
    assert reasons([both, freeze("stores", begins=0)], [both, freeze("own", begins=-2)]) == [
        "own",
        "both",
        "stores",
    ]


def test_a_freeze_that_is_over_is_left_out() -> None:
    assert reasons([freeze("over", begins=-3, ends=0), freeze("to come", begins=1, ends=2)]) == ["to come"]


def test_a_freeze_of_other_services_is_left_out() -> None:
    kept = [freeze("theirs", services=("prod/other",)), freeze("ours", services=("prod/check*",))]
    assert reasons(kept) == ["ours"]
    in_another_account = ServiceName(cluster="prod", service="checkout", account="eu")
    assert reasons(kept, service=in_another_account) == []


def test_a_changed_calendar_is_known_after_ten_seconds() -> None:
    async def script(loop: VirtualLoop) -> list[int]:
        store, clock = MemoryStore(), LoopClock(loop, NOON)
        calendar = Calendar(store, clock)
        counts = [len(await calendar.of(SERVICE))]
        await store.keep_freezes((freeze("new"),))
        for seconds in (ASK_AGAIN.total_seconds() - 1, 1):
            loop.jump(seconds)
            counts.append(len(await calendar.of(SERVICE)))
        return counts

    assert play(script) == [0, 0, 1]


def test_a_server_makes_its_settings_calendar_that_of_the_store() -> None:
    async def script(loop: VirtualLoop) -> list[tuple[str, ...]]:
        store, clock = MemoryStore(), LoopClock(loop, NOON)
        found = []
        for own in ([freeze("a"), freeze("b")], None, []):
            await Calendar(store, clock, own).publish()
            found.append(tuple(one.reason for one in await store.freezes()))
        return found

    assert play(script) == [("a", "b"), ("a", "b"), ()], "settings that say nothing leave it as it is"
