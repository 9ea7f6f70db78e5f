"""The engine and its doors as processes: each one's end, and what it means to the other."""

import json
import os
import signal
import subprocess
import time
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.http.process import PATIENCE, address_of, log_of, serving
from tests.http.process import fill as filled

pytestmark = pytest.mark.machine(seconds=40)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "teal.db"
    filled(path)
    return path


def children_of(parent: int) -> list[int]:
    """Processes that this one started and that live."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == parent and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def until(claim: str, holds: object) -> None:
    """Wait for another process."""
    assert callable(holds)
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, claim
        time.sleep(0.05)


def answers(address: str, path: str) -> int:
    """The status of an answer; 0: none."""
    with closing(HTTPConnection(address.removeprefix("http://"), timeout=PATIENCE)) as connection:
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            return 0


def test_doors_that_die_are_opened_again_and_the_engine_goes_on(store: Path) -> None:
    with serving(store) as server:
        address = address_of(server)
        (doors,) = children_of(server.pid)
        os.kill(doors, signal.SIGKILL)
        until("the doors are open again", lambda: answers(address, "/readyz") == 200)
        assert server.poll() is None
        (again,) = children_of(server.pid)
        assert again != doors
        server.terminate()
        assert server.wait(PATIENCE) == 0
    said = [json.loads(line) for line in log_of(store).read_text().splitlines()]
    assert [line["code"] for line in said if line["event"] == "doors_ended"] == [-signal.SIGKILL]


def test_an_engine_that_is_killed_leaves_no_process_and_no_listener(store: Path) -> None:
    with serving(store) as server:
        address = address_of(server)
        (doors,) = children_of(server.pid)
        body = json.dumps({"service": "prod/checkout", "revision": {"task_definition": "checkout:43"}})
        with closing(HTTPConnection(address.removeprefix("http://"), timeout=PATIENCE)) as connection:
            connection.request("POST", "/v1/simulate?rps=0", body, {"Content-Type": "application/json"})
            connection.getresponse().read()
            connection.request("POST", "/v1/simulate?rps=1e-6", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            assert (answer.status, json.load(answer)["mistakes"][0]["pointer"]) == (422, "/rps")
        workers = children_of(doors)
        assert len(workers) == 1, "the reader, which has read the file"
        server.kill()
        until("all are gone", lambda: not any(is_alive(one) for one in (doors, *workers)))
        assert answers(address, "/healthz") == 0


def urgency(process: int) -> int:
    return os.getpriority(os.PRIO_PROCESS, process)


def test_doors_are_less_urgent_than_the_engine_and_their_reader_than_they_once_it_has_loaded(
    store: Path,
) -> None:
    with serving(store) as server:
        address = address_of(server)
        (doors,) = children_of(server.pid)
        until("the reader has loaded", lambda: [urgency(one) for one in children_of(doors)] == [10])
        assert (urgency(server.pid), urgency(doors)) == (0, 5)
        assert answers(address, "/readyz") == 200


def test_an_engine_that_stands_still_is_not_ready_while_its_doors_answer(store: Path) -> None:
    with serving(store) as server:
        address = address_of(server)
        os.kill(server.pid, signal.SIGSTOP)
        try:
            until("not ready", lambda: answers(address, "/readyz") == 503)
            assert answers(address, "/problems/busy") == 200
        finally:
            os.kill(server.pid, signal.SIGCONT)
        until("ready again", lambda: answers(address, "/readyz") == 200)


def is_alive(process: int) -> bool:
    """True while a process of this number runs."""
    return subprocess.run(["kill", "-0", str(process)], capture_output=True, check=False).returncode == 0
