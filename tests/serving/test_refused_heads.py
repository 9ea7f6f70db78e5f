"""What is no request, or too much of one, is answered as every other error is: as a problem document."""

import json
import socket
import subprocess
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from tests.http.process import PATIENCE, address_of, fill, serving

pytestmark = pytest.mark.machine(seconds=30)

BEFORE = b"GET /v1/rollouts HTTP/1.1\r\nHost: localhost\r\n"
MUCH = 200 * 1024


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """Where a live server listens."""
    path: Path = tmp_path_factory.mktemp("refused") / "teal.db"
    fill(path)
    with serving(path) as server:
        yield of(server)


def of(server: subprocess.Popen[str]) -> tuple[str, int]:
    host, _, port = address_of(server).removeprefix("http://").rpartition(":")
    return host, int(port)


def answers(place: tuple[str, int], sent: bytes) -> list[tuple[int, Message, Any]]:
    """Every answer that comes before the server closes, however much was sent at once: status, headers, JSON."""
    with socket.create_connection(place, timeout=PATIENCE) as client:
        client.sendall(sent)
        came = client.makefile("rb").read()
    found = []
    while came:
        head, _, rest = came.partition(b"\r\n\r\n")
        line, _, fields = head.partition(b"\r\n")
        headers = message_from_bytes(fields)
        size = int(headers["content-length"])
        found.append((int(line.split()[1]), headers, json.loads(rest[:size])))
        came = rest[size:]
    return found


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (BEFORE + b"X-Note: " + b"x" * MUCH, 431, "headers-too-large"),
        (BEFORE + b"X-Note: " + b"x" * MUCH + b"\r\n\r\n", 431, "headers-too-large"),
        (BEFORE + b"X-Note: x\r\n" * 20_000 + b"\r\n", 431, "headers-too-large"),
        (b"GET /" + b"x" * MUCH, 414, "address-too-long"),
        (b"GET /" + b"x" * MUCH + b" HTTP/1.1\r\n\r\n", 414, "address-too-long"),
        (b"hello\r\n\r\n", 400, "malformed"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "malformed"),
        (BEFORE + b"Content-Length: many\r\n\r\n", 400, "malformed"),
        (BEFORE + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\n", 400, "malformed"),
        (BEFORE + b"Transfer-Encoding: gzip\r\n\r\n", 501, "malformed"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100 + b"\r\n\r\n", 400, "malformed"),
    ],
)
def test_what_is_no_request_is_told_so_as_a_problem(
    place: tuple[str, int], sent: bytes, status: int, code: str
) -> None:
    ((told, headers, problem),) = answers(place, sent)
    assert told == status
    assert headers["content-type"] == "application/problem+json"
    assert headers["connection"] == "close"
    assert (problem["status"], problem["code"], problem["type"]) == (status, code, f"/problems/{code}")
    assert problem["detail"]
    assert problem["next_step"]


def test_a_problem_after_a_good_request_comes_after_its_answer(place: tuple[str, int]) -> None:
    good, bad = answers(place, BEFORE + b"\r\n" + BEFORE + b"X-Note: " + b"x" * MUCH)
    assert (good[0], bad[0]) == (200, 431)


def test_a_body_that_breaks_off_in_its_chunks_closes_the_connection_and_no_other(
    place: tuple[str, int],
) -> None:
    head = b"POST /v1/preflight HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    ((status, _, problem),) = answers(place, head + b"zz\r\n")
    assert (status, problem["code"]) == (400, "malformed")
    ((status, *_),) = answers(place, BEFORE + b"Connection: close\r\n\r\n")
    assert status == 200
