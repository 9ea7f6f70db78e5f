"""Every error Teal raises on purpose, one tree, each a small runbook: what failed, why, what to do next.

TealError
├── Invalid        the file or request is wrong: fix it (file and line, or JSON pointer)
├── TrafficUnknown a service's traffic was not said and could not be read: say it
├── Refused        a legal command that is not accepted in the present state
│   ├── Conflict   somebody else holds the service, the rule, or the key
│   └── NotFound   no such rollout, service or revision
├── Unwritable     the store cannot be written now: it can be read, and what was to be kept is not
├── Lost           the lease or the row's version has passed to somebody else: drop the tick, look again
└── Outside        AWS or the network
    ├── Denied     no credentials, or not allowed
    ├── Throttled  too many calls
    ├── Missing    what should be there is not
    ├── Rejected   AWS understood and said no
    └── Unreachable no answer, or none that can be understood
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


class TealError(Exception):
    """The root. ``code`` is stable; doors map it to an HTTP status and an exit code."""

    code: ClassVar[str] = "error"
    http_status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1

    def __init__(self, *, what: str, why: str = "", next_step: str = "") -> None:
        self.what, self.why, self.next_step = what, why, next_step
        super().__init__(": ".join(part for part in (what, why) if part))

    def __str__(self) -> str:
        """The error as one sentence for people: what, why and the next step."""
        head = ": ".join(part for part in (self.what, self.why) if part)
        return f"{head}. {self.next_step[0].upper()}{self.next_step[1:]}" if self.next_step else head


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One mistake in a file or request: where, what, and what to write instead."""

    pointer: str  # JSON pointer (RFC 6901) into the document
    what: str
    instead: str
    line: int | None = None

    def at(self, source: str) -> str:
        """The mistake as ``source:line: what: what to write instead``."""
        place = f"{source}:{self.line}" if self.line is not None else f"{source}{self.pointer}"
        return f"{place}: {self.what}: {self.instead}" if self.instead else f"{place}: {self.what}"


class Invalid(TealError):
    """The rollout file or request cannot be used; carries every mistake, not only the first."""

    code = "invalid"
    http_status = 422
    exit_code = 2

    def __init__(self, *, source: str, mistakes: Sequence[Mistake]) -> None:
        self.source, self.mistakes = source, tuple(mistakes)
        super().__init__(what="\n".join(mistake.at(source) for mistake in self.mistakes))


class Unfit(TealError):
    """Preflight found what would make this rollout fail; ``findings`` are its errors in words. Nothing was touched."""

    code = "unfit"
    http_status = 422
    exit_code = 2

    def __init__(self, *, what: str, findings: Sequence[str]) -> None:
        self.findings = tuple(findings)
        super().__init__(what=what, why="\n".join(findings))


class TrafficUnknown(TealError):
    """A simulation was not told how much traffic the service has, and could not read it either."""

    code = "traffic-unknown"
    http_status = 422
    exit_code = 2


class Refused(TealError):
    """A legal command, refused in the present state; nothing was changed."""

    code = "refused"
    http_status = 409
    exit_code = 5


class Conflict(Refused):
    """Another rollout holds what this one needs; ``holder`` is its id."""

    code = "conflict"

    def __init__(self, *, what: str, why: str = "", next_step: str = "", holder: str = "") -> None:
        self.holder = holder
        super().__init__(what=what, why=why, next_step=next_step)


class NotFound(Refused):
    """No rollout by this id, or no active one for this service."""

    code = "not-found"
    http_status = 404
    exit_code = 1


class Lost(TealError):
    """The lease or the version passed to another writer; this tick's work is dropped and looked at again."""

    code = "lost"
    http_status = 503


class Unwritable(TealError):
    """The store cannot be written now (no room, read-only, held by another program); nothing of it was kept."""

    code = "store-unwritable"
    http_status = 503


class Outside(TealError):
    """AWS or the network did not do what was asked."""

    code = "outside"
    http_status = 502


class Denied(Outside):
    """Credentials are missing, expired, or do not allow the call."""

    code = "denied"


class Throttled(Outside):
    """The account's rate limit is used up; the same call may work later."""

    code = "throttled"


class Missing(Outside):
    """What the call names does not exist."""

    code = "missing"
    http_status = 422  # what is named was named by whoever asked


class Rejected(Outside):
    """AWS understood the call and refused it; repeating it unchanged will not help."""

    code = "rejected"
    http_status = 422


class Unreachable(Outside):
    """No answer in time; for a write, its outcome is unknown until it is read back."""

    code = "unreachable"


class NotSent(Outside):
    """The lease ended before the call left this process: nothing was sent, and nothing can land."""

    code = "not-sent"


def first_of(error: BaseException) -> BaseException:
    """The error itself, or the first one in a group: what a person should read."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
