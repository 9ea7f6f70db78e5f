"""How a simulated AWS says no: with an answer, or with none."""

from typing import Any

Json = dict[str, Any]
"""Parameters and answers in botocore's Python shape: its models, not ours, say what is in them."""


class AwsRefusal(Exception):
    """An error answer. `code` is AWS's code on the wire (not the shape's name), `status` the HTTP status.

    Without a code it is no answer of AWS's but a web page, the message, of something on the way to it.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class CallLost(Exception):
    """No answer came: the caller sees a timeout and cannot know whether the call took effect."""


def not_here(what: str) -> AwsRefusal:
    """The refusal of something AWS has and this World has not: never an empty success."""
    return AwsRefusal("NotInThisSandbox", f"{what} is not in this sandbox yet", 501)
