"""What can go wrong between a program and a server, as exceptions that say what to do next.

Failure
├── Problem             the server answered with a problem document (RFC 9457)
│   ├── Unauthenticated 401: no token, or one that is not taken (any more)
│   ├── Forbidden       403: this identity may not do that
│   ├── NotFound        404: no such rollout, service or path
│   ├── Refused         409: a legal command that is not accepted in the present state
│   │   └── Conflict    another rollout holds the service, the rule or the key
│   ├── Invalid         400, 413, 415, 422 …: the request is wrong; every mistake is listed
│   │   └── Unfit       preflight's findings are against the rollout
│   ├── Unavailable     429, 503, 504: the same call may work later
│   ├── Outside         502: AWS did not do what the server asked
│   └── ServerFault     any other 5xx: a fault of the server's own
├── NoAnswer            the server cannot be reached, or the connection broke
├── Unreadable          something answered, and it is no answer of Teal's
└── NotReached          a wait ended without what it waited for
    └── GaveUp          … because its time was over; the rollout goes on
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from api.client.values import Rollout


class Failure(Exception):
    """The root: everything that this client raises, except ValueError for arguments that are wrong by themselves."""

    def __init__(self, what: str, *, next_step: str = "") -> None:
        self.what, self.next_step = what, next_step
        super().__init__(f"{what}. {next_step}" if next_step else what)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One mistake in a request: the part it is in, a JSON pointer, what is wrong and what to write instead."""

    where: str = "body"
    pointer: str = ""
    what: str = ""
    instead: str = ""
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A problem document's members, and what the answer's head adds to them."""

    status: int
    code: str = ""
    title: str = ""
    detail: str = ""
    next_step: str = ""
    mistakes: Sequence[Mistake] = ()
    findings: Sequence[str] = ()
    holder: str = ""
    request_id: str = ""
    retry_after: float | None = None


class Problem(Failure):
    """The server answered, and said no. ``request_id`` finds the call in the server's log."""

    def __init__(self, told: Told) -> None:
        self.status, self.code, self.title, self.detail = told.status, told.code, told.title, told.detail
        self.mistakes, self.findings = tuple(told.mistakes), tuple(told.findings)
        self.holder, self.request_id, self.retry_after = told.holder, told.request_id, told.retry_after
        super().__init__(
            told.detail or told.title or f"the server answered {told.status}", next_step=told.next_step
        )


class Unauthenticated(Problem):
    """No token, or one that the server does not take (any more)."""


class Forbidden(Problem):
    """This identity may not do that."""


class NotFound(Problem):
    """No such rollout, service or path, as far as this identity may see."""


class Refused(Problem):
    """A legal command, refused in the present state; nothing was changed."""


class Conflict(Refused):
    """Another rollout holds what this one needs; ``holder`` is its id."""


class Invalid(Problem):
    """The request is wrong; ``mistakes`` has every one with its place."""


class Unfit(Invalid):
    """Preflight's ``findings`` are against the rollout; nothing was touched."""


class Unavailable(Problem):
    """The server is busy or starting; ``retry_after`` says in how many seconds it may not be."""


class Outside(Problem):
    """AWS did not do what the server asked of it."""


class ServerFault(Problem):
    """A fault of the server's own; its log has it under ``request_id``."""


class NoAnswer(Failure):
    """The server cannot be reached, or the connection broke. ``was_sent``: the request may have arrived."""

    def __init__(self, what: str, *, was_sent: bool, next_step: str = "") -> None:
        self.was_sent = was_sent
        super().__init__(what, next_step=next_step)


class Unreadable(Failure):
    """Something answered at this address, and it is no answer of Teal's."""


class NotReached(Failure):
    """The rollout will not come to what was waited for; ``rollout`` is how it was last seen."""

    def __init__(self, what: str, rollout: "Rollout", *, next_step: str = "") -> None:
        self.rollout = rollout
        super().__init__(what, next_step=next_step)


class GaveUp(NotReached):
    """The time to wait was over. The rollout goes on."""
