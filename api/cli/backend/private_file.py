"""A file that nobody else may read, written whole or not at all."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator.core.domain.errors import Refused


@contextmanager
def private_file(path: Path, *, is_forced: bool) -> Iterator[Callable[[str], None]]:
    """Yield what writes the file's text, mode 0600; what it will need is made before, so that it hardly fails then.

    A file that is there is overwritten only by force. Raises Refused for one that is there or cannot be written.
    """
    if os.path.lexists(path) and not is_forced:
        raise Refused(
            what=f"{path} is there already",
            why="what it holds would be lost",
            next_step="name another file, or overwrite it with --force",
        )
    beside = path.with_name(f"{path.name}.{os.getpid()}.part")

    def write(text: str) -> None:
        with _told(path):
            with beside.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)

    with _told(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        yield write
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        raise Refused(what=f"{path} cannot be written", why=why, next_step="name another file") from error
