"""Hooks: signed CloudEvents to a real receiver on loopback, and what becomes of its answers."""

import asyncio
import base64
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orchestrator.core.domain.errors import Invalid, Lost
from orchestrator.core.domain.events import Event, EventKind
from orchestrator.core.domain.phases import Phase
from orchestrator.notify.delivery_line import LEASE
from orchestrator.notify.sink import StorePage
from orchestrator.notify.webhook import HookSink
from orchestrator.outbound.retry_after import retry_after
from orchestrator.outbound.send import Outbound
from orchestrator.outbound.signature import key_of, signed
from orchestrator.ports.outbox import Delivery
from orchestrator.settings import Hook, Hosts, Secret
from orchestrator.store.memory.store import MemoryStore
from tests.contract.store_values import NOON
from tests.notify.receiver import SECRET, Answering, Receiver, receiving
from tests.notify.stage import MINUTE, Stage, heard

HERE = Hosts(private=("127.0.0.1",))
HOUR = timedelta(hours=1)


class Scene:
    """A hook, its receiver, and a store whose rollouts are told to it."""

    def __init__(self, stage: Stage, receiver: Receiver, sink: HookSink) -> None:
        self.stage, self.receiver, self.sink = stage, receiver, sink


@asynccontextmanager
async def scene(*, hosts: Hosts = HERE, **hook: Any) -> AsyncIterator[Scene]:  # noqa: ANN401 - the fields of Hook
    stage = Stage(MemoryStore())
    async with receiving(lambda: stage.clock.now().timestamp()) as receiver:
        given: dict[str, Any] = {"name": "chat", "url": receiver.url, "secret": Secret(SECRET), **hook}
        sink = HookSink(Hook(**given), Outbound(hosts), stage.clock, public_url="https://teal.example.com/")
        stage.sinks = (sink,)
        stage.deliverer = stage.anew()
        await stage.open()
        yield Scene(stage, receiver, sink)


def played(script: Callable[[Scene], Awaitable[None]], **given: Any) -> None:  # noqa: ANN401 - as `scene`
    async def main() -> None:
        async with scene(**given) as here:
            await script(here)

    asyncio.run(main())


@pytest.mark.machine
def test_an_event_comes_as_a_signed_cloud_event() -> None:
    async def script(here: Scene) -> None:
        await here.stage.start()
        await here.stage.round()
        (event,), (headers,) = here.receiver.taken, here.receiver.headers
        rollout = event["data"].pop("rollout")
        assert event == {
            "specversion": "1.0",
            "id": "r1/1",
            "source": "https://teal.example.com",
            "type": "teal.rollout.started",
            "subject": "prod/checkout",
            "time": "2026-03-01T12:00:00Z",
            "datacontenttype": "application/json",
            "data": {
                "event": {
                    "number": 1,
                    "kind": "started",
                    "message": "r1 starts",
                    "facts": {"step": 1},
                },
                "url": "https://teal.example.com/v1/rollouts/r1",
            },
        }
        assert (rollout["id"], rollout["phase"], rollout["author"]) == ("r1", "pending", "author")
        assert headers["content-type"] == "application/cloudevents+json; charset=utf-8"
        assert headers["webhook-id"] == event["id"]

    played(script)


def test_signature_is_that_of_the_specification_s_libraries() -> None:
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = signed(
        b'{"test": 2432232314}', key=key_of(Secret(SECRET)), id="msg_p5jXN8AQM9LWM0D4loKWxJek", at=at
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    "text",
    [
        "",
        "whsec_",
        "whsec_!!!",
        SECRET.removeprefix("whsec_"),
        "whsec_" + base64.b64encode(b"short").decode(),
    ],
)
def test_a_secret_that_cannot_sign_is_refused_and_never_shown(text: str) -> None:
    hook = Hook(name="chat", url="https://bot.example.com/", secret=Secret(text))
    with pytest.raises(Invalid) as caught:
        HookSink(hook, Outbound(HERE), Stage(MemoryStore()).clock)
    assert "secret of hook chat cannot sign" in str(caught.value)
    assert len(text) < 10 or text not in str(caught.value)


@pytest.mark.machine
def test_by_default_what_concerns_people_is_told_and_nothing_else() -> None:
    async def script(here: Scene) -> None:
        stage = here.stage
        rollout = await stage.start()
        await stage.happen(rollout, *(stage.event(kind.value, kind) for kind in EventKind))
        await stage.round()
        assert set(here.receiver.messages[1:]) == {
            "started", "phase_changed", "weight_verified", "step_passed", "held", "hold_cleared",
            "window_overridden", "intervention_begun", "intervention_ended", "command_applied",
            "rollback_decided", "traffic_on_blue", "traffic_on_green", "blue_drained",
            "blue_called_back", "paged", "ended", "evidence_lost", "changed_afterwards", "acted_unrecorded",
            "store_went_back",
        }  # fmt: skip

    played(script)


@pytest.mark.machine
def test_a_hook_is_told_of_its_own_kinds_and_services() -> None:
    async def script(here: Scene) -> None:
        stage = here.stage
        for name, service in (("r1", "checkout"), ("r2", "search")):
            rollout = await stage.start(name, service=service)
            await stage.happen(rollout, stage.event(f"{name} ends", EventKind.ENDED), phase=Phase.SUCCEEDED)
        await stage.round()
        assert here.receiver.messages == ["r1 ends"]

    played(script, events=frozenset({EventKind.ENDED}), services=("prod/check*",))


@pytest.mark.machine
def test_after_a_crash_between_telling_and_committing_the_same_id_comes_again_and_none_is_lost() -> None:
    async def script(here: Scene) -> None:
        stage = here.stage
        real, store = stage.store.delivered, stage.store
        rollout = await stage.start()
        await stage.happen(rollout, "one", "two")

        async def dead(delivery: Delivery, **_: object) -> None:
            raise Lost(what=f"{delivery.sink} died")

        store.delivered = dead  # type: ignore[method-assign]
        await stage.round()
        store.delivered = real  # type: ignore[method-assign]
        stage.clock.move(LEASE)
        await stage.round(stage.anew("its successor"))
        assert here.receiver.ids == ["r1/1", "r1/1", "r1/2", "r1/3"]
        first, again = here.receiver.headers[:2]
        assert first["webhook-id"] == again["webhook-id"]
        assert first["webhook-timestamp"] != again["webhook-timestamp"]  # of the attempt, against replays
        assert here.receiver.wrong == []

    played(script)


@pytest.mark.machine
def test_a_receiver_down_for_an_hour_gets_everything_in_order_once_it_is_back() -> None:
    async def script(here: Scene) -> None:
        stage = here.stage
        rollout = await stage.start()
        here.receiver.answer = Answering(status=503)
        for minute in range(60):
            await stage.happen(rollout, f"minute {minute}")
            await stage.later(MINUTE)
        assert (here.receiver.taken, len(here.receiver.headers) < 20) == ([], True)
        here.receiver.answer = Answering()
        await stage.later(10 * MINUTE)
        assert here.receiver.ids == [f"r1/{number}" for number in range(1, 62)]

    played(script)


@pytest.mark.machine
def test_an_address_where_nobody_listens_is_asked_again_until_somebody_does() -> None:
    async def script(here: Scene) -> None:
        stage, right = here.stage, here.receiver.url
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            here.sink._hook = replace(here.sink._hook, url=f"http://127.0.0.1:{unused.getsockname()[1]}/")
            await stage.start()
            with heard() as logs:
                await stage.round()
        (failed,) = [log for log in logs if log["event"] == "delivery_failed"]
        assert (failed["sink"], failed["rollout"], failed["attempt"]) == ("hook chat", "r1", 1)
        here.sink._hook = replace(here.sink._hook, url=right)
        await stage.later(MINUTE)
        assert here.receiver.ids == ["r1/1"]

    played(script)


@pytest.mark.machine
@pytest.mark.parametrize("header", ["1800", "Sun, 01 Mar 2026 12:30:00 GMT"])
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_kept_to_in_seconds_and_as_a_date(status: int, header: str) -> None:
    async def script(here: Scene) -> None:
        await here.stage.start()
        here.receiver.answer = Answering(status=status, headers={"Retry-After": header})
        await here.stage.round()
        here.receiver.answer = Answering()
        await here.stage.later(29 * MINUTE)
        assert len(here.receiver.headers) == 1
        await here.stage.later(MINUTE)
        assert here.receiver.ids == ["r1/1"]

    played(script)


@pytest.mark.parametrize("text", ["", "soon", "-5", "1e9", "٣", "Mon, 99 Foo 2026 99:99:99 GMT"])
def test_a_retry_after_that_says_nothing_is_no_retry_after(text: str) -> None:
    assert retry_after({"retry-after": text}, now=NOON) is None


@pytest.mark.machine
def test_a_receiver_that_is_gone_is_left_alone() -> None:
    async def script(here: Scene) -> None:
        await here.stage.start()
        here.receiver.answer = Answering(status=410)
        with heard() as logs:
            await here.stage.round()
        assert [log["event"] for log in logs] == ["sink_parked", "delivery_failed"]
        here.receiver.answer = Answering()
        await here.stage.later(HOUR)
        assert len(here.receiver.headers) == 1

    played(script)


@pytest.mark.machine
@pytest.mark.parametrize(("status", "soonest"), [(400, 30), (404, 30), (302, 30), (500, 0.5), (408, 0.5)])
def test_unwilling_receivers_are_asked_again_slowly_and_ill_ones_soon(status: int, soonest: float) -> None:
    async def script(here: Scene) -> None:
        await here.stage.start()
        here.receiver.answer = Answering(status=status, headers={"Location": "http://127.0.0.1:1/"})
        with heard() as logs:
            await here.stage.round()
        (failed,) = [log for log in logs if log["event"] == "delivery_failed"]
        assert soonest <= failed["again_in_seconds"] < soonest * 2

    played(script)


@pytest.mark.machine
def test_the_address_and_the_secret_stay_out_of_the_log() -> None:
    async def script(here: Scene) -> None:
        await here.stage.start()
        with heard() as logs:
            for status in (500, 404, 302, 429, 410):
                here.receiver.answer = Answering(status=status)
                await here.stage.later(HOUR)
                await here.stage.round(here.stage.anew())
        told = repr(logs)
        assert "delivery_failed" in told
        assert not [part for part in ("of-the-address", "/teal", SECRET[6:]) if part in told]

    played(script)


@pytest.mark.machine
def test_a_host_that_the_settings_do_not_allow_is_asked_nothing() -> None:
    async def script(here: Scene) -> None:
        await here.stage.start()
        with heard() as logs:
            await here.stage.round()
        (failed,) = [log for log in logs if log["event"] == "delivery_failed"]
        assert failed["again_in_seconds"] >= 30
        assert here.receiver.headers == []

    played(script, hosts=Hosts())


@pytest.mark.machine
def test_an_infinite_fact_is_told_as_a_word() -> None:
    async def script(here: Scene) -> None:
        stage = here.stage
        rollout = await stage.start()
        facts = (("ratio", float("inf")), ("share", 0.5))
        event = Event(kind=EventKind.HELD, at=stage.clock.now(), message="odd", facts=facts)
        await stage.happen(rollout, event)
        await stage.round()
        assert here.receiver.taken[-1]["data"]["event"]["facts"] == {"ratio": "inf", "share": 0.5}

    played(script)


@pytest.mark.machine
@pytest.mark.parametrize(("events", "is_told"), [((), True), (("paged",), True), (("ended",), False)])
def test_a_hook_that_is_told_of_pages_is_told_that_the_store_cannot_be_written(
    events: tuple[str, ...], is_told: bool
) -> None:
    page = StorePage(at=NOON + MINUTE, since=NOON, words="it cannot be written", why="no room", is_over=False)

    async def script(here: Scene) -> None:
        await here.sink.page(page)
        told = [
            {
                "specversion": "1.0",
                "id": "store/2026-03-01T12:01:00Z",
                "source": "https://teal.example.com",
                "type": "teal.store.unwritable",
                "time": "2026-03-01T12:01:00Z",
                "datacontenttype": "application/json",
                "data": {
                    "message": "it cannot be written",
                    "why": "no room",
                    "since": "2026-03-01T12:00:00Z",
                },
            }
        ]
        assert here.receiver.taken == (told if is_told else [])
        assert not here.receiver.wrong

    played(script, events=frozenset(map(EventKind, events)), services=("another/*",))
