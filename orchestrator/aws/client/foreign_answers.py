"""Answers that are not AWS's: a page of a proxy, a firewall or another endpoint, told from AWS's before it is parsed.

botocore's parsers make of such an answer an error that holds the whole page, one without a code, or an empty answer.
"""

from collections.abc import Mapping
from typing import Any

from orchestrator.aws.client.errors import strange
from orchestrator.core.domain.errors import Outside

_PAGE = (b"<!doctype", b"<html")
_SHOWN = 500  # bytes that are kept of it


class NotAws(Exception):
    """The answer is not AWS's."""

    def __init__(self, *, status: int, text: str) -> None:
        super().__init__(f"HTTP {status}")
        self._status, self._text = status, text

    def outside(self, service: str, operation: str) -> Outside:
        """It as an error of Teal's."""
        return strange(service, operation, status=self._status, text=self._text)


def refuse_others(session: Any) -> None:  # noqa: ANN401 - botocore has no static types
    """Have every client of a session raise NotAws for such an answer."""
    session.register("before-parse", _look)


def _look(*, response_dict: Mapping[str, Any], **_: object) -> None:
    body, status = response_dict.get("body"), response_dict["status_code"]
    if not isinstance(body, bytes):
        return
    begins = body[:_SHOWN].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    kind = {str(name).lower(): value for name, value in response_dict["headers"].items()}.get(
        "content-type", ""
    )
    is_text = status >= 300 and str(kind).startswith(("text/plain", "text/html")) and begins[:1] not in b"{<"
    if begins.startswith(_PAGE) or is_text:
        raise NotAws(status=status, text=body[:_SHOWN].decode(errors="replace"))
