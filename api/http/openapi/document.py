"""The OpenAPI document: what the framework derives from the calls, with their problems, bodies, examples and locks."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.auth.roles import Open, needed_for, words_for
from api.http.openapi.examples import example_of, example_path
from api.http.openapi.problem_table import SHARED, own_problems, shared_problems
from api.http.openapi.property_words import describe
from api.http.request.authorization import PROBED
from api.http.request.server_state import REPLAYED
from api.problems import MEDIA_TYPE, Problem, example_problem
from orchestrator import config
from orchestrator.core.domain.commands import CommandKind

Node = Any  # a value of a JSON document

VERSION = "1"
TITLE = "Teal"
ABOUT = """Blue/green and canary delivery for Amazon ECS: rollouts, their commands and their audit log.

**Who asks.** `Authorization: Bearer …` with one of Teal's tokens or one of an OpenID Connect issuer that the settings
name. Until there is either, only this machine's requests are answered and its users are trusted.

**Errors** are problem documents (RFC 9457); `code` is stable, and `GET /problems/{code}` says what it means.

**Again.** Every POST that changes something takes an `Idempotency-Key`, which is its caller's own (and a start's of
one service) and holds for 24 hours: after a lost answer, send the same again. An answer that repeats an earlier one
has the header `Idempotency-Replayed: true`.

**Not now.** 429, 503 and a 409 that passes have the header `Retry-After`, in seconds.

**Only if.** A command with `If-Match` is accepted only while the rollout has that ETag, else answered with 412.

**Strictly.** A query parameter that a call does not know is a mistake, 422. A method that a path does not know is
answered with 405, and `Allow` names those that it does; `/healthz` and `/readyz` take HEAD as they take GET.

**Request ids.** `X-Request-Id` is taken from the request (or made), given back, and stands in every line of the log.
"""
REFS = "#/components/schemas/"
FILE = "RolloutFile"
FILE_CALLS = ("start_rollout", "preflight", "simulate")
EXAMPLE = {"service": "prod/checkout", "revision": {"task_definition": "checkout:43"}}
ETAG = {"ETag": {"description": "The rollout's version.", "schema": {"type": "string"}, "example": '"7"'}}
LOCATION = {"Location": {"description": "Where it is.", "schema": {"type": "string"}}}
REPLAYED_TOO = {
    REPLAYED: {
        "description": "`true`: this repeats the answer to an earlier request of the same key; absent: it does not.",
        "schema": {"type": "string", "enum": ["true"]},
    }
}
RETRY = {
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}, "example": 5},
}
HEADERS: dict[str, dict[str, dict[str, Node]]] = {
    "start_rollout": {"201": {**LOCATION, **ETAG, **REPLAYED_TOO}},
    **{f"{kind.value}_rollout": {"200": {**ETAG, **REPLAYED_TOO}} for kind in CommandKind},
    "is_alive": {"503": RETRY},
    "is_ready": {"503": RETRY},
    "get_rollout": {"200": ETAG, "304": ETAG},
    "create_token": {"201": LOCATION},
}
REQUEST_ID = {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}
SCHEMES = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "One of Teal's own tokens (`teal_…`), made by an admin.",
    },
    "issuer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A token of an OpenID Connect issuer that the settings name: a person's or a CI job's.",
    },
}
TAGS = {
    "rollouts": "Start them, list them, read one and wait for its news.",
    "commands": "What a person may ask of a rollout, which the next tick applies.",
    "events": "The audit log of a rollout, in pages or live.",
    "before a rollout": "What would speak against it, and the shape of its file.",
    "services": "What serves now, and what served before.",
    "access": "Who has access, and who called.",
    "server": "For load balancers, Prometheus and generators of clients.",
}


def install(app: FastAPI) -> None:
    """Have an app publish this document."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = build(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign] # the way FastAPI's manual gives ("Extending OpenAPI")


def build(app: FastAPI) -> dict[str, Any]:
    """The document of an app's calls."""
    made = get_openapi(
        title=TITLE,
        version=VERSION,
        description=ABOUT,
        routes=app.routes,
        tags=[{"name": name, "description": words} for name, words in TAGS.items()],
    )
    parts: dict[str, Node] = made["components"]
    schemas: dict[str, Node] = parts["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas.update(_problem_schemas())
    schemas.update(_file_schemas())
    describe(schemas)
    for path, call in _calls(made):
        _finish(call, path)
    parts["schemas"] = dict(sorted(schemas.items()))
    parts["responses"] = {name: _problem(*shared) for name, shared in SHARED.items()}
    parts["headers"] = {
        "RequestId": {"description": "The request's id, as in the log.", "schema": {"type": "string"}}
    }
    parts["securitySchemes"] = SCHEMES
    made["security"] = [{name: []} for name in SCHEMES]
    return made


def _calls(document: Node) -> Iterator[tuple[str, Node]]:
    return ((path, call) for path, calls in document["paths"].items() for call in calls.values())


def _finish(call: Node, path: str) -> None:
    name = call["operationId"]
    needed = needed_for(name)
    if isinstance(needed, Open):
        call["security"] = []
    call["description"] += f"\n\nTakes: {words_for(needed)}."
    if name in FILE_CALLS:
        schema = {"$ref": REFS + FILE}
        content = {
            "application/json": {"schema": schema, "example": EXAMPLE},
            "application/yaml": {"schema": schema, "example": EXAMPLE},
        }
        call["requestBody"] = {"required": True, "content": content}
    _finish_answers(call, name)
    for status, shared in shared_problems(name, takes_body="requestBody" in call).items():
        call["responses"][str(status)] = {"$ref": f"#/components/responses/{shared}"}
    problems = own_problems(name)
    if name not in PROBED:  # of which no parameter is refused
        problems.setdefault(422, ("invalid", "Parameters or body are wrong."))
    for status, (code, meaning) in problems.items():
        call["responses"][str(status)] = _problem(status, code, meaning, example_path(path))
    call["responses"] = dict(sorted(call["responses"].items()))


def _finish_answers(call: Node, name: str) -> None:
    example = example_of(name)
    for status, answer in call["responses"].items():
        answer["headers"] = {**HEADERS.get(name, {}).get(status, {}), **REQUEST_ID}
        json = answer.get("content", {}).get("application/json")
        if json is not None and status.startswith("2") and example is not None:
            json["example"] = example


def _problem(status: int, code: str, meaning: str, path: str = "/v1/rollouts") -> Node:
    """The documented answer of a problem."""
    headers: dict[str, Node] = dict(REQUEST_ID)
    if status in (401, 403):
        headers["WWW-Authenticate"] = {
            "description": "What is asked for (RFC 6750).",
            "schema": {"type": "string"},
            "example": 'Bearer realm="teal"',
        }
    if status in (429, 503) or code == "conflict":
        headers |= RETRY
    content = {
        "schema": {"$ref": f"{REFS}Problem"},
        "example": example_problem(code, status=status, detail=meaning, path=path).model_dump(),
    }
    return {"description": meaning, "headers": headers, "content": {MEDIA_TYPE: content}}


def _problem_schemas() -> dict[str, Node]:
    schema = Problem.model_json_schema(ref_template=REFS + "{model}", mode="serialization")
    return {**schema.pop("$defs"), "Problem": schema}


def _file_schemas() -> dict[str, Node]:
    """The rollout file's JSON Schema with its parts among the components, where references reach them."""
    schema: Node = _moved(config.schema())
    parts: dict[str, Node] = schema.pop("$defs", {})
    schema.pop("$schema", None)
    return {**parts, FILE: schema}


def _moved(node: Node) -> Node:
    if isinstance(node, dict):
        return {
            key: value.replace("#/$defs/", REFS)
            if key == "$ref" and isinstance(value, str)
            else _moved(value)
            for key, value in node.items()
        }
    return [_moved(item) for item in node] if isinstance(node, list) else node
