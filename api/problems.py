"""Errors as answers: one rendering of the error tree for every door (RFC 9457, Problem Details for HTTP APIs).

A door raises and renders; it never words an error a second time. Errors that only a door can make (a body too large,
an unknown path) stand here beside the tree they extend.
"""

from collections.abc import Iterator

from pydantic import BaseModel, Field

from orchestrator.core.domain.errors import Conflict, Invalid, Outside, Refused, TealError, Unfit

MEDIA_TYPE = "application/problem+json"
CURSOR = "cursor"  # what a store calls the source of a cursor that no page returned


class MistakePart(BaseModel):
    """One mistake in a request: where, what, and what to write instead."""

    where: str = Field(default="body", description="body, query, path or header.", examples=["body"])
    pointer: str = Field(
        description="JSON pointer (RFC 6901) into the body, or a slash and the parameter's name.",
        examples=["/plan/0/weight"],
    )
    what: str = Field(description="What is wrong.", examples=['weight: "110" is more than 100 %'])
    instead: str = Field(description="What to write instead; may be empty.", examples=["write at most 100"])
    line: int | None = Field(default=None, description="The line of a YAML body, from 1.")


class Problem(BaseModel):
    """A problem document: what failed, why, and what to do next."""

    type: str = Field(
        description="A relative URI that says what this kind of problem means.",
        examples=["/problems/conflict"],
    )
    title: str = Field(description="The kind of problem in one sentence; the same each time.")
    status: int = Field(description="The HTTP status, once more.", examples=[409])
    detail: str = Field(description="What failed this time, and why.")
    instance: str = Field(description="The path that was asked for.", examples=["/v1/rollouts"])
    code: str = Field(description="Stable name of the kind, for programs.", examples=["conflict"])
    next_step: str = Field(default="", description="What to do next.")
    mistakes: list[MistakePart] = Field(default=[], description="Every mistake in the request.")
    findings: list[str] = Field(default=[], description="What preflight found against the rollout.")
    holder: str = Field(default="", description="The rollout that holds what was asked for.")


class NoSuchPath(TealError):
    """Nothing answers at this path."""

    code = "no-such-path"
    http_status = 404


class WrongMethod(TealError):
    """The path exists and does not take this method."""

    code = "wrong-method"
    http_status = 405


class TooLarge(TealError):
    """The request's body is larger than 256 KiB."""

    code = "too-large"
    http_status = 413


class AddressTooLong(TealError):
    """The request's address is longer than this server reads."""

    code = "address-too-long"
    http_status = 414


class Malformed(TealError):
    """What was sent is no HTTP/1.1 request, or one that this server does not read; nothing was done."""

    code = "malformed"
    http_status = 400


class UnknownCoding(Malformed):
    """What was sent is a request in a transfer coding that this server does not read; nothing was done."""

    http_status = 501


class Changed(TealError):
    """The rollout is not at the version that the request's ``If-Match`` names; nothing was changed."""

    code = "changed"
    http_status = 412


class WrongType(TealError):
    """The request's body is of a media type that this call does not read."""

    code = "wrong-type"
    http_status = 415


class HeadersTooLarge(TealError):
    """The request's address or its headers are longer than this server reads."""

    code = "headers-too-large"
    http_status = 431


class Unauthenticated(TealError):
    """The request carries no token that this server accepts.

    ``challenge``: what the answer's ``WWW-Authenticate`` says (RFC 6750, section 3).
    """

    code = "unauthenticated"
    http_status = 401

    def __init__(self, *, what: str, why: str = "", next_step: str = "", error: str = "") -> None:
        self.challenge = f'Bearer realm="teal", error="{error}"' if error else 'Bearer realm="teal"'
        super().__init__(what=what, why=why, next_step=next_step)


class Forbidden(TealError):
    """Whoever asks is known, and their role or their services do not cover this."""

    code = "forbidden"
    http_status = 403
    challenge = 'Bearer realm="teal", error="insufficient_scope"'


class IssuerAway(TealError):
    """The issuer of the token does not answer and its keys are not known, so nobody can tell if it is genuine."""

    code = "issuer-away"
    http_status = 503


class Foreign(TealError):
    """The request came by another name than this server's own, or from another site's page."""

    code = "foreign"
    http_status = 403


class Simulating(TealError):
    """As many simulations of one caller wait as may; one runs at a time, and callers take turns."""

    code = "simulating"
    http_status = 429


class Busy(TealError):
    """As many clients wait for news as this server serves at a time."""

    code = "busy"
    http_status = 503


class TooMany(TealError):
    """One caller asks more at a time than this server answers to one."""

    code = "too-many-requests"
    http_status = 429


class Internal(TealError):
    """A bug in Teal; the log has it under the request's id. Rollouts go on."""

    code = "internal"
    http_status = 500


class RequestInvalid(Invalid):
    """Parameters or body of a request are wrong; carries every mistake with the part of the request it is in."""

    def __init__(self, parts: list[MistakePart]) -> None:
        self.parts = parts
        super().__init__(source="request", mistakes=())
        self.what = "; ".join(f"{part.where} {part.pointer}: {part.what}" for part in parts)


def title_of(kind: type[TealError]) -> str:
    """The meaning of a kind of error in one sentence: the first paragraph of its docstring."""
    return " ".join((kind.__doc__ or "").split("\n\n")[0].split()).replace("``", "`")


def kinds() -> tuple[type[TealError], ...]:
    """Every kind of error with a code of its own, parents before children, as far as their modules are loaded."""
    return (TealError, *_below(TealError))


def _below(kind: type[TealError]) -> Iterator[type[TealError]]:
    for child in kind.__subclasses__():
        if "code" in vars(child):
            yield child
        yield from _below(child)


def problem(error: TealError, *, instance: str) -> Problem:
    """The problem document of an error. ``instance``: the path that was asked for."""
    return Problem(
        type=f"/problems/{error.code}",
        title=title_of(_coded(type(error))),
        status=error.http_status,
        detail=_detail(error),
        instance=instance,
        code=error.code,
        next_step=error.next_step or _usual_step(type(error)),
        mistakes=_mistakes(error),
        findings=list(error.findings) if isinstance(error, Unfit) else [],
        holder=error.holder if isinstance(error, Conflict) else "",
    )


def _detail(error: TealError) -> str:
    if isinstance(error, Invalid) and error.source == CURSOR:  # the store knows no parameter by its name
        return "; ".join(f"{part.where} {part.pointer}: {part.what}" for part in _mistakes(error))
    return ": ".join(part for part in (error.what, error.why) if part)


def example_problem(code: str, *, status: int, detail: str, path: str) -> Problem:
    """A problem of a kind as an example shows it, with the parts that its kind has."""
    kind = next(kind for kind in kinds() if kind.code == code)
    invalid = [
        MistakePart(pointer="/plan/0/weight", what="it is more than 100 %", instead="write at most 100")
    ]
    return Problem(
        type=f"/problems/{code}",
        title=title_of(kind),
        status=status,
        detail=detail,
        instance=path,
        code=code,
        next_step=_usual_step(kind),
        mistakes=invalid if issubclass(kind, Invalid) else [],
        holder="checkout-3f9a1c07" if issubclass(kind, Conflict) else "",
    )


def _usual_step(kind: type[TealError]) -> str:
    """What to do about an error whose raise does not say it."""
    steps = {
        Invalid: "correct what `mistakes` lists, and send it again",
        Unfit: "correct what `findings` lists, and send it again",
        Outside: "look at what AWS or the network said, and try again",
        Refused: "look at the rollout as it is now (GET /v1/rollouts/{id}): `accepts` lists what may be done",
    }
    known = next((step for parent, step in steps.items() if issubclass(kind, parent)), "")
    return known or f"read /problems/{kind.code}"


def _coded(kind: type[TealError]) -> type[TealError]:
    """The class that gave an error its code: one without a code of its own is documented as its parent."""
    return next(parent for parent in kind.__mro__ if "code" in vars(parent))


def _mistakes(error: TealError) -> list[MistakePart]:
    if isinstance(error, RequestInvalid):
        return error.parts
    if not isinstance(error, Invalid):
        return []
    if error.source == CURSOR:
        return [
            MistakePart(where="query", pointer="/cursor", what=mistake.what, instead=mistake.instead)
            for mistake in error.mistakes
        ]
    return [
        MistakePart(pointer=mistake.pointer, what=mistake.what, instead=mistake.instead, line=mistake.line)
        for mistake in error.mistakes
    ]
