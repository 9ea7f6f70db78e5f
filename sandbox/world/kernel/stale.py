"""Eventual consistency: for a moment after a write, a read may answer what was there before it."""

from collections.abc import Container, Iterator
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from sandbox.world.kernel.kernel import EPOCH, Kernel

V = TypeVar("V")


class Stale(Generic[V]):
    """Remembers, per key, what readers could see before the last write.

    Only state older than every fresh read is ever shown: the first fresh read of a key forgets the old one, so
    no caller sees time run backwards. With `WorldSettings.reads_go_back` each read meets a copy of its own instead,
    that may be behind by up to `staleness`: a later read may answer an older state than an earlier one did.

    Sources: RunTask of the Amazon ECS API reference says of that whole API that it is eventually consistent, and to
    wait between calls though a read was accurate; RegisterScalableTarget of the Application Auto Scaling API reference
    says it of new targets. Elastic Load Balancing says nothing either way, of writes or of health.
    """

    def __init__(self, kernel: Kernel, *, only_going_back: bool = False) -> None:
        """`only_going_back`: every read is fresh unless `WorldSettings.reads_go_back` is on."""
        self._kernel = kernel
        self._only_going_back = only_going_back
        self._before: dict[str, tuple[datetime, V]] = {}
        self._history: dict[
            str, list[tuple[datetime, V]]
        ] = {}  # since when what was so, as far as it was looked at
        self._unread: dict[str, datetime] = {}  # the first write after the last look

    def written(self, key: str, before: V) -> None:
        """A write to `key` is about to take effect (or just has) over `before`."""
        settings = self._kernel.settings
        if not settings.staleness:
            return
        if settings.reads_go_back:
            self._was(key, before)
            self._unread.setdefault(key, self._kernel.now)
            return
        if self._only_going_back:
            return
        seen = self._before.get(key)
        until = self._kernel.now + settings.staleness
        # Two writes in a row, none of them read yet: the oldest is still what a slow reader may see.
        self._before[key] = (until, seen[1] if seen and seen[0] > self._kernel.now else before)

    def read(self, key: str, fresh: V) -> V:
        """What a reader of `key` sees now: `fresh`, or what was there before."""
        settings = self._kernel.settings
        if settings.reads_go_back and settings.staleness:
            self._was(key, fresh)
            return self._of_a_copy(key)
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

    def gone(self, there: Container[str]) -> Iterator[str]:
        """Keys that a reader may still see though they are not `there` any more."""
        return (key for key in list(self._history) if key not in there)

    def _was(self, key: str, value: V) -> None:
        """`value` is so now, and has been since the first write after the last look."""
        since = self._unread.pop(key, self._kernel.now)
        known = self._history.setdefault(key, [])
        if not known:
            known.append((EPOCH, value))
        elif known[-1][1] != value:
            known.append((since, value))

    def _of_a_copy(self, key: str) -> V:
        kernel, known = self._kernel, self._history[key]
        draw, longest = kernel.random.random, kernel.settings.staleness
        is_behind = draw() < kernel.settings.staleness_share
        moment = kernel.now - (longest * draw() if is_behind else timedelta(0))
        while len(known) > 1 and known[1][0] <= kernel.now - longest:
            del known[0]
        if len(known) == 1 and known[0][1] is None:
            del self._history[key]
        return next(value for since, value in reversed(known) if since <= moment or since == known[0][0])
