"""A database of an earlier version, brought to this one with all that was in it."""

import asyncio
import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from orchestrator.core.domain.commands import CommandState
from orchestrator.core.domain.event_chain import first_broken
from orchestrator.core.domain.events import Event
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.ports.rollouts import Filter
from orchestrator.ports.store import Store
from orchestrator.store.codec import encode
from orchestrator.store.errors import Unusable
from orchestrator.store.migrations import HEAD
from orchestrator.store.opening import open_store
from orchestrator.store.sql.owner_locks import OwnerLocks
from orchestrator.store.sql.sqlite import SqliteDatabase
from orchestrator.store.sql.upgrade import MIGRATIONS
from tests.contract.store_doors import Script, T, ids, played
from tests.contract.store_values import NOON, TTL, a_command, a_decision, a_rollout, allow, an_event

R1, R2 = RolloutId("r1"), RolloutId("r2")
EPOCH_US = int(NOON.timestamp() * 1_000_000)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "teal.db"


def play(path: Path, script: Script[T]) -> T:
    return played(open_store(f"sqlite:///{path}"), script)


def made_at(path: Path, version: str) -> sqlite3.Connection:
    """A database as that version made it, and a connection that sees and holds what that version's did."""
    engine = create_engine(f"sqlite:///{path}")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as begun:
        config.attributes["connection"] = begun
        command.upgrade(config, version)
    engine.dispose()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA foreign_keys=ON")
    return connection


def insert(connection: sqlite3.Connection, table: str, **values: object) -> None:
    marks = ", ".join("?" * len(values))
    connection.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))


def insert_rollout(connection: sqlite3.Connection, rollout: Rollout, events: list[Event]) -> None:
    is_active = not rollout.phase.is_final
    insert(
        connection,
        "rollouts",
        id=rollout.id,
        service=str(rollout.spec.service),
        phase=rollout.phase.value,
        is_active=is_active,
        version=7,
        fence=3,
        wake_at=EPOCH_US if is_active else None,
        start_key=f"key {rollout.id}",
        created_at=EPOCH_US,
        event_count=len(events),
        record_count=1,
        body=encode(rollout),
    )
    for number, told in enumerate(events, start=1):
        insert(
            connection,
            "events",
            rollout=rollout.id,
            number=number,
            kind=told.kind.value,
            at=EPOCH_US,
            body=encode(told),
        )


def fill(connection: sqlite3.Connection) -> None:
    """An active rollout with one of everything, and one that has ended."""
    with connection:
        log = [an_event("it began"), an_event("ünd went on", at=NOON + TTL), an_event("and on")]
        insert_rollout(connection, a_rollout("r1"), log)
        ended = replace(a_rollout("r2", service="cart"), phase=Phase.SUCCEEDED)
        insert_rollout(connection, ended, [an_event("it ended")] * 1500)
        insert(connection, "claims", key="prod/checkout", rollout="r1")
        insert(connection, "records", rollout="r1", number=1, key="k", kind="stop", at=EPOCH_US, body="{}")
        for number, (key, state) in enumerate([("c1", "applied"), ("c2", "accepted")], start=1):
            row = {"rollout": "r1", "key": key, "number": number, "state": state, "text": "as it was"}
            insert(connection, "commands", **row, body=encode(a_command(key)))


@pytest.fixture
def first(path: Path) -> Path:
    """A database of the first version, with rows."""
    connection = made_at(path, "0001")
    fill(connection)
    connection.close()
    return path


def asked(path: Path, query: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def test_rows_of_the_first_version_are_all_there_afterwards(first: Path) -> None:
    tables = ["rollouts", "claims", "events", "records", "commands"]
    before = {table: asked(first, f"SELECT count(*) FROM {table}") for table in tables}

    async def look(store: Store) -> None:
        assert (await store.load(R1)).rollout == a_rollout("r1")
        assert (await store.load(R1)).version == 7
        assert ids((await store.list(Filter(is_active=True)))[0]) == ["r1"]
        assert [(await store.command(R1, key)).state for key in ("c1", "c2")] == ["applied", "accepted"]
        assert [record.key for record in await store.records(R1)] == ["k"]
        assert (await store.services())[0] == ("prod/cart", "prod/checkout")

    play(first, look)
    assert {table: asked(first, f"SELECT count(*) FROM {table}") for table in tables} == before
    assert asked(first, "SELECT version_num FROM alembic_version") == [(HEAD,)]
    assert asked(first, "PRAGMA foreign_key_check") == []


def test_rollouts_of_the_first_version_go_on_where_they_were(first: Path) -> None:
    async def go_on(store: Store) -> None:
        (leased,) = await store.lease_due(owner="one", now=NOON, ttl=TTL, limit=9)
        assert (leased.fence, leased.commands) == (4, (a_command("c2"),))
        done = await store.commit(leased, a_decision(leased, events=(an_event("new"),)))
        assert done.stored.version == 8
        seen = await store.add_command(R1, a_command("c1", at=NOON + TTL), check=allow)
        assert seen.state is CommandState.APPLIED  # its key still stands for what it was

    play(first, go_on)


@pytest.mark.parametrize("rollout", [R1, R2])
def test_events_of_the_first_version_are_chained_and_new_ones_follow(first: Path, rollout: RolloutId) -> None:
    async def chain(store: Store) -> int | None:
        if rollout == R1:
            (leased,) = await store.lease_due(owner="one", now=NOON, ttl=TTL, limit=9)
            await store.commit(leased, a_decision(leased, events=(an_event("new"),)))
        log = await store.events(rollout, limit=10_000)
        assert len(log) == {R1: 4, R2: 1500}[rollout]
        return first_broken((seen.rollout, seen.number, seen.event, seen.chain) for seen in log)

    assert play(first, chain) is None


def test_an_event_that_cannot_be_read_stops_no_migration_and_breaks_its_own_chain_alone(first: Path) -> None:
    connection = sqlite3.connect(first)
    with connection:
        connection.execute("UPDATE events SET body = '{}' WHERE rollout = 'r1' AND number = 2")
    connection.close()
    with pytest.raises(Unusable, match="rollout r1 cannot be read"):
        play(first, lambda store: store.events(R1))
    links = asked(first, "SELECT chain FROM events WHERE rollout = 'r1' ORDER BY number")
    assert [bool(link) for (link,) in links] == [True, False, True]
    assert len(play(first, lambda store: store.events(R2, limit=10_000))) == 1500


def test_a_start_key_of_the_first_version_is_free_a_day_later(first: Path) -> None:
    async def start_again(store: Store) -> None:
        again = a_rollout("r3", service="cart", created_at=NOON + timedelta(days=1))
        made = await store.create(again, claims=frozenset(), key="key r2", events=(), wake_at=NOON)
        assert made.rollout.id == "r3"

    play(first, start_again)


def test_rows_that_refer_to_nothing_stop_the_migration_before_it_changes_anything(first: Path) -> None:
    connection = sqlite3.connect(first)
    with connection:
        connection.execute("UPDATE claims SET rollout = 'lost'")
    connection.close()
    with pytest.raises(Unusable, match="its table claims refers to rows of rollouts that are not there"):
        open_store(f"sqlite:///{first}")
    assert asked(first, "SELECT version_num FROM alembic_version") == [("0001",)]


def test_references_hold_in_a_store_that_was_just_migrated(first: Path) -> None:
    database = SqliteDatabase(first)
    assert asyncio.run(database.write(lambda c: c.exec_driver_sql("PRAGMA foreign_keys").scalar())) == 1
    database.shut()


def test_the_tables_are_not_changed_under_an_engine_that_works_on_them(path: Path) -> None:
    made_at(path, "0003").close()
    engine = OwnerLocks.beside(path)
    engine.hold("an engine of the version before")
    with pytest.raises(
        Unusable, match=f"an engine works on it: its tables are at 0003, this version's are at {HEAD}"
    ):
        open_store(f"sqlite:///{path}")
    engine.close()
    play(path, lambda store: store.next_due())
