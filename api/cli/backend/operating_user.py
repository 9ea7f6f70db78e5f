"""Who runs this process, as commands and the audit log name them."""

import getpass
import os

from orchestrator.core.domain.commands import Actor


def local_actor(source: str = "cli") -> Actor:
    """Whoever runs this process."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in many containers
        name = f"uid {os.getuid()}"
    return Actor(name=name, source=source)
