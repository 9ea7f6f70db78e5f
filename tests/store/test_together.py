"""Writes that wait at the same moment share one transaction; nobody can tell by anything but the time it takes."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from orchestrator.store.sql.sqlite import TOGETHER, SqliteDatabase

Body = Callable[[Connection], Any]
Given = Callable[[Body], "asyncio.Task[Any]"]


class Mistaken(Exception):
    pass


@pytest.fixture
def database(tmp_path: Path) -> Iterator[SqliteDatabase]:
    opened = SqliteDatabase(tmp_path / "teal.db")
    yield opened
    opened.shut()


def while_busy(database: SqliteDatabase, script: Callable[[Given], Awaitable[None]]) -> None:
    """Run a script while the database's thread is kept busy, then let the thread go on and everything end."""

    async def play() -> None:
        may_end, begun = threading.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()

        def keep_busy(_: Connection) -> None:
            loop.call_soon_threadsafe(begun.set)
            may_end.wait()

        given: list[asyncio.Task[Any]] = []

        def give(body: Body) -> "asyncio.Task[Any]":
            given.append(asyncio.create_task(database.write(body)))
            return given[-1]

        first = asyncio.create_task(database.write(keep_busy))
        await begun.wait()
        try:
            await script(give)
            await asyncio.sleep(0)  # every task has handed its body over
        finally:
            may_end.set()
        await asyncio.wait([first, *given])

    asyncio.run(play())


def add(name: str) -> Body:
    statement = text("INSERT INTO claims (key, rollout) VALUES (:name, 'r1')")

    def body(connection: Connection) -> str:
        connection.execute(statement, {"name": name})
        return name

    return body


def mistaken(connection: Connection) -> None:
    add("half")(connection)
    raise Mistaken


def names(database: SqliteDatabase) -> list[str]:
    query = text("SELECT key FROM claims ORDER BY key")
    return asyncio.run(database.read(lambda c: list(c.scalars(query))))


@pytest.fixture
def rollout(database: SqliteDatabase) -> None:
    """The row that the claims of these tests belong to."""
    columns = "id, service, phase, is_active, version, fence, start_key, created_at, event_count, record_count, body"
    row = text(f"INSERT INTO rollouts ({columns}) VALUES ('r1', 's', 'p', 1, 1, 0, 'k', 0, 0, 0, '')")
    asyncio.run(database.write(lambda c: c.execute(row) and None))


def test_waiting_writes_are_one_transaction(database: SqliteDatabase) -> None:
    tasks: list[asyncio.Task[Any]] = []

    async def script(give: Given) -> None:
        tasks.extend(give(lambda c: c.get_transaction()) for _ in range(5))

    while_busy(database, script)
    assert len({id(task.result()) for task in tasks}) == 1


def test_a_transaction_is_bounded(database: SqliteDatabase) -> None:
    tasks: list[asyncio.Task[Any]] = []

    async def script(give: Given) -> None:
        tasks.extend(give(lambda c: c.get_transaction()) for _ in range(TOGETHER + 1))

    while_busy(database, script)
    assert len({id(task.result()) for task in tasks}) == 2


@pytest.mark.usefixtures("rollout")
def test_each_caller_gets_its_own_answer(database: SqliteDatabase) -> None:
    tasks: list[asyncio.Task[Any]] = []

    async def script(give: Given) -> None:
        tasks.extend(give(add(name)) for name in "abc")

    while_busy(database, script)
    assert [task.result() for task in tasks] == ["a", "b", "c"]
    assert names(database) == ["a", "b", "c"]


@pytest.mark.usefixtures("rollout")
def test_a_body_that_raises_takes_nothing_from_its_neighbours(database: SqliteDatabase) -> None:
    tasks: list[asyncio.Task[Any]] = []

    async def script(give: Given) -> None:
        tasks.extend([give(add("a")), give(mistaken), give(add("b"))])

    while_busy(database, script)
    assert names(database) == ["a", "b"]
    assert [tasks[0].result(), tasks[2].result()] == ["a", "b"]
    assert isinstance(tasks[1].exception(), Mistaken)


@pytest.mark.usefixtures("rollout")
def test_a_write_that_is_cancelled_while_it_waits_never_happens(database: SqliteDatabase) -> None:
    async def script(give: Given) -> None:
        give(add("a"))
        gone = give(add("gone"))
        give(add("b"))
        await asyncio.sleep(0)
        gone.cancel()

    while_busy(database, script)
    assert names(database) == ["a", "b"]


@pytest.mark.usefixtures("rollout")
def test_a_write_that_is_cancelled_while_it_runs_happens_whole(database: SqliteDatabase) -> None:
    async def play() -> None:
        begun, may_end, loop = asyncio.Event(), threading.Event(), asyncio.get_running_loop()

        def slow(connection: Connection) -> None:
            add("a")(connection)
            loop.call_soon_threadsafe(begun.set)
            may_end.wait()
            add("b")(connection)

        task = asyncio.create_task(database.write(slow))
        await begun.wait()
        task.cancel()
        await asyncio.wait([task])
        may_end.set()
        assert task.cancelled()
        await database.write(lambda _: None)  # writes come one after the other

    asyncio.run(play())
    assert names(database) == ["a", "b"]
