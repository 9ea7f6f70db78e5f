"""Errors of parts that ran beside each other."""


def first_of(error: BaseException) -> BaseException:
    """The error itself, or the first one in a group: what a person should read."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
