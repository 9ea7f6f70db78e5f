"""What an answer means: its JSON, or the failure that it stands for."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from api.client.failures import (
    Conflict,
    Forbidden,
    Invalid,
    Mistake,
    NoAnswer,
    NotFound,
    Outside,
    Problem,
    Refused,
    ServerFault,
    Told,
    Unauthenticated,
    Unavailable,
    Unfit,
    Unreadable,
)
from api.client.requests import STREAM, Address

Json = dict[str, Any]
LOST = "Nothing of a rollout is touched by this: see that the server runs, then ask again."
BY_STATUS: dict[int, type[Problem]] = {
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    429: Unavailable,
    502: Outside,
    503: Unavailable,
    504: Unavailable,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer, read to its end. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def read(answer: Answer, *, url: str) -> Json:
    """The JSON object that an answer holds; empty for one without a body. Raises Problem or Unreadable."""
    if answer.status == 204:
        return {}
    found = _object(answer.body)
    if answer.status >= 400:
        # A proxy's own error page is no problem document, and still a problem with a status.
        raise problem_of(answer, found or _of_others(answer, url))
    if found is None or answer.status >= 300:
        where = answer.headers.get("location", "")
        raise Unreadable(
            f"{url} answered {answer.status}{f' (go to {where})' if where else ''} with something other than JSON",
            next_step="See that it is the address of a Teal server.",
        )
    return found


def no_answer(address: Address, error: Exception, *, was_sent: bool) -> NoAnswer:
    """A connection's failure in words."""
    why = reason_of(error)
    return NoAnswer(f"the server at {address.url} does not answer: {why}", was_sent=was_sent, next_step=LOST)


def reason_of(error: Exception) -> str:
    """Why a connection failed: the system's words, without its numbers and the places of its source."""
    certificate, told = getattr(error, "verify_message", ""), getattr(error, "reason", "")
    if certificate:
        return f"its certificate is not accepted: {certificate}"
    if isinstance(error, OSError) and isinstance(told, str) and told:  # of TLS: WRONG_VERSION_NUMBER
        return f"TLS failed: {told.replace('_', ' ').lower()}"
    strerror = error.strerror if isinstance(error, OSError) else ""
    return strerror or str(error) or type(error).__name__


def check_stream(answer: Answer, *, url: str) -> None:
    """Raises Problem or Unreadable unless an answer is the beginning of an event stream."""
    if answer.status != 200:
        read(answer, url=url)
    if answer.status != 200 or not answer.headers.get("content-type", "").startswith(STREAM):
        raise Unreadable(
            f"{url} answered {answer.status} with something other than an event stream",
            next_step="See that no proxy between here and there changes it.",
        )


def problem_of(answer: Answer, document: Json) -> Problem:
    """The failure that a problem document (RFC 9457) stands for, with its own words."""
    told = Told(
        status=answer.status,
        code=_text(document, "code"),
        title=_text(document, "title"),
        detail=_text(document, "detail"),
        next_step=_text(document, "next_step"),
        mistakes=[_mistake(one) for one in _many(document, "mistakes") if isinstance(one, dict)],
        findings=[str(one) for one in _many(document, "findings")],
        holder=_text(document, "holder"),
        request_id=answer.headers.get("x-request-id", ""),
        retry_after=seconds_in(answer.headers.get("retry-after", "")),
    )
    return _kind(told)(told)


def _kind(told: Told) -> type[Problem]:
    if told.status == 409:
        return Conflict if told.holder else Refused
    if told.findings:
        return Unfit
    if told.status >= 500:
        return BY_STATUS.get(told.status, ServerFault)
    return BY_STATUS.get(told.status, Invalid)


def seconds_in(text: str) -> float | None:
    """A Retry-After header, seconds or a date, as seconds from now; None: there is none that can be read."""
    if text.strip().isdecimal():
        return float(text)
    try:
        from email.utils import parsedate_to_datetime  # seldom needed, and not quick to import

        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _of_others(answer: Answer, url: str) -> Json:
    """What a proxy or another program answers, as a problem's members."""
    return {
        "detail": f"{url} answered {answer.status} without a problem document",
        "next_step": "See that it is the address of a Teal server, and what a proxy before it lets through.",
    }


def _object(body: bytes) -> Json | None:
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _text(document: Json, name: str) -> str:
    found = document.get(name)
    return found if isinstance(found, str) else ""


def _many(document: Json, name: str) -> list[object]:
    found = document.get(name)
    return found if isinstance(found, list) else []


def _mistake(one: Json) -> Mistake:
    line = one.get("line")
    return Mistake(
        where=_text(one, "where") or "body",
        pointer=_text(one, "pointer"),
        what=_text(one, "what"),
        instead=_text(one, "instead"),
        line=line if isinstance(line, int) else None,
    )
