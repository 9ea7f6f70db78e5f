"""A store that cannot be used is told in words with what to do, and is never said to be broken where it is not."""

import errno
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from orchestrator.core.domain.errors import Refused
from orchestrator.store.errors import Unusable
from orchestrator.store.opening import must_be_whole, only_server, open_store
from orchestrator.store.sql import trouble
from tests.contract.store_doors import played

Way = Callable[[str], object]
both_ways = pytest.mark.parametrize("way", [must_be_whole, open_store], ids=["at a server's start", "opened"])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store that is whole."""
    made = tmp_path / "store" / "teal.db"

    async def nothing(_: object) -> None: ...

    played(open_store(f"sqlite:///{made}"), nothing)
    return made


def told(path: Path, way: Way) -> str:
    with pytest.raises(Unusable) as caught:
        way(f"sqlite:///{path}")
    return str(caught.value)


class _Disk:
    """The disk as `statvfs` would show it, and a SQLite that cannot work there."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **found: int) -> None:
        shown = {"f_flag": 0, "f_bavail": 10**6, "f_frsize": 4096, **found}
        monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(**shown))


def test_a_read_only_file_system_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _Disk(monkeypatch, f_flag=os.ST_RDONLY)
    assert trouble.seen_of(path) == (
        "its file system is read-only",
        "Mount it so that it can be written, or name a store elsewhere in TEAL_STORE. Until then `teal rollback "
        "SERVICE --direct` gives blue all traffic without it.",
    )


def test_a_full_disk_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _Disk(monkeypatch, f_bavail=0)
    assert trouble.seen_of(path)[0] == "its disk is full"
    assert "Make room there; the store is as it was" in trouble.seen_of(path)[1]


def test_a_file_that_this_user_may_not_write_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda one, _: Path(one) != path.parent)
    why, to_do = trouble.seen_of(path)
    assert why == f"this user (id {os.getuid()}) may not write {path.parent}"
    assert f"read and write {path.parent}" in to_do


def test_a_folder_that_may_not_be_looked_into_is_said_to_be_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: object) -> None:
        raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "statvfs", refused)
    assert "Permission denied" in trouble.seen_of(path)[0]


@both_ways
def test_a_folder_is_no_store(tmp_path: Path, way: Way) -> None:
    words = told(tmp_path, way)
    assert "it is a folder" in words
    assert "Name a file in TEAL_STORE" in words


def test_what_cannot_be_read_now_is_not_said_to_be_broken(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Putting a backup in the place of a whole store would lose what happened since."""
    (path.parent / "teal.db-wal").unlink(missing_ok=True)
    (path.parent / "teal.db-wal").mkdir()  # as where nothing can be made beside the file
    words = told(path, must_be_whole)
    assert "cannot be read" in words
    assert "broken" not in words
    assert "teal restore" not in words


@both_ways
def test_a_store_of_a_newer_version_says_so(path: Path, way: Way) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0099'")
    if way is must_be_whole:
        must_be_whole(f"sqlite:///{path}")
        return
    assert "was made by a newer version of Teal" in told(path, way)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0099",)]


@pytest.mark.parametrize(
    "spoil", [lambda data: data[:20_000], lambda _: os.urandom(30_000)], ids=["cut", "junk"]
)
def test_a_file_that_is_cut_or_no_store_at_all_is_broken(path: Path, spoil: Callable[[bytes], bytes]) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path.write_bytes(spoil(path.read_bytes()))
    before = path.read_bytes()
    words = told(path, must_be_whole)
    assert "is broken" in words
    assert "teal restore FILE" in words
    assert path.read_bytes() == before


def test_two_servers_do_not_work_on_one_store(path: Path) -> None:
    url = f"sqlite:///{path}"
    with only_server(url):
        with (
            pytest.raises(Refused, match="another `teal serve` works on the store") as caught,
            only_server(url),
        ):
            pass
        assert "end that one first" in caught.value.next_step
    with only_server(url):
        pass  # the first has ended
