"""A worker's process: does jobs one after the other, and knows nothing of doors.

It reads what strangers wrote, so it is less urgent than the doors and may be killed at any time.
"""

import importlib
import math
import os
import pickle
import resource
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable, Sequence
from io import BufferedRWPair

from api.serving.child import end_with_parent

SIZE = struct.Struct("!I")


def main() -> None:
    """Do what comes over the socket whose descriptor the command line names, until it ends."""
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(fileno=int(sys.argv[1])) as end, end.makefile("rwb") as stream:
        while head := stream.read(SIZE.size):
            (size,) = SIZE.unpack(head)
            job, seconds = pickle.loads(stream.read(size))
            _bound(seconds)
            _answer(stream, _done(job))


def begin(modules: Sequence[str], less_urgent: int) -> None:
    """The first job: load what later ones need, then be so many steps less urgent than now.

    Not the other way round: on a machine that others keep busy the least urgent process loads for minutes.
    """
    for module in modules:
        importlib.import_module(module)
    os.nice(less_urgent)


def nothing() -> None:
    """The least job: given so that a worker is there before one that somebody waits for."""


def _bound(seconds: int) -> None:
    """End this process by a signal once it has used so many more seconds of a core's time."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time()) + seconds, hard))


def _done(job: Callable[[], object]) -> bytes:
    try:
        return pickle.dumps((job(), None))
    except Exception as error:  # it is the asker's, whatever it is
        return pickle.dumps((None, (type(error), error.args, error.__dict__)))


def _answer(stream: BufferedRWPair, body: bytes) -> None:
    stream.write(SIZE.pack(len(body)) + body)
    stream.flush()
