"""What only a file can get wrong: several processes, sudden deaths, bad rows, and the file itself."""

import asyncio
import logging
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from orchestrator.core.domain.ids import RolloutId
from orchestrator.ports.outbox import Delivery
from orchestrator.ports.store import Store
from orchestrator.store.errors import Unusable
from orchestrator.store.opening import open_store
from orchestrator.store.sql.sqlite import SqliteDatabase
from tests.contract.store_doors import Script, T, played
from tests.contract.store_values import NOON, TTL, a_command, a_decision, a_rollout, allow, an_event

ROOT = Path(__file__).parents[2]
R1 = RolloutId("r1")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "teal.db"


def play(path: Path, script: Script[T]) -> T:
    return played(open_store(f"sqlite:///{path}"), script)


def edit(path: Path, statement: str, *values: object) -> None:
    """Change the file behind the store's back."""
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement, values)
    connection.close()


async def due_for_another(store: Store) -> tuple[Delivery, ...]:
    return await store.lease_deliveries("sink", owner="two", now=NOON, ttl=TTL, limit=9)


async def start(store: Store, name: str = "r1") -> None:
    await store.create(
        a_rollout(name), claims=frozenset({name}), key=name, events=(an_event(),), wake_at=NOON
    )


def contender(path: Path, owner: str, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.store.contender", str(path), owner, *more]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def said(process: subprocess.Popen[str]) -> str:
    """All that a process printed; it does not outlive the test."""
    with process:
        try:
            return process.communicate(timeout=300)[0]
        finally:
            process.kill()


def by_rollout(told: list[list[str]]) -> list[list[str]]:
    """What each process told of each rollout, in order."""
    return [
        [line for line in lines if line.startswith(name)]
        for lines in told
        for name in {line.split()[0] for line in lines}
    ]


# --- several at once ---


@pytest.mark.machine(seconds=20)
def test_two_processes_never_lease_the_same_row(path: Path) -> None:
    names = [f"r{number:02}" for number in range(40)]

    async def fill(store: Store) -> None:
        for name in names:
            await start(store, name)

    play(path, fill)
    both = [contender(path, "one"), contender(path, "two")]
    lines = [line for each in both for line in said(each).splitlines()]
    assert [each.returncode for each in both] == [0, 0]
    assert sorted(lines) == [f"{name} 1" for name in names]


@pytest.mark.machine
def test_two_processes_never_tell_the_same_event_nor_out_of_order(path: Path) -> None:
    names = [f"r{number:02}" for number in range(20)]

    async def fill(store: Store) -> None:
        await store.open_sink("sink", now=NOON)
        for name in names:
            await start(store, name)
        for leased in await store.lease_due(owner="one", now=NOON, ttl=TTL, limit=99):
            await store.commit(leased, a_decision(leased, events=(an_event("a"), an_event("b"))))

    play(path, fill)
    both = [contender(path, "one", "tell"), contender(path, "two", "tell")]
    told = [said(each).splitlines() for each in both]
    assert [each.returncode for each in both] == [0, 0]
    assert sorted(told[0] + told[1]) == [f"{name} {number}" for name in names for number in (1, 2, 3)]
    assert all(lines == sorted(lines, key=lambda line: line.split()[1]) for lines in by_rollout(told))


def test_a_file_is_opened_and_made_by_many_at_once(path: Path) -> None:
    def open_and_start(number: int) -> None:
        play(path, lambda store: start(store, f"r{number}"))

    with ThreadPoolExecutor(max_workers=6) as pool:
        list(pool.map(open_and_start, range(6)))

    async def count(store: Store) -> int:
        return len(await store.lease_due(owner="one", now=NOON, ttl=TTL, limit=9))

    assert play(path, count) == 6


def test_a_command_of_another_process_reaches_the_one_that_ticks(path: Path) -> None:
    async def both(engine: Store) -> None:
        terminal = open_store(f"sqlite:///{path}")
        await start(engine)
        (leased,) = await engine.lease_due(owner="one", now=NOON, ttl=TTL, limit=1)
        await terminal.add_command(R1, a_command(), check=allow)
        done = await engine.commit(leased, a_decision(leased, wake_at=None))
        assert (done.commands, done.stored.wake_at) == ((a_command(),), NOON)
        await terminal.close()

    play(path, both)


def test_many_calls_at_once_in_one_process_take_their_turns(path: Path) -> None:
    async def crowd(store: Store) -> None:
        await start(store)
        async with asyncio.TaskGroup() as group:
            for number in range(50):
                group.create_task(store.add_command(R1, a_command(f"c{number}"), check=allow))
        (leased,) = await store.lease_due(owner="one", now=NOON, ttl=TTL, limit=1)
        assert len({command.key for command in leased.commands}) == 50

    play(path, crowd)


# --- sudden deaths ---


@pytest.mark.machine
def test_a_process_killed_in_the_middle_of_a_commit_leaves_nothing_of_it(path: Path) -> None:
    play(path, start)
    victim = contender(path, "one", "die")
    assert (said(victim), victim.returncode) == ("leased\n", -signal.SIGKILL)

    async def look(store: Store) -> None:
        stored = await store.load(R1)
        assert (stored.rollout, stored.version) == (a_rollout(), 1)
        assert len(await store.events(R1)) == 1
        assert await store.records(R1) == ()
        assert await store.lease_due(owner="two", now=NOON, ttl=TTL, limit=1) == ()
        (leased,) = await store.lease_due(owner="two", now=NOON + TTL, ttl=TTL, limit=1)
        assert leased.fence == 2
        await store.commit(leased, a_decision(leased))

    play(path, look)


@pytest.mark.machine
def test_a_process_killed_before_it_has_noted_what_it_told_is_followed_by_one_that_tells_it_again(
    path: Path,
) -> None:
    async def fill(store: Store) -> None:
        await store.open_sink("sink", now=NOON)
        await start(store)

    play(path, fill)
    victim = contender(path, "one", "die-telling")
    assert (said(victim), victim.returncode) == ("told\n", -signal.SIGKILL)

    async def look(store: Store) -> None:
        assert await store.delivery_state("sink", R1) == ""
        assert await store.lease_deliveries("sink", owner="two", now=NOON, ttl=TTL, limit=1) == ()
        (delivery,) = await store.lease_deliveries("sink", owner="two", now=NOON + TTL, ttl=TTL, limit=1)
        assert (delivery.sent, delivery.attempts) == (0, 0)
        await store.delivered(delivery, sent=1, state="told")

    play(path, look)


@pytest.mark.machine
def test_a_process_killed_in_the_middle_of_a_commit_has_nothing_told(path: Path) -> None:
    async def fill(store: Store) -> None:
        await store.open_sink("sink", now=NOON)
        await start(store)
        (delivery,) = await store.lease_deliveries("sink", owner="one", now=NOON, ttl=TTL, limit=1)
        await store.delivered(delivery, sent=1, state="")

    play(path, fill)
    assert said(contender(path, "one", "die")) == "leased\n"
    assert play(path, due_for_another) == ()


def test_a_body_that_raises_leaves_nothing_of_what_it_wrote(path: Path) -> None:
    play(path, start)
    database = SqliteDatabase(path)

    def half(connection: Connection) -> None:
        connection.execute(text("DELETE FROM events"))
        raise LookupError("in the middle")

    with pytest.raises(LookupError, match="in the middle"):
        asyncio.run(database.write(half))
    database.shut()
    assert len(play(path, lambda store: store.events(R1))) == 1


def test_a_cancelled_caller_leaves_a_whole_transaction_and_a_store_that_works(path: Path) -> None:
    async def cancelled(store: Store) -> None:
        call = asyncio.ensure_future(start(store))
        await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await start(store)  # the same key: made before or made now
        assert len(await store.events(R1)) == 1

    play(path, cancelled)


def test_what_was_committed_is_there_after_reopening(path: Path) -> None:
    async def work(store: Store) -> None:
        await start(store)
        (leased,) = await store.lease_due(owner="one", now=NOON, ttl=TTL, limit=1)
        await store.commit(leased, a_decision(leased))

    play(path, work)
    assert play(path, lambda store: store.load(R1)).version == 2


# --- bad rows ---


def test_a_row_that_cannot_be_read_keeps_nobody_else_from_work(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def fill(store: Store) -> None:
        await start(store, "r1")
        await start(store, "r2")

    async def lease_one_by_one(store: Store) -> list[RolloutId]:
        found = []
        for _ in range(3):
            leased = await store.lease_due(owner="one", now=NOON, ttl=TTL, limit=1)
            found += [one.stored.rollout.id for one in leased]
        return found

    play(path, fill)
    edit(path, "UPDATE rollouts SET body = '{}' WHERE id = 'r1'")
    with caplog.at_level(logging.ERROR):
        assert play(path, lease_one_by_one) == ["r2"]
    assert "rollout r1 cannot be read" in caplog.text


def test_loading_a_row_that_cannot_be_read_names_it(path: Path) -> None:
    play(path, start)
    edit(path, "UPDATE rollouts SET body = ? WHERE id = 'r1'", '{"phase": "dreaming"}')
    with pytest.raises(Unusable, match="rollout r1 cannot be read"):
        play(path, lambda store: store.load(R1))


# --- the file ---


def pragma(name: str) -> Callable[[Connection], object]:
    return lambda connection: connection.exec_driver_sql(f"PRAGMA {name}").scalar()


@pytest.mark.parametrize(
    ("name", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 10_000)],
)
def test_the_file_is_opened_durable_and_for_several_processes(path: Path, name: str, value: object) -> None:
    database = SqliteDatabase(path)
    assert asyncio.run(database.write(pragma(name))) == value
    database.shut()


def test_a_new_file_and_its_folders_are_for_this_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "newer" / "teal.db"
    play(path, start)
    modes = [stat.S_IMODE(place.stat().st_mode) for place in (path.parent.parent, path.parent, path)]
    assert modes == [0o700, 0o700, 0o600]


def test_a_file_that_is_no_database_is_refused_as_it_is(path: Path) -> None:
    path.write_text("not a database, but long enough to look at" * 100)
    before = path.read_bytes()
    with pytest.raises(Unusable, match=r"teal\.db cannot be used: file is not a database"):
        open_store(f"sqlite:///{path}")
    assert path.read_bytes() == before


def test_a_folder_in_the_files_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="cannot be used"):
        open_store(f"sqlite:///{tmp_path}")


def test_a_read_that_takes_long_keeps_no_commit_waiting(path: Path) -> None:
    database, may_end = SqliteDatabase(path), threading.Event()

    def slow(connection: Connection) -> int:
        assert may_end.wait(60)
        return int(connection.exec_driver_sql("SELECT count(*) FROM rollouts").scalar_one())

    async def script() -> None:
        reading = asyncio.create_task(database.read(slow))
        await asyncio.sleep(0)
        await database.try_to_write()
        assert not reading.done()
        may_end.set()
        assert await reading == 0
        await database.close()

    asyncio.run(script())


def test_what_only_reads_cannot_write(path: Path) -> None:
    database = SqliteDatabase(path)

    async def script() -> None:
        with pytest.raises(Unusable, match="readonly"):
            await database.read(lambda connection: connection.exec_driver_sql("DELETE FROM rollouts"))
        await database.close()

    asyncio.run(script())
