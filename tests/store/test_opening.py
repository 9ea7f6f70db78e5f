"""URLs of stores, and the tables' migrations."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from orchestrator.core.domain.errors import Invalid
from orchestrator.store.errors import Unusable
from orchestrator.store.migrations import HEAD
from orchestrator.store.opening import migrate, open_store
from orchestrator.store.sql.sqlite import SqliteDatabase
from orchestrator.store.sql.tables import metadata
from orchestrator.store.sql.upgrade import MIGRATIONS, revision
from tests.bench.store_ticks import Load, measure

T = TypeVar("T")


def looked(path: Path, body: Callable[[Connection], T]) -> T:
    database = SqliteDatabase(path)
    try:
        return asyncio.run(database.read(body))
    finally:
        database.shut()


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+asyncpg", "mysql", "sqlite+aiosqlite"])
def test_a_url_of_a_store_that_is_not_there_is_refused_without_repeating_its_password(scheme: str) -> None:
    with pytest.raises(Invalid, match=r"store: no store supports .*sqlite:////path/to/teal.db") as caught:
        open_store(f"{scheme}://user:secret@host/db")
    assert scheme in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["", "teal.db", "sqlite://", "sqlite:///:memory:", "sqlite:///a.db?mode=ro"])
def test_a_url_that_names_no_file_is_refused(url: str) -> None:
    with pytest.raises(Invalid, match=r"sqlite:////path/to/teal\.db"):
        open_store(url)


def test_migrating_makes_the_tables_and_again_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "teal.db"
    for _ in range(2):
        migrate(f"sqlite:///{path}")
        assert looked(path, revision) == HEAD


def test_the_migrations_end_at_the_tables_the_code_knows(tmp_path: Path) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))

    assert looked(tmp_path / "teal.db", differences) == []


def test_the_head_the_code_names_is_the_newest_migration() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == HEAD


def test_a_database_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "teal.db"
    migrate(f"sqlite:///{path}")
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(Unusable, match=f"newer version of Teal: its tables are at 9999.* up to {HEAD}"):
        open_store(f"sqlite:///{path}")
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("9999",)
    connection.close()


def test_the_bench_measures_both_stores() -> None:
    figures = measure(Load(rollouts=3, rounds=2))
    assert set(figures) == {"store_sqlite_ticks_per_second", "store_memory_ticks_per_second"}
    assert all(value > 0 for value in figures.values())
