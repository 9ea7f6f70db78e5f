"""A Python process of Teal's own, beside the one that starts it: the same code, and an end with its parent's.

A process that is killed cannot stop its children. Each child therefore has a pipe from its parent as standard input
and watches it in a thread: the pipe's end reaches it whatever happened to the parent.
"""

import json
import os
import sys
import threading
from collections.abc import Sequence

ORPHANED = 3  # exit code of a child whose parent is gone
_BOOT = "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1)); from {module} import main; main()"


def command(module: str, *args: str) -> Sequence[str]:
    """The command that runs a module's `main` in a process that finds the same code as this one."""
    # By -m a folder named `api` in the working directory would stand before Teal's own.
    return (sys.executable, "-c", _BOOT.format(module=module), json.dumps(sys.path), *args)


def end_with_parent() -> None:
    """End this process once its standard input ends; what is read from it meanwhile is thrown away."""
    threading.Thread(target=_watch, name="leash", daemon=True).start()


def _watch() -> None:
    while os.read(0, 4096):
        pass
    os._exit(ORPHANED)
