"""A worker's process: does jobs one after the other, and knows nothing of doors.

It reads what strangers wrote, so it is less urgent than everything else and may be killed at any time.
"""

import math
import os
import pickle
import resource
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable
from io import BufferedRWPair

from api.serving.child import end_with_parent

LESS_URGENT = 14  # of Linux's 19 steps below the doors, which are below the engine
SIZE = struct.Struct("!I")


def main() -> None:
    """Do what comes over the socket whose descriptor the command line names, until it ends."""
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(LESS_URGENT)
    with socket.socket(fileno=int(sys.argv[1])) as end, end.makefile("rwb") as stream:
        while head := stream.read(SIZE.size):
            (size,) = SIZE.unpack(head)
            job, seconds = pickle.loads(stream.read(size))
            _bound(seconds)
            _answer(stream, _done(job))


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
