"""The `probe` gate in a rollout file: its model, the settings it means, and the same written back."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

from orchestrator.config.gates.form import Form, Model
from orchestrator.config.gates.urls_and_headers import BaseUrl, Headers
from orchestrator.config.text.fields import Flag, SomeTime, reader
from orchestrator.config.text.quantities import duration_text, parse_duration, shown
from orchestrator.config.text.yaml_document import Document, Value
from orchestrator.core.domain.errors import Mistake
from orchestrator.core.gates.probe import PROBE, ProbeSpec, statuses_text

COUNT_MAX, RATE_MAX, PATHS_MAX, BODY_MAX, TEXT_MAX = 10_000, 100.0, 100, 64 * 1024, 1000
TIMEOUT_MAX = timedelta(seconds=6)  # with a batch's span it must end well within one look
_DEFAULT = ProbeSpec()
_METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
_STATUSES = re.compile(r"[1-5]\d\d(-[1-5]\d\d)?(, ?[1-5]\d\d(-[1-5]\d\d)?)*", re.ASCII)
_PATH = re.compile(r"/[!-~]{0,1999}", re.ASCII)


def _paths(value: object) -> list[str]:
    found = value if isinstance(value, list) else [value]
    if not 1 <= len(found) <= PATHS_MAX:
        raise ValueError(f"{len(found)} paths", f"write 1 to {PATHS_MAX}")
    for path in found:
        if not isinstance(path, str) or not _PATH.fullmatch(path) or "#" in path or "\\" in path:
            raise ValueError(f"{shown(path)} is no path", "write one such as /healthz or /checkout?dry=1")
    return [str(path) for path in found]


def _method(value: object) -> str:
    if isinstance(value, str) and value in _METHODS:
        return value
    raise ValueError(f"{shown(value)} is no method", f"write one of {', '.join(_METHODS)}")


def _statuses(value: object) -> str:
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not _STATUSES.fullmatch(text):
        raise ValueError(f"{shown(value)} is no HTTP status", "write one such as 200, 200-299 or 200,404")
    for low, high in read_statuses(text):
        if low > high:
            raise ValueError(f"{low}-{high} holds no status", f"write {high}-{low}")
    return text


def read_statuses(text: str) -> tuple[tuple[int, int], ...]:
    """``200-299,404`` as (from, to), both included."""
    pairs = (part.strip().partition("-") for part in text.split(","))
    return tuple((int(low), int(high or low)) for low, _, high in pairs)


def _whole(least: int, most: int) -> BeforeValidator:
    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError(
                f"{shown(value)} is no number that is possible here",
                f"write a whole number from {least} to {most}",
            )
        return value

    return reader(read)


def _rate(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.1 <= value <= RATE_MAX:
        raise ValueError(f"{shown(value)} is no rate", f"write requests a second, 0.1 to {RATE_MAX:g}")
    return float(value)


def _timeout(value: object) -> timedelta:
    time = parse_duration(value)
    if not timedelta(milliseconds=100) <= time <= TIMEOUT_MAX:
        raise ValueError(
            f"{shown(value)} is no time that a request may take here",
            f"write 100ms to {duration_text(TIMEOUT_MAX)}",
        )
    return time


def _some_text(most: int) -> BeforeValidator:
    def read(value: object) -> str:
        if not isinstance(value, str) or not value or len(value.encode()) > most:
            raise ValueError(f"{shown(value)} is no text that can be used here", f"write 1 to {most} bytes")
        return value

    return reader(read)


Paths = Annotated[
    list[str],
    reader(_paths),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": "^/"},
                {
                    "type": "array",
                    "items": {"type": "string", "pattern": "^/"},
                    "minItems": 1,
                    "maxItems": PATHS_MAX,
                },
            ]
        }
    ),
]
Method = Annotated[str, reader(_method), WithJsonSchema({"type": "string", "enum": list(_METHODS)})]
Statuses = Annotated[
    str,
    reader(_statuses),
    WithJsonSchema(
        {
            "anyOf": [{"type": "integer", "minimum": 100, "maximum": 599}, {"type": "string"}],
            "examples": ["200-299"],
        }
    ),
]
Least1 = Annotated[
    int, _whole(1, COUNT_MAX), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": COUNT_MAX})
]
Least0 = Annotated[
    int, _whole(0, COUNT_MAX), WithJsonSchema({"type": "integer", "minimum": 0, "maximum": COUNT_MAX})
]
Rate = Annotated[
    float, reader(_rate), WithJsonSchema({"type": "number", "minimum": 0.1, "maximum": RATE_MAX})
]
Timeout = Annotated[
    timedelta, reader(_timeout), WithJsonSchema({"type": "string", "examples": ["5s", "800ms"]})
]
Body = Annotated[str, _some_text(BODY_MAX)]
Contained = Annotated[str, _some_text(TEXT_MAX)]


class ExpectModel(Model):
    """What an answer must be."""

    status: Statuses = Field(
        default=statuses_text(_DEFAULT.statuses),
        description="Statuses that are right; redirects are not followed.",
    )
    contains: Contained | None = Field(
        default=None, description="Text that an answer's first 256 KiB must hold. Default: none."
    )


class ProbeModel(Model):
    """Teal's own requests to green, through traffic.test_rules, before users reach it."""

    url: BaseUrl = Field(
        description="Where the test listener is: scheme, host and port.",
        examples=["https://test.internal:8443"],
    )
    paths: Paths = Field(default=list(_DEFAULT.paths), description="Paths with queries, taken in turn.")
    method: Method = Field(default=_DEFAULT.method, description="Method of every request.")
    headers: Headers = Field(
        default={},
        description="Headers of every request. They are kept with the rollout and shown: no secrets.",
        examples=[{"Host": "checkout.example.com"}],
    )
    body: Body | None = Field(default=None, description="Body of every request. Default: none.")
    expect: ExpectModel = ExpectModel()
    latency: SomeTime | None = Field(
        default=None,
        description="An answer that takes longer is wrong. Default: any time.",
        examples=["800ms"],
    )
    timeout: Timeout = Field(
        default=_DEFAULT.timeout,
        description="A request without an answer for so long has failed.",
        json_schema_extra={"default": duration_text(_DEFAULT.timeout)},
    )
    count: Least1 = Field(default=_DEFAULT.count, description="How many requests are judged.")
    rate: Rate = Field(default=_DEFAULT.rate, description="Requests a second, all from one address.")
    max_failures: Least0 = Field(
        default=_DEFAULT.max_failures, description="How many of them may be wrong before green fails."
    )
    warm_up: Least0 = Field(
        default=_DEFAULT.warm_up, description="Requests before those, to warm green up; not judged."
    )
    verify: Flag = Field(
        default=_DEFAULT.verify, description="False: any certificate is taken, also one for another name."
    )


def _build(model: ProbeModel | None) -> ProbeSpec:
    if model is None:
        return ProbeSpec()
    return ProbeSpec(
        url=model.url,
        paths=tuple(model.paths),
        method=model.method,
        headers=tuple(sorted(model.headers.items())),
        body=model.body or "",
        statuses=read_statuses(model.expect.status),
        contains=model.expect.contains or "",
        latency=model.latency,
        timeout=model.timeout,
        count=model.count,
        rate=model.rate,
        max_failures=model.max_failures,
        warm_up=model.warm_up,
        verify=model.verify,
    )


def _document(spec: ProbeSpec) -> Value:
    if not spec.on:
        return None
    contains: dict[str, Value] = {"contains": spec.contains} if spec.contains else {}
    return {
        "url": spec.url,
        "paths": list(spec.paths),
        "method": spec.method,
        "headers": dict(spec.headers),
        **({"body": spec.body} if spec.body else {}),
        "expect": {"status": statuses_text(spec.statuses), **contains},
        **({"latency": duration_text(spec.latency)} if spec.latency is not None else {}),
        "timeout": duration_text(spec.timeout),
        "count": spec.count,
        "rate": spec.rate,
        "max_failures": spec.max_failures,
        "warm_up": spec.warm_up,
        "verify": spec.verify,
    }


def _mistakes(document: Document) -> Iterator[Mistake]:
    probe = document.section("gates").get("probe")
    if not isinstance(probe, dict):
        return
    if not document.section("traffic").get("test_rules"):
        what = "a probe without traffic.test_rules has no way to green before users reach it"
        yield document.mistake("/gates/probe", what, "name the test listener's rule in traffic.test_rules")
    allowed, count = probe.get("max_failures", 0), probe.get("count", _DEFAULT.count)
    if isinstance(allowed, int) and isinstance(count, int) and allowed >= count:
        what = f"{allowed} failures are allowed of {count} requests: the probe could never fail"
        yield document.mistake("/gates/probe/max_failures", what, "allow fewer, 0 at best")


FORM = Form(
    gate=PROBE,
    annotation=ProbeModel | None,
    key=Field(default=None, description="Teal's own requests to green before users reach it. Default: none."),
    build=_build,
    document=_document,
    mistakes=_mistakes,
)
