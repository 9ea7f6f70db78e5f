"""Measure everything and print it, section by section."""

import sys
import time
from collections.abc import Callable, Iterable

from tests.bench import (
    again,
    bad,
    calibration,
    calls,
    cli,
    core,
    door,
    events,
    proxy,
    smooth,
    stores,
    takeover,
    watching,
)

SECTIONS: dict[str, Callable[[], Iterable[str]]] = {
    "smooth": smooth.measure,
    "again": again.measure,
    "calls": calls.measure,
    "bad": bad.measure,
    "events": events.measure,
    "takeover": takeover.measure,
    "core": core.measure,
    "watching": watching.measure,
    "calibration": calibration.measure,
    "stores": stores.measure,
    "cli": cli.measure,
    "door": door.measure,
    "proxy": proxy.measure,
}


def main(names: list[str]) -> None:
    """Print the sections of these names; all of them if none is named."""
    began = time.perf_counter()
    for name in names or SECTIONS:
        section = time.perf_counter()
        for words in SECTIONS[name]():
            print(words, flush=True)
        print(f"bench_seconds_{name}: {time.perf_counter() - section:.1f}", flush=True)
    print(f"bench_seconds: {time.perf_counter() - began:.1f}")


if __name__ == "__main__":
    main(sys.argv[1:])
