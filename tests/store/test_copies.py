"""A copy that is not whole is none: neither a backup, nor what a store is replaced by."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from orchestrator.store.errors import Unusable
from orchestrator.store.sql import copies
from orchestrator.store.sql.sqlite import SqliteDatabase

ORPHAN = "INSERT INTO claims (key, rollout) VALUES ('service prod/checkout', 'nobody')"


def store(path: Path, *, is_broken: bool = False) -> Path:
    """A store; broken: a row of it refers to one that is not there, which a quick look does not see."""
    SqliteDatabase(path).shut()
    with closing(sqlite3.connect(path)) as connection, connection:
        if is_broken:
            connection.execute(ORPHAN)
    assert copies.faults(path, is_full=False) == ()
    return path


def test_a_store_that_is_not_whole_is_not_taken_for_a_backup(tmp_path: Path) -> None:
    source, target = store(tmp_path / "teal.db", is_broken=True), tmp_path / "backup.db"
    with pytest.raises(Unusable, match="a row of claims refers to one of rollouts that is not there"):
        copies.backup(source, target)
    assert not list(tmp_path.glob("backup*")), "nothing is left of it"
    whole = store(tmp_path / "whole.db")
    assert copies.backup(whole, target).rollouts == 0


def test_a_backup_that_is_not_whole_replaces_nothing(tmp_path: Path) -> None:
    source, path = store(tmp_path / "backup.db", is_broken=True), store(tmp_path / "teal.db")
    before = path.read_bytes()
    with pytest.raises(Unusable, match="is broken"):
        copies.restore(path, source, with_active=False)
    assert path.read_bytes() == before
    assert copies.faults(path, is_full=True) == ()
