"""Scalars on the wire, and how each protocol writes a moment."""

import base64
from datetime import UTC, datetime

from botocore.utils import parse_timestamp


def to_moment(value: object) -> datetime:
    """A timestamp from its wire form (ISO 8601 or seconds since 1970) or from a datetime, aware, in UTC."""
    moment: datetime = value if isinstance(value, datetime) else parse_timestamp(value)
    return moment.astimezone(UTC)


def to_iso(moment: datetime) -> str:
    """ISO 8601 in UTC with a Z, to the millisecond or exact."""
    precision = "milliseconds" if moment.microsecond % 1000 == 0 else "microseconds"
    return moment.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def to_seconds(value: object) -> float:
    """Seconds since 1970. Takes what botocore takes as a timestamp: a datetime, ISO text or a number."""
    return to_moment(value).timestamp()


def to_bytes(text: str) -> bytes:
    """A blob from base64."""
    return base64.b64decode(text)


def to_base64(value: bytes | str) -> str:
    """A blob in base64."""
    return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()
