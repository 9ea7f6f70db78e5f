"""A store read at a glance, by the standard library alone: what it holds, or that this cannot be told so."""

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.changes import changed
from orchestrator.core.rollout.rollout import Decision
from orchestrator.ports.glance import Glance, NotKept, Row
from orchestrator.ports.rollouts import Filter, Stored
from orchestrator.ports.store import Store
from orchestrator.store.glance import glance
from orchestrator.store.opening import open_store
from tests.contract.store_values import (
    NOON,
    TTL,
    a_command,
    a_decision,
    a_record,
    a_rollout,
    allow,
    an_event,
)

R1 = RolloutId("r1")
HOUR = timedelta(hours=1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "teal.db"


def shown(row: Stored) -> str:
    return json.dumps({"version": row.version, "phase": row.rollout.phase})


def play(path: Path, script: Callable[[Store], Awaitable[Any]], *, keeps: bool = True) -> None:
    async def main() -> None:
        store = open_store(f"sqlite:///{path}", shown=shown if keeps else None)
        try:
            await script(store)
        finally:
            await store.close()

    asyncio.run(main())


async def start(store: Store, name: str = "r1", *, service: str = "checkout", hours: int = 0) -> None:
    row = a_rollout(name, service=service, created_at=NOON + hours * HOUR)
    await store.create(row, claims=frozenset({name}), key=name, events=(an_event(),), wake_at=row.created_at)


async def commit(store: Store, **what: Any) -> None:  # noqa: ANN401 - what `a_decision` takes
    (leased,) = await store.lease_due(owner="one", now=NOON + 10 * HOUR, ttl=TTL, limit=1, only=R1)
    await store.release(await store.commit(leased, a_decision(leased, **what)))


def look(path: Path, ask: Callable[[Glance], Any]) -> Any:  # noqa: ANN401 - what was asked
    with glance(f"sqlite:///{path}") as found:
        return ask(found)


def listed(found: Glance, *, which: Filter, limit: int) -> tuple[tuple[Row, ...], bool]:
    return found.list(which, limit=limit)


def test_a_row_is_kept_when_it_is_made_and_with_every_commit(path: Path) -> None:
    async def script(store: Store) -> None:
        await start(store)
        made = look(path, lambda g: g.load("r1"))
        assert (made.service, made.version, made.wake_at) == ("prod/checkout", 1, NOON)
        assert json.loads(made.shown)["version"] == 1
        await commit(store, wake_at=NOON + HOUR)
        later = look(path, lambda g: g.load("r1"))
        assert (later.version, later.wake_at) == (2, NOON + HOUR)
        assert json.loads(later.shown)["version"] == 2

    play(path, script)


def test_a_row_that_was_woken_has_the_new_time_beside_what_was_kept(path: Path) -> None:
    async def script(store: Store) -> None:
        await start(store)
        await commit(store, wake_at=NOON + HOUR)
        await store.add_command(R1, a_command(kind=CommandKind.PAUSE), check=allow)
        row, full = look(path, lambda g: g.load("r1")), await store.load(R1)
        assert (row.wake_at, row.version) == (full.wake_at, full.version)

    play(path, script)


def test_rows_and_services_come_in_the_order_in_which_the_store_lists_them(path: Path) -> None:
    async def script(store: Store) -> None:
        for hours, (name, service) in enumerate([("a", "cart"), ("b", "checkout"), ("r1", "search")]):
            await start(store, name, service=service, hours=hours)
        (leased,) = await store.lease_due(owner="one", now=NOON + 10 * HOUR, ttl=TTL, limit=1, only=R1)
        over = changed(leased.stored.rollout, phase=Phase.SUCCEEDED, phase_since=NOON)
        await store.commit(leased, Decision(rollout=over, wake_at=None))
        for which in (
            Filter(),
            Filter(is_active=True),
            Filter(is_active=False),
            Filter(service="prod/cart"),
            Filter(phases=frozenset({Phase.SUCCEEDED, Phase.ABANDONED})),
            Filter(service="prod/none"),
        ):
            for limit in (1, 2, 5):
                rows, cursor = await store.list(which, limit=limit)
                found, has_more = look(path, partial(listed, which=which, limit=limit))
                assert [one.service for one in found] == [str(row.rollout.spec.service) for row in rows]
                assert has_more == bool(cursor)
        names, _ = await store.services()
        assert look(path, lambda g: tuple(g.services())) == names
        assert look(path, lambda g: g.find_active("prod/cart")).service == "prod/cart"
        assert look(path, lambda g: g.find_active("prod/search")) is None

    play(path, script)


def test_events_and_the_newest_record_are_those_of_the_store(path: Path) -> None:
    async def script(store: Store) -> None:
        await start(store)
        await commit(
            store,
            events=(an_event("ünd\nweiter"), an_event("on")),
            records=(a_record("k1", body="[1]"), a_record("k2", body="[2]"), a_record("k3", kind="stop")),
        )
        assert look(path, lambda g: g.events("r1", after=0, limit=9)) == await store.events(R1)
        assert look(path, lambda g: g.events("r1", after=1, limit=1)) == await store.events(
            R1, after=1, limit=1
        )
        assert look(path, lambda g: g.newest_record("r1", "interval")) == "[2]"
        assert look(path, lambda g: g.newest_record("r1", "afterwards")) == ""

    play(path, script)


def test_a_store_whose_engine_was_killed_is_read_with_all_that_was_committed(path: Path) -> None:
    play(path, start)
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute(
        "UPDATE rollouts SET service = 'prod/other'"
    )  # stays in the log: nobody lets go of the file
    assert look(path, lambda g: g.load("r1")).service == "prod/other"
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE rollouts SET service = 'prod/not-yet'")
    assert look(path, lambda g: g.load("r1")).service == "prod/other"
    writer.close()


def test_nothing_is_written_by_a_glance_not_even_a_store_that_is_not_there(path: Path) -> None:
    with pytest.raises(NotKept):
        look(path, lambda g: g.load("r1"))
    assert not path.exists()
    play(path, start)
    before = path.read_bytes()
    assert look(path, lambda g: g.load("none")) is None
    with glance(f"sqlite:///{path}") as found, pytest.raises(sqlite3.OperationalError, match="readonly"):
        found._connection.execute("DELETE FROM rollouts")
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "postgresql://u:p@h/db", "sqlite:///a?b=c"]
)
def test_a_store_that_is_no_file_is_not_for_a_glance(url: str) -> None:
    with pytest.raises(NotKept), glance(url):
        pass


def damage(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE alembic_version SET version_num = '0004'",
        "UPDATE alembic_version SET version_num = '9999'",
        "DELETE FROM alembic_version",
        "UPDATE rollouts SET shown = NULL",
        "ALTER TABLE rollouts RENAME COLUMN shown TO other",
    ],
)
def test_rows_that_another_version_wrote_are_not_kept(path: Path, statement: str) -> None:
    play(path, start)
    damage(path, statement)
    with pytest.raises(NotKept):
        look(path, lambda g: g.load("r1"))


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"version":2,"kind":"started"}', '{"kind":"unknown"}'])
def test_an_event_that_is_none_is_left_to_the_store_in_full(path: Path, body: str) -> None:
    play(path, start)
    damage(path, f"UPDATE events SET body = '{body}'")
    with pytest.raises(NotKept):
        look(path, lambda g: g.events("r1", after=0, limit=9))


def test_a_file_that_is_no_database_is_left_to_the_store_in_full(path: Path) -> None:
    path.write_bytes(b"no database at all, but long enough to be looked at" * 100)
    with pytest.raises(NotKept):
        look(path, lambda g: g.load("r1"))


def test_rows_that_kept_nothing_are_kept_some_at_a_time_and_one_that_cannot_be_read_stays(path: Path) -> None:
    async def several(store: Store) -> None:
        for name in ("a", "b", "c", "d", "r1"):
            await start(store, name, service=name)

    play(path, several, keeps=False)
    damage(path, "UPDATE rollouts SET body = '{}' WHERE id = 'b'")

    async def keep(store: Store) -> None:
        assert await store.keep_shown(after="", limit=2) == "b"
        assert await store.keep_shown(after="b", limit=2) == "d"
        assert await store.keep_shown(after="d", limit=2) == ""

    play(path, keep)
    for name in ("a", "c", "d", "r1"):
        row = look(path, partial(loaded, name=name))
        assert json.loads(row.shown)["version"] == row.version == 1
    with pytest.raises(NotKept):
        look(path, lambda g: g.load("b"))


def loaded(found: Glance, *, name: str) -> Row | None:
    return found.load(name)


def test_a_row_that_cannot_be_shown_is_committed_all_the_same_and_told_in_the_log(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(row: Stored) -> str:
        raise ZeroDivisionError

    async def main() -> None:
        store = open_store(f"sqlite:///{path}", shown=broken)
        try:
            await start(store)
            await commit(store, wake_at=NOON + HOUR)
            assert (await store.load(R1)).version == 2
        finally:
            await store.close()

    asyncio.run(main())
    assert "row_not_shown rollout=r1" in caplog.text
    with pytest.raises(NotKept):
        look(path, lambda g: g.load("r1"))
