"""What the addresses and headers of a rollout file may look like; `probe` and `webhook` share it."""

import re
from typing import Annotated

from pydantic import WithJsonSchema

from orchestrator.config.text.fields import reader
from orchestrator.config.text.quantities import shown
from orchestrator.outbound.targets import target_of

HEADERS_MAX, HEADER_MAX = 30, 1000
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}", re.ASCII)
# Whoever sends a request says these itself; a file that wrote them could make one request look like two.
_OURS = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "keep-alive",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "idempotency-key",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
    }
)


def _url(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{shown(value)} is no address", "write https://host/path")
    target_of(value)
    return value


def _base(value: object) -> str:
    target = target_of(_url(value))
    if target.query:
        raise ValueError("the url holds a query", "write it with the paths: paths: [/check?dry=1]")
    return str(value)


def _headers(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError(f"{shown(value)} is no mapping of headers", "write {Name: value}")
    if len(value) > HEADERS_MAX:
        raise ValueError(f"{len(value)} headers", f"write at most {HEADERS_MAX}")
    seen: set[str] = set()
    for name, text in value.items():
        _header(name, text)
        if name.lower() in seen:
            raise ValueError(f"header {shown(name)} is written twice", "write it once")
        seen.add(name.lower())
    return dict(value)


def _header(name: object, text: object) -> None:
    if not isinstance(name, str) or not _TOKEN.fullmatch(name):
        raise ValueError(f"{shown(name)} is no header's name", "write one such as Host or X-Canary")
    if name.lower() in _OURS:
        raise ValueError(f"header {shown(name)} is Teal's own to write", "remove it")
    if not isinstance(text, str) or not text.isascii() or not text.isprintable() or len(text) > HEADER_MAX:
        raise ValueError(
            f"the value of header {shown(name)} is no plain text",
            f"write at most {HEADER_MAX} printable ASCII characters, in quotes",
        )


Url = Annotated[
    str, reader(_url), WithJsonSchema({"type": "string", "format": "uri", "pattern": "^https?://"})
]
BaseUrl = Annotated[
    str, reader(_base), WithJsonSchema({"type": "string", "format": "uri", "pattern": "^https?://[^?#]*$"})
]
Headers = Annotated[
    dict[str, str],
    reader(_headers),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "string", "maxLength": HEADER_MAX}}),
]
