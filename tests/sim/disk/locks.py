"""Who lives on a host, as the kernel's locks on files beside the store tell: they last as long as their process."""

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from orchestrator.store.sql.owner_locks import OwnerLocks


class Living(Protocol):
    """A process."""

    @property
    def is_over(self) -> bool:
        """True once it was killed, or has ended."""
        ...


class Host:
    """The locks that are held."""

    def __init__(self) -> None:
        self.owners: dict[str, Living] = {}
        self.alone: Living | None = None


class SimulatedLocks(OwnerLocks):
    """The locks as one process sees them."""

    def __init__(self, host: Host, process: Living) -> None:
        super().__init__(Path("nowhere"))
        self._there, self._me = host, process

    def hold(self, owner: str) -> None:
        """Lock the owner's file."""
        self._there.owners.setdefault(owner, self._me)

    def dead(self) -> frozenset[str]:
        """Whose locks were dropped."""
        known = self._there.owners.items()
        return frozenset(owner for owner, process in known if process is not self._me and process.is_over)

    def living(self) -> frozenset[str]:
        """Whose locks are held, but for this process's own."""
        known = self._there.owners.items()
        return frozenset(owner for owner, process in known if process is not self._me and not process.is_over)

    def take_alone(self) -> bool:
        """Lock the file that one at a time may lock, and see whether anybody else lives."""
        if self._me not in self._there.owners.values() or self._is_another():
            return False
        self._there.alone = self._me
        if self.living():
            self.share()
        return self._there.alone is self._me

    def share(self) -> None:
        """Drop that lock."""
        if self._there.alone is self._me:
            self._there.alone = None

    def is_another_alone(self) -> bool:
        """True while another holds it."""
        return self._is_another()

    def forget(self, owners: Iterable[str]) -> None:
        """Remove their files."""
        for owner in owners:
            self._there.owners.pop(owner, None)

    def close(self) -> None:
        """Drop everything that this process holds."""
        self.share()
        self.forget([owner for owner, process in self._there.owners.items() if process is self._me])

    def _is_another(self) -> bool:
        holder = self._there.alone
        return holder is not None and holder is not self._me and not holder.is_over
