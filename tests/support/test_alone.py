"""A test that is not marked `machine` is alone: no sockets, no processes, neither its own nor a thread's."""

import asyncio
import socket
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from threading import Thread

import pytest

from tests.support.alone import ALONE

Refused = pytest.fail.Exception


def test_socket_that_listens_or_connects_fails_the_test() -> None:
    with socket.socket() as one:
        with pytest.raises(Refused, match="not marked `machine` and needs a socket that listens"):
            one.bind(("127.0.0.1", 0))
        with pytest.raises(Refused, match="a socket that connects"):
            one.connect(("127.0.0.1", 9))
    assert len(ALONE.told()) == 2


def test_process_fails_the_test_however_it_is_started() -> None:
    async def start() -> None:
        await asyncio.create_subprocess_exec(sys.executable, "-V")

    with pytest.raises(Refused, match="a process"):
        subprocess.run([sys.executable, "-V"], check=True)
    with pytest.raises(Refused, match="a process"):
        asyncio.run(start())
    with pytest.raises(Refused, match="a process"), ProcessPoolExecutor(1, get_context("spawn")) as pool:
        pool.submit(id, 1)
    assert len(ALONE.told()) == 3


def test_what_a_thread_does_or_an_error_hides_is_told_all_the_same() -> None:
    def connect() -> None:
        with suppress(Refused), socket.socket() as one:
            one.connect(("127.0.0.1", 9))

    thread = Thread(target=connect)
    thread.start()
    thread.join()
    assert "a socket that connects" in ALONE.told()[0]


@pytest.mark.machine
def test_marked_test_may_listen() -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
