"""The sandbox's proxy: requests a second, weights, and what weight changes and draining cost."""

import asyncio
from collections.abc import Iterator

from tests.bench import data_plane


def measure() -> Iterator[str]:
    """As the data plane's own bench says it."""
    yield from asyncio.run(data_plane.measure()).lines()
