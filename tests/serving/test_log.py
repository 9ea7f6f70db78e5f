"""A log whose disk is full loses lines, and whoever logs goes on."""

import os

import pytest

from api.http.telemetry.logs import Forgiving

pytestmark = pytest.mark.machine


def test_lines_that_find_no_room_are_lost_and_counted_before_the_next() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    log = Forgiving(full)
    for number in range(3):
        log.write(f"line {number}\n")
        log.flush()
    reading, writing = os.pipe()
    os.dup2(writing, full)
    log.write("line 3\n")
    log.flush()
    log.write("line 4\n")
    log.flush()
    assert os.read(reading, 1000).decode() == "3 lines of the log could not be written\nline 3\nline 4\n"
    for descriptor in (full, reading, writing):
        os.close(descriptor)
