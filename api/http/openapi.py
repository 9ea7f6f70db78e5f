"""The OpenAPI document: what the framework derives from the calls, with their problems and bodies as they are."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.problems import MEDIA_TYPE, Problem
from orchestrator import config

Node = Any  # a value of a JSON document

VERSION = "1"
TITLE = "Teal"
ABOUT = (
    "Blue/green and canary delivery for Amazon ECS: rollouts, their commands and their audit log. Errors are problem "
    "documents (RFC 9457). There is no authentication yet, so the server listens on loopback alone."
)
REFS = "#/components/schemas/"
FILE = "RolloutFile"
FILE_CALLS = ("start_rollout", "preflight")
EXAMPLE = {"service": "prod/checkout", "revision": {"task_definition": "checkout:43"}}
EXAMPLE_YAML = "service: prod/checkout\nrevision: {task_definition: checkout:43}\n"
_ROLLOUT_PROBLEMS = {404: "No such rollout, and no active one of a service by this name."}
_OUTSIDE = {502: "AWS could not be read."}
PROBLEMS: dict[str, dict[int, str]] = {
    "start_rollout": {
        409: "The service or a rule is held by another rollout, or the key started another file.",
        413: "The body is too large.",
        415: "The body is neither JSON nor YAML.",
        422: "The file has mistakes, or preflight's findings are against it.",
        **_OUTSIDE,
    },
    "preflight": {
        413: "The body is too large.",
        415: "The body is neither JSON nor YAML.",
        422: "The file has mistakes.",
        **_OUTSIDE,
    },
    "get_rollout": {**_ROLLOUT_PROBLEMS, 503: "Too many clients wait for news."},
    "list_events": {**_ROLLOUT_PROBLEMS, 503: "Too many clients wait for news."},
    "explain_problem": {404: "There is no such problem."},
}
ETAG = {"ETag": {"description": "The rollout's version.", "schema": {"type": "string"}, "example": '"7"'}}
LOCATION = {"Location": {"description": "Where the rollout is.", "schema": {"type": "string"}}}
HEADERS: dict[str, dict[str, dict[str, Node]]] = {
    "start_rollout": {"201": {**LOCATION, **ETAG}},
    "get_rollout": {"200": ETAG, "304": ETAG},
}
COMMAND_PROBLEMS = {
    **_ROLLOUT_PROBLEMS,
    409: "The command makes no sense in the present phase, which is named.",
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
    made = get_openapi(title=TITLE, version=VERSION, description=ABOUT, routes=app.routes)
    schemas: dict[str, Node] = made["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas.update(_problem_schemas())
    schemas.update(_file_schemas())
    for path in made["paths"].values():
        for call in path.values():
            _finish(call)
    made["components"]["schemas"] = dict(sorted(schemas.items()))
    return made


def _finish(call: Node) -> None:
    name = call["operationId"]
    if name in FILE_CALLS:
        schema = {"$ref": REFS + FILE}
        content = {
            "application/json": {"schema": schema, "example": EXAMPLE},
            "application/yaml": {"schema": schema, "example": EXAMPLE_YAML},
        }
        call["requestBody"] = {"required": True, "content": content}
    for answer, headers in HEADERS.get(name, {}).items():
        call["responses"][answer]["headers"] = headers
    is_command = "commands" in call["tags"]
    problems = {**(COMMAND_PROBLEMS if is_command else {}), **PROBLEMS.get(name, {})}
    if "422" in call["responses"]:
        problems.setdefault(422, "Parameters or body are wrong.")
    for status, meaning in problems.items():
        call["responses"][str(status)] = {
            "description": meaning,
            "content": {MEDIA_TYPE: {"schema": {"$ref": f"{REFS}Problem"}}},
        }


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
