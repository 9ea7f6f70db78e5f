"""Backups of the store are whole, also of one in use; what is broken is said when it is met, and replaced."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from orchestrator.store.errors import Unusable
from orchestrator.store.opening import must_be_whole
from orchestrator.store.sql.owner_locks import OwnerLocks
from tests.cli.schemas import hold_to_schema
from tests.cli.terminal import Terminal

PAGE = 4096


@pytest.fixture
def store(terminal: Terminal) -> Path:
    return terminal.folder / "teal.db"


def spoil(store: Path) -> None:
    """Overwrite some pages in the middle, as a bad disk does."""
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = bytearray(store.read_bytes())
    middle = len(data) // PAGE // 2 * PAGE
    data[middle : middle + 4 * PAGE] = b"\xa5" * (4 * PAGE)
    store.write_bytes(data)


def test_a_backup_holds_what_lies_in_the_write_ahead_log_too(terminal: Terminal, shifting: str) -> None:
    target = terminal.folder / "backup.db"
    told = terminal.teal("backup", str(target))
    assert told.exit_code == 0, told.output
    assert "holds 1 rollout, 1 of them under way" in told.stdout
    assert target.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in target.parent.glob("backup.db*")] == ["backup.db"]
    copy = terminal.teal("get", shifting, TEAL_STORE=str(target))
    assert copy.stdout == terminal.teal("get", shifting).stdout


def test_a_backup_overwrites_nothing(terminal: Terminal, shifting: str) -> None:
    target = terminal.folder / "backup.db"
    target.write_text("mine")
    refused = terminal.teal("backup", str(target))
    assert refused.exit_code != 0
    assert "is there already: a backup overwrites nothing" in refused.stderr
    assert target.read_text() == "mine"


def test_what_was_ended_since_is_as_it_was_once_a_backup_is_restored(
    terminal: Terminal, rolled_back: str
) -> None:
    target = terminal.folder / "backup.db"
    assert terminal.teal("backup", str(target)).exit_code == 0
    before = terminal.teal("events", rolled_back).stdout
    with closing(sqlite3.connect(terminal.folder / "teal.db")) as connection, connection:
        connection.execute("DELETE FROM events")
    told = terminal.teal("restore", str(target))
    assert told.exit_code == 0, told.output
    assert terminal.teal("events", rolled_back).stdout == before
    assert [*terminal.folder.glob("*.restoring*")] == []


def test_a_backup_with_rollouts_under_way_is_restored_where_that_is_said(
    terminal: Terminal, shifting: str
) -> None:
    target = terminal.folder / "backup.db"
    terminal.teal("backup", str(target))
    refused = terminal.teal("restore", str(target))
    assert refused.exit_code != 0
    assert f"has rollouts under way: {shifting}" in refused.stderr
    assert "--with-active" in refused.stderr
    told = terminal.teal("restore", str(target), "--with-active")
    assert told.exit_code == 0
    assert f"{shifting}. An engine does nothing for it until AWS agrees with it" in told.stderr


def test_what_is_restored_under_way_is_held_against_aws_before_it_goes_on(
    terminal: Terminal, shifting: str, store: Path
) -> None:
    target = terminal.folder / "backup.db"
    terminal.teal("backup", str(target))
    assert terminal.teal("restore", str(target), "--with-active").exit_code == 0
    with closing(sqlite3.connect(store)) as connection:
        ((body,),) = connection.execute("SELECT body FROM rollouts").fetchall()
    assert json.loads(body)["ticks"]["went_back_at"]


def test_a_store_that_an_engine_holds_is_not_restored(
    terminal: Terminal, rolled_back: str, store: Path
) -> None:
    target = terminal.folder / "backup.db"
    terminal.teal("backup", str(target))
    engine = OwnerLocks.beside(store)
    engine.hold("an engine")
    try:
        refused = terminal.teal("restore", str(target))
    finally:
        engine.close()
    assert refused.exit_code != 0
    assert "an engine holds it: an engine" in refused.stderr


def test_a_broken_file_is_no_backup_and_changes_nothing(
    terminal: Terminal, rolled_back: str, store: Path
) -> None:
    target = terminal.folder / "backup.db"
    terminal.teal("backup", str(target))
    spoil(target)
    before = terminal.teal("events", rolled_back).stdout
    refused = terminal.teal("restore", str(target))
    assert refused.exit_code != 0
    assert "is broken" in refused.stderr
    assert terminal.teal("events", rolled_back).stdout == before
    assert "gone.db cannot be read: there is no such file" in terminal.teal("restore", "gone.db").stderr
    other = terminal.folder / "notes.txt"
    other.write_text("no store at all")
    assert "notes.txt is no store of Teal's" in terminal.teal("restore", str(other)).stderr


def test_a_broken_store_is_found_at_a_servers_start_and_wholly_by_command(
    terminal: Terminal, rolled_back: str, store: Path
) -> None:
    assert terminal.teal("check-store").stdout == f"{terminal.url} is whole\n"
    must_be_whole(terminal.url)
    spoil(store)
    with pytest.raises(Unusable, match="is broken") as broken:
        must_be_whole(terminal.url)
    assert "teal restore FILE" in broken.value.next_step
    told = terminal.teal("check-store", "--json")
    assert told.exit_code == 1
    assert '"faults": ["' in told.stdout or '"faults":["' in told.stdout


def test_what_backup_and_restore_print_for_programs_is_as_documented(
    terminal: Terminal, rolled_back: str
) -> None:
    target = terminal.folder / "backup.db"
    hold_to_schema("backup", terminal.json("backup", str(target)))
    hold_to_schema("restore", terminal.json("restore", str(target)))


def test_a_store_that_is_not_made_yet_is_whole(tmp_path: Path) -> None:
    must_be_whole(f"sqlite:///{tmp_path}/teal.db")
