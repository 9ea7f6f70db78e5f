"""Eventual consistency: for a moment after a write, a read may answer what was there before it."""

from datetime import datetime
from typing import Generic, TypeVar

from sandbox.world.kernel.kernel import Kernel

V = TypeVar("V")


class Stale(Generic[V]):
    """Remembers, per key, what readers could see before the last write.

    Only state older than every fresh read is ever shown: the first fresh read of a key forgets the old one, so
    no caller sees time run backwards.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._before: dict[str, tuple[datetime, V]] = {}

    def written(self, key: str, before: V) -> None:
        """A write to `key` is about to take effect (or just has) over `before`."""
        staleness = self._kernel.settings.staleness
        if not staleness:
            return
        seen = self._before.get(key)
        until = self._kernel.now + staleness
        # Two writes in a row, none of them read yet: the oldest is still what a slow reader may see.
        self._before[key] = (until, seen[1] if seen and seen[0] > self._kernel.now else before)

    def read(self, key: str, fresh: V) -> V:
        """What a reader of `key` sees now: `fresh`, or what was there before."""
        if not self._before:
            return fresh
        seen = self._before.get(key)
        if seen is None:
            return fresh
        kernel = self._kernel
        if seen[0] > kernel.now and kernel.random.random() < kernel.settings.staleness_share:
            return seen[1]
        del self._before[key]
        return fresh
