"""Runs `teal` as a part of another command and ends with it: standard input is the leash, its end is the order.

A process that is killed cannot stop its children; the end of a pipe reaches them all the same.
"""

import os
import sys
import threading

from api.cli.main import main


def _hold() -> None:
    while os.read(0, 4096):
        pass
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_hold, name="leash", daemon=True).start()
    main(sys.argv[1:])
