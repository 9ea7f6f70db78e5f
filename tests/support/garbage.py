"""Garbage of a run that makes much and keeps little: looked for seldom, and not in what was imported."""

import gc

OBJECTS = (
    200_000  # made between two looks: files of long stories take up to 17 % less time than with Python's 700
)


def look_seldom() -> None:
    """What there is now stays to the end and is not searched; what follows is searched in large batches."""
    gc.freeze()
    gc.set_threshold(OBJECTS, 10, 10)
    gc.enable()
