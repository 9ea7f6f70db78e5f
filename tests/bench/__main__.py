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
    restarts,
    smooth,
    stores,
    takeover,
    watching,
)
from tests.bench.hostile import cells

SECTIONS: dict[str, Callable[[], Iterable[str]]] = {
    "smooth": smooth.measure,
    "again": again.measure,
    "calls": calls.measure,
    "bad": bad.measure,
    "events": events.measure,
    "takeover": takeover.measure,
    "restarts": restarts.measure,
    "core": core.measure,
    "watching": watching.measure,
    "calibration": calibration.measure,
    "stores": stores.measure,
    "cli": cli.measure,
    "door": door.measure,
    "proxy": proxy.measure,
    "hostile": cells.measure,
}

ON_REQUEST = frozenset({"hostile"})  # takes most of an hour


def main(names: list[str]) -> None:
    """Print the sections of these names; if none is named, all but those that are run on request alone."""
    began = time.perf_counter()
    for name in names or [one for one in SECTIONS if one not in ON_REQUEST]:
        section = time.perf_counter()
        for words in SECTIONS[name]():
            print(words, flush=True)
        print(f"bench_seconds_{name}: {time.perf_counter() - section:.1f}", flush=True)
    print(f"bench_seconds: {time.perf_counter() - began:.1f}")


if __name__ == "__main__":
    main(sys.argv[1:])
