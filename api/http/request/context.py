"""One request as it passes through the door: what is known of it, for the log and for the audit of calls."""

import ipaddress
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Request
from starlette.types import Scope

from api.auth.bearer import Known
from api.auth.claims import SOURCE
from api.auth.roles import READS, Open, needed_for
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.roles import Principal
from orchestrator.ports.calls import Call

PATH_SHOWN = 300
QUIET = frozenset({"is_alive", "is_ready", "metrics"})
COMMANDS = frozenset(f"{kind.value}_rollout" for kind in CommandKind)
READING = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(slots=True, kw_only=True)
class Visit:
    """A request, from its first line to its answer. ``call`` empty: no call of the door is at its path."""

    request: str  # its id
    method: str
    path: str  # as it was asked for, percent-encoded
    address: str  # of the client
    at: datetime
    call: str = ""  # operation id
    route: str = ""  # the template of its path
    allowed: str = ""  # the methods that its path takes, where it asked by another
    known: Known | None = None
    target: str = ""  # the rollout, service or token it is about
    refused: str = ""  # code of the error it was answered with
    status: int = 0
    body_bytes: int = 0  # taken in so far
    is_paced: bool = False  # it waits since others of its caller were refused
    ask_again: Callable[[], Awaitable[Known]] | None = field(default=None, repr=False)  # who it is
    _began: float = field(default_factory=time.perf_counter)

    @property
    def principal(self) -> Principal:
        """Who asks; only for calls that take a role."""
        assert self.known is not None, "a call without a role has no principal"
        return self.known.principal

    @property
    def caller(self) -> str:
        """Whose request it is, for bounds: a name, else an address."""
        return self.known.principal.name if self.known else self.address

    @property
    def is_command(self) -> bool:
        """True for a command to a rollout, which no bound on requests holds up."""
        return self.call in COMMANDS

    async def still_known(self) -> None:
        """Ask again who it is, for an answer that takes hours. Raises what a first request would be refused with."""
        if self.ask_again is not None:
            self.known = await self.ask_again()

    @property
    def is_kept(self) -> bool:
        """True for a call that was to change something, and is not kept by whoever checks its signature."""
        is_change = bool(self.call) and self.method not in READING and self.call not in READS
        return is_change and needed_for(self.call) is not Open.SIGNED

    @property
    def is_quiet(self) -> bool:
        """True for what is asked every few seconds by machines, and tells nobody anything."""
        return self.call in QUIET and not self.refused

    def kept(self) -> Call:
        """The visit as the audit log of calls has it."""
        return Call(
            at=self.at,
            actor=self.known.principal.name if self.known else "",
            source=SOURCE,
            address=self.address,
            call=f"{self.method} {self.route}",
            target=self.target,
            outcome=self.refused or "ok",
            request=self.request,
            token=self.known.token if self.known else "",
        )

    def line(self) -> dict[str, object]:
        """The visit as the log has it."""
        who = self.known.principal if self.known else None
        return {
            "method": self.method,
            "path": self.path,
            "route": self.route,
            "status": self.status,
            "milliseconds": round((time.perf_counter() - self._began) * 1000, 1),
            "actor": who.name if who else "",
            "role": who.role.value if who else "",
            "by": self.known.by.value if self.known else "",
            **({"token": self.known.token} if self.known and self.known.token else {}),
            "source": SOURCE,
            "address": self.address,
            **({"problem": self.refused} if self.refused else {}),
        }


def path_of(scope: Scope) -> str:
    """A request's path for people to read: what could break a line of the log is percent-encoded."""
    return quote(scope["path"], safe="/:@!$&'()*+,;=~")[:PATH_SHOWN]


def address_of(scope: Scope) -> str:
    """The client's address; a trusted proxy may have written something else than one."""
    client = scope.get("client")
    try:
        return str(ipaddress.ip_address(client[0])) if client else ""
    except ValueError:
        return ""


async def visit_of(request: Request) -> Visit:
    """The visit that a request is."""
    visit = request.state.visit
    assert isinstance(visit, Visit)
    return visit


async def principal_of(request: Request) -> Principal:
    """Who asks."""
    return (await visit_of(request)).principal


AtVisit = Annotated[Visit, Depends(visit_of)]
Who = Annotated[Principal, Depends(principal_of)]
