"""The last look before a call leaves: after it was signed, is it still right to send it?"""

from typing import Any

from orchestrator.core.domain.errors import NotSent
from orchestrator.ports.right_to_act import has_passed


class TooLate(Exception):
    """The right to act has passed; nothing was sent."""


def look_before_sending(session: Any) -> None:  # noqa: ANN401 - botocore has no static types
    """Have every client of a session raise TooLate instead of sending what may not be sent any more."""
    session.register("before-send", _look)


def _look(**_: object) -> None:
    if has_passed():
        raise TooLate


def not_sent(service: str, operation: str) -> NotSent:
    """It as an error of Teal's."""
    return NotSent(
        what=f"{service} {operation} was not sent",
        why="this process was stopped for so long that its lease has ended, and another may have decided otherwise",
    )
