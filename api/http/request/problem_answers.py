"""Every error as a problem document: the tree's own, and the framework's. Faults of Teal's own end at `guard`."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from api.http.request.context import Visit
from api.http.request.mistake_words import words_of
from api.problems import (
    MEDIA_TYPE,
    Forbidden,
    Internal,
    MistakePart,
    NoSuchPath,
    RequestInvalid,
    Unauthenticated,
    WrongMethod,
    problem,
)
from orchestrator.config.text.yaml_document import step_into
from orchestrator.core.domain.errors import Conflict, TealError, Throttled


def install(app: FastAPI) -> None:
    """Have an app answer every error as a problem."""
    app.add_exception_handler(TealError, _teal)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


def answer(error: TealError, request: Request) -> Response:
    """An error as a problem document."""
    return rendered(error, request.state.visit)


def rendered(error: TealError, visit: Visit) -> Response:
    """An error as a problem document, for a request that may not have reached the framework."""
    visit.refused = error.code
    told = problem(error, instance=visit.path).model_dump_json()
    return Response(told, status_code=error.http_status, media_type=MEDIA_TYPE, headers=_headers(error))


def _headers(error: TealError) -> dict[str, str]:
    if isinstance(error, Unauthenticated | Forbidden):
        return {"WWW-Authenticate": error.challenge}
    if isinstance(error, Throttled) or error.http_status in (429, 503):
        return {"Retry-After": "5"}
    if isinstance(error, Conflict) and error.holder:
        return {"Retry-After": "30"}  # the rollout that holds it ends some time
    return {}


async def _teal(request: Request, error: Exception) -> Response:
    assert isinstance(error, TealError)
    return answer(error, request)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return answer(RequestInvalid([_part(details) for details in error.errors()]), request)


def _part(details: Mapping[str, Any]) -> MistakePart:
    """One of pydantic's findings, with the part of the request it is in."""
    where, *keys = details["loc"]
    what, instead = words_of(details)
    pointer = ""
    for key in () if details["type"] == "json_invalid" else keys:
        pointer = step_into(pointer, key)
    return MistakePart(where=str(where), pointer=pointer, what=what, instead=instead)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = request.state.visit.path
    known: TealError
    match error.status_code:
        case HTTPStatus.NOT_FOUND:
            known = NoSuchPath(what=f"nothing answers at {path}", next_step="/openapi.json lists every call")
        case HTTPStatus.METHOD_NOT_ALLOWED:
            known = WrongMethod(
                what=f"{path} does not take {request.method}",
                next_step="send one of the methods that `Allow` lists",
            )
        case HTTPStatus.BAD_REQUEST:
            part = MistakePart(pointer="", what="the body cannot be read", instead="send JSON")
            known = RequestInvalid([part])
        case _:
            known = Internal(what=f"the framework answered {error.status_code}: {error.detail}")
    told = answer(known, request)
    told.headers.update(error.headers or {})
    if isinstance(known, WrongMethod) and request.state.visit.allowed:
        told.headers["Allow"] = (
            request.state.visit.allowed
        )  # the framework names those of one of the path's calls
    return told
