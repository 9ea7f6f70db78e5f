"""Whoever is refused again and again is answered slowly, so that refusing costs the others nothing.

A refusal costs units: more for a larger body, which had to be taken in, and for a request beyond what is answered at a
time, which is asked again at once. Each caller has some for nothing and gets new ones all the time; whoever owes any
waits before the next request is looked at. Commands to rollouts never wait.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

FREE, PER_SECOND = 600.0, 60.0
LONGEST_SECONDS = 10.0  # that a request waits
UNIT_BYTES = 4096
OF_ONE_TOO_MANY = 20.0
CALLERS_MAX = 4096


@dataclass(slots=True)
class _Account:
    left: float
    at: float


@dataclass(slots=True)
class Pacing:
    """What each caller has left. `now` gives seconds."""

    now: Callable[[], float] = time.monotonic
    _of: dict[str, _Account] = field(default_factory=dict)
    _by_key: dict[int, str] = field(default_factory=dict)  # callers, by what they identify themselves with

    def refused(
        self, caller: str, *, key: bytes = b"", body_bytes: int = 0, is_too_many: bool = False
    ) -> None:
        """Note that a request of this caller's was refused after so much of a body. `key`: its Authorization."""
        if caller not in self._of:
            self._make_room()
        mine = self._of.setdefault(caller, _Account(FREE, self.now()))
        cost = 1 + body_bytes / UNIT_BYTES + (OF_ONE_TOO_MANY if is_too_many else 0)
        mine.left, mine.at = max(self._left(mine) - cost, -LONGEST_SECONDS * PER_SECOND), self.now()
        if key:
            self._remember(key, caller)

    def owes(self, caller: str) -> float:
        """The seconds that a request of this caller's is to wait."""
        mine = self._of.get(caller)
        return 0.0 if mine is None else max(0.0, -self._left(mine) / PER_SECOND)

    def is_owing(self, key: bytes) -> bool:
        """True if a request with this Authorization would have to wait, as far as is known before it is read."""
        caller = self._by_key.get(hash(key))
        return caller is not None and self.owes(caller) > 0

    def _remember(self, key: bytes, caller: str) -> None:
        """Know a caller by this key; of the keys of those who owe nothing, some may be forgotten."""
        if len(self._by_key) >= CALLERS_MAX:
            self._by_key = {known: whose for known, whose in self._by_key.items() if self.owes(whose)}
        if len(self._by_key) < CALLERS_MAX:
            self._by_key[hash(key)] = caller

    def _left(self, one: _Account) -> float:
        return min(FREE, one.left + (self.now() - one.at) * PER_SECOND)

    def _make_room(self) -> None:
        """Forget who has everything left; where nobody has, who owes least."""
        if len(self._of) >= CALLERS_MAX:
            self._of = {caller: one for caller, one in self._of.items() if self._left(one) < FREE}
        if len(self._of) >= CALLERS_MAX:
            del self._of[max(self._of, key=lambda caller: self._left(self._of[caller]))]
