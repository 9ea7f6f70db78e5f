"""A log that cannot be flooded."""

import logging
from collections.abc import Mapping

import structlog

from api.http.telemetry.flood import STRANGERS_PER_SECOND, Flood

STRANGER = {"event": "request_answered", "actor": "", "method": "POST"}


class Seconds:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def written(flood: Flood, line: Mapping[str, object], times: int) -> list[dict[str, object]]:
    found = []
    for _ in range(times):
        try:
            found.append(dict(flood(None, "info", dict(line))))
        except structlog.DropEvent:
            continue
    return found


def test_what_strangers_cause_is_written_some_times_a_second_and_the_rest_is_counted() -> None:
    now = Seconds()
    flood = Flood(now)
    lines: list[dict[str, object]] = []
    for second in range(70):
        now.at = float(second)
        lines += written(flood, STRANGER, 3000)
    assert len(lines) <= 80 * STRANGERS_PER_SECOND
    now.at = 100.0
    lines += written(flood, STRANGER, 1)
    assert sum(int(str(line.get("lines_left_out", 0))) for line in lines) == 70 * 3000 + 1 - len(lines)


def test_a_change_by_somebody_known_is_written_though_the_log_is_full_of_strangers() -> None:
    flood = Flood(Seconds())
    written(flood, STRANGER, 10_000)
    change = {"event": "request_answered", "actor": "operator", "method": "POST", "status": 202}
    assert len(written(flood, change, 5000)) == 5000
    for bounded in (
        {"method": "GET", "status": 200},
        {"method": "POST", "status": 422},
        {"method": "POST", "status": 0},
    ):
        assert len(written(Flood(Seconds()), {**change, **bounded}, 5000)) < 5000, "nothing was changed"


def test_other_libraries_lines_are_bounded_too() -> None:
    flood = Flood(Seconds())
    record = logging.LogRecord("asyncio", logging.ERROR, "", 0, "too many open files", None, None)
    assert sum(flood.filter(record) for _ in range(10_000)) <= 60
