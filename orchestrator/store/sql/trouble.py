"""Why a store's file cannot be used, by a look at where it is: SQLite says "unable to open" of most of it."""

import os
from pathlib import Path

ELSEWHERE = "or name a store elsewhere in TEAL_STORE"
DIRECT = "Until then `teal rollback SERVICE --direct` gives blue all traffic without it"
LEAST_ROOM = 64 * 1024  # bytes: less does not hold what SQLite makes beside the file whenever it opens it
USUAL = (
    "Check that it is a file of Teal's on a local disk with room left, that this user may write it, and that no other "
    "program holds it"
)


def seen_of(path: Path) -> tuple[str, str]:
    """What is wrong with the place and what to do, in words; twice empty: nothing that can be seen from outside."""
    if path.is_dir():
        return "it is a folder", "Name a file in TEAL_STORE, such as teal.db in that folder."
    try:
        place = path if path.exists() else _nearest(path)
        disk = os.statvfs(place)
    except OSError as error:
        return str(
            error
        ), f"Let this user (id {os.getuid()}) read and write it and its folder, {ELSEWHERE}. {DIRECT}."
    if disk.f_flag & os.ST_RDONLY:
        return "its file system is read-only", f"Mount it so that it can be written, {ELSEWHERE}. {DIRECT}."
    folder = _nearest(path)
    for one in dict.fromkeys((place, folder)):
        if not os.access(one, os.R_OK | os.W_OK):
            user = f"this user (id {os.getuid()})"
            return f"{user} may not write {one}", f"Let {user} read and write {one}, {ELSEWHERE}. {DIRECT}."
    if disk.f_bavail * disk.f_frsize < LEAST_ROOM:
        return "its disk is full", f"Make room there; the store is as it was. {DIRECT}."
    return "", ""


def _nearest(path: Path) -> Path:
    """The folder that a file is in, or is to be made in."""
    return next((folder for folder in path.absolute().parents if folder.exists()), path.absolute().parent)
