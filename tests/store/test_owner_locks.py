"""The leases of a process that died on this host are free at once; those of one that is stopped are not."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.ports.store import Store
from orchestrator.store.opening import open_store
from orchestrator.store.sql.owner_locks import OwnerLocks
from tests.cli.processes import ROOT
from tests.contract.store_values import a_rollout

pytestmark = pytest.mark.machine

LEASE = timedelta(seconds=30)
LEASES = """\
import asyncio, sys, time
from datetime import UTC, datetime, timedelta
from orchestrator.store.opening import open_store

async def lease():
    store = open_store(sys.argv[1])
    leased = await store.lease_due(owner="first", now=datetime.now(UTC), ttl=timedelta(seconds=30), limit=1)
    print(len(leased), flush=True)

asyncio.run(lease())
time.sleep(600)
"""


@contextmanager
def another_process(url: str) -> Iterator[subprocess.Popen[str]]:
    """One that has leased the rollout, and lives."""
    command = [sys.executable, "-c", LEASES, url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "1\n"
            yield process
        finally:
            process.kill()


@pytest.fixture
def url(tmp_path: Path) -> str:
    made = f"sqlite:///{tmp_path}/teal.db"

    async def create() -> None:
        store = open_store(made)
        now = datetime.now(UTC) - timedelta(seconds=1)
        await store.create(a_rollout(), claims=frozenset(), key="key", events=(), wake_at=now)
        await store.close()

    asyncio.run(create())
    return made


def leased_by_another(url: str) -> int:
    """How many rollouts a second engine gets at this moment."""

    async def ask(store: Store) -> int:
        try:
            return len(await store.lease_due(owner="second", now=datetime.now(UTC), ttl=LEASE, limit=1))
        finally:
            await store.close()

    return asyncio.run(ask(open_store(url)))


def test_the_leases_of_a_killed_process_are_taken_over_at_once(url: str) -> None:
    with another_process(url) as process:
        assert leased_by_another(url) == 0, "it lives"
        process.kill()
        process.wait()
        assert leased_by_another(url) == 1
    assert [*Path(f"{url.removeprefix('sqlite:///')}-owners").iterdir()] == [], "nothing of the dead is left"


def test_a_stopped_process_holds_its_leases(url: str) -> None:
    with another_process(url) as process:
        os.kill(process.pid, signal.SIGSTOP)
        assert leased_by_another(url) == 0


def test_of_an_owner_on_another_host_nothing_is_known(tmp_path: Path) -> None:
    elsewhere = OwnerLocks(tmp_path / "owners")
    elsewhere._host = "another host, or this one before it was started again"
    elsewhere.hold("first")
    os.close(elsewhere._held.pop("first"))
    assert not OwnerLocks(tmp_path / "owners").dead()


def test_an_owner_that_ends_in_order_leaves_no_file(tmp_path: Path) -> None:
    locks = OwnerLocks(tmp_path / "owners")
    locks.hold("first")
    locks.close()
    assert [*(tmp_path / "owners").iterdir()] == []


def test_where_no_file_can_be_made_leases_just_last(tmp_path: Path) -> None:
    (tmp_path / "owners").write_text("a file, where the folder should be")
    locks = OwnerLocks(tmp_path / "owners")
    locks.hold("first")
    assert not locks.dead()


def test_one_acts_alone_only_where_no_other_process_works_on_the_store(url: str) -> None:
    async def script() -> None:
        store, now = open_store(url), datetime.now(UTC)
        assert not store.take_alone("second"), "nothing says yet that this one lives"
        with another_process(url):
            assert await store.lease_due(owner="second", now=now, ttl=LEASE, limit=1) == ()
            assert not store.take_alone("second")
        assert store.take_alone("second")
        await store.close()

    asyncio.run(script())


def test_while_one_acts_alone_no_other_is_given_a_lease(url: str) -> None:
    async def script() -> None:
        alone, other = open_store(url), open_store(url)
        later = datetime.now(UTC) + 2 * LEASE
        held = await alone.lease_due(owner="first", now=datetime.now(UTC), ttl=LEASE, limit=1)
        assert len(held) == 1
        assert alone.take_alone("first")
        assert await other.lease_due(owner="second", now=later, ttl=LEASE, limit=1) == ()
        assert not other.take_alone("second")
        assert not alone.take_alone("first"), "the other has shown by now that it lives"
        assert len(await other.lease_due(owner="second", now=later, ttl=LEASE, limit=1)) == 1
        await alone.close()
        await other.close()

    asyncio.run(script())
