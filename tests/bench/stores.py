"""Ticks a second that the stores carry."""

from collections.abc import Iterator

from tests.bench import store_ticks
from tests.bench.lines import line, ratio


def measure() -> Iterator[str]:
    """On a new SQLite file on this disk, beside the store in memory; many rollouts at once, and one alone."""
    many = store_ticks.measure(store_ticks.Load())
    alone = store_ticks.measure(store_ticks.Load(rollouts=1, rounds=200))
    for name, value in many.items():
        yield line(name, value, digits=0)
    for name, value in alone.items():
        yield line(f"{name}_of_one_rollout", value, digits=0)
    sqlite, memory = many["store_sqlite_ticks_per_second"], many["store_memory_ticks_per_second"]
    yield ratio("store_sqlite_ticks_per_second", sqlite, memory, to="memory")
