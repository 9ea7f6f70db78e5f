"""Which owners of leases have died on this host: known by locks that the kernel drops with their processes.

Whoever is killed leaves leases that last for half a minute; whoever takes over on the same host need not wait for them.
A process id would not tell: in a container it is always 1. A process that is stopped holds its lock, and its leases.
Only locks that were taken since this host started are believed: on another one nothing is known of them.
"""

import fcntl
import os
from collections.abc import Iterable
from contextlib import suppress
from enum import Enum
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def _host() -> str:
    """This host since it was started; empty where the system does not say."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""


class _State(Enum):
    """What is known of an owner: nothing of this process's own, nor of one on another host."""

    LIVES = "lives"
    DEAD = "dead"
    UNKNOWN = "unknown"


def server_lock(store: Path) -> int | None:
    """Say that this process is the store's server; an open file to be closed at its end. None: another one is.

    Where no lock can be had (a full or read-only disk) nothing is known of others, and the file is of nothing.
    """
    try:
        store.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        held = os.open(store.with_name(f"{store.name}-server"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        return None
    except OSError:
        pass
    return held


class OwnerLocks:
    """A file for each owner, in a folder beside the store's file."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._host = folder, _host()
        # Held by the one that acts while the store cannot be written.
        self._alone_path = folder.with_name(f"{folder.name.removesuffix('-owners')}-alone")
        self._held: dict[str, int] = {}
        self._alone: int | None = None  # open for as long as this process has an owner
        self._is_alone = False

    @classmethod
    def beside(cls, store: Path) -> "OwnerLocks":
        """Those of a store's file."""
        return cls(store.with_name(f"{store.name}-owners"))

    def hold(self, owner: str) -> None:
        """Say that this owner lives, until this process ends. Where that cannot be said, its leases just last."""
        if owner in self._held or not self._host:
            return
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            if self._alone is None:  # made now: where a disk is full nothing can be made any more
                self._alone = os.open(self._alone_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            held = os.open(self._folder / owner, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(held)
            return
        self._held[owner] = held
        with suppress(OSError):  # where there is no room its death is not known, but that it lives is
            os.ftruncate(held, 0)
            os.write(held, self._host.encode())

    def dead(self) -> frozenset[str]:
        """Those whose processes have ended on this host since it was started."""
        return self._all_that_are(_State.DEAD)

    def living(self) -> frozenset[str]:
        """Those whose processes run on this host, this one's own not among them."""
        return self._all_that_are(_State.LIVES)

    def take_alone(self) -> bool:
        """True if no other process here has an owner, and none is to act (`is_another_alone`) until `share` is called.

        Whoever takes it looks for others afterwards; whoever leases looks for this afterwards. So of two that do both
        at the same time at least one sees the other.
        """
        if not self._held or self._alone is None:
            return False
        if not self._is_alone:
            try:
                fcntl.flock(self._alone, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return False
            self._is_alone = True
        if self.living():
            self.share()
        return self._is_alone

    def share(self) -> None:
        """Let others act again."""
        if self._is_alone and self._alone is not None:
            fcntl.flock(self._alone, fcntl.LOCK_UN)
        self._is_alone = False

    def is_another_alone(self) -> bool:
        """True while another process acts alone."""
        if self._is_alone or self._alone is None:
            return False
        try:
            fcntl.flock(self._alone, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        fcntl.flock(self._alone, fcntl.LOCK_UN)
        return False

    def _all_that_are(self, state: "_State") -> frozenset[str]:
        try:
            known = [path.name for path in self._folder.iterdir()]
        except OSError:
            return frozenset()
        return frozenset(one for one in known if self._state(one) is state)

    def _state(self, owner: str) -> "_State":
        if owner in self._held:
            return _State.UNKNOWN
        try:
            found = os.open(self._folder / owner, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return _State.UNKNOWN
        try:
            fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return _State.DEAD if os.read(found, 100).decode() == self._host else _State.UNKNOWN
        except BlockingIOError:
            return _State.LIVES
        except OSError:
            return _State.UNKNOWN
        finally:
            os.close(found)

    def forget(self, owners: Iterable[str]) -> None:
        """Remove the files of dead owners, whose leases are free."""
        for owner in owners:
            with suppress(OSError):
                (self._folder / owner).unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of every lock, and of its file."""
        if self._alone is not None:
            os.close(self._alone)
            self._alone, self._is_alone = None, False
        for owner, held in self._held.items():
            self.forget((owner,))
            os.close(held)
        self._held.clear()
