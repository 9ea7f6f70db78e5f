"""The store of this machine: where it is, and a glance into it that takes none of what `bootstrap` imports."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestrator.ports.glance import Glance


def store_url() -> str:
    """Where rollouts are kept: ``TEAL_STORE``, or SQLite in the user's state directory (XDG Base Directory)."""
    given = os.environ.get("TEAL_STORE", "")
    if "://" in given:
        return given
    if given:
        return f"sqlite:///{Path(given).absolute()}"
    return f"sqlite:///{state_folder() / 'teal.db'}"


def state_folder() -> Path:
    """Where Teal keeps what it must remember of this user (XDG Base Directory)."""
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return state / "teal"


@contextmanager
def glance_at_store() -> Iterator["Glance"]:
    """One moment's state of the store, and nothing is written. Raises NotKept where it takes the store in full."""
    from orchestrator.store.glance import glance

    with glance(store_url()) as found:
        yield found
