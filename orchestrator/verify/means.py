"""What a run needs of the outside, and what `bootstrap` or a test gives it."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from orchestrator.aws.client.call import Caller
from orchestrator.aws.client.errors import said
from orchestrator.aws.client.transport import Answer
from orchestrator.core.domain.errors import Outside, Unreachable
from orchestrator.engine.worker import Worker
from orchestrator.ports.break_glass import Direct
from orchestrator.ports.clock import Clock
from orchestrator.ports.cloud import Cloud
from orchestrator.ports.store import Store
from orchestrator.verify.facts.calls import CallLog
from orchestrator.verify.facts.datapoints import Datapoints
from orchestrator.verify.facts.placeholders import Placeholders

READS = ("Describe", "List", "Get", "Simulate")


class Refusal(Exception):
    """AWS's own word for why it did not do what it was asked."""

    may_have_acted = False  # True: nobody knows whether it was done

    def __init__(self, service: str, operation: str, code: str, message: str) -> None:
        self.service, self.operation, self.code, self.message = service, operation, code, message
        super().__init__(f"{service} {operation}: {code}: {message}")


class Calls:
    """AWS by botocore's names and shapes; reads are repeated and rates limited as Teal's own calls are."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

    async def __call__(self, service: str, operation: str, /, **params: Any) -> Answer:  # noqa: ANN401 - botocore's shapes
        """The answer. Raises Refusal with AWS's code, ``NoAnswer`` where none came."""
        try:
            if operation.startswith(READS):
                return await self.caller.read(service, operation, params)
            return await self.caller.write(service, operation, params)
        except Outside as error:
            raise _refusal(service, operation, error) from error

    async def pages(
        self,
        service: str,
        operation: str,
        /,
        *,
        items: str,
        token: str,
        sent_as: str = "",
        **params: Any,  # noqa: ANN401 - botocore's shapes
    ) -> list[Any]:
        """Every item of a paged read, as ``Caller.pages``. Raises Refusal."""
        try:
            return await self.caller.pages(
                service, operation, params, items=items, token=token, sent_as=sent_as
            )
        except Outside as error:
            raise _refusal(service, operation, error) from error


def _refusal(service: str, operation: str, error: Outside) -> Refusal:
    code, message = said(error)
    refusal = Refusal(service, operation, code, message)
    refusal.may_have_acted = isinstance(error, Unreachable)
    return refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What became of one request. `status` 0: no answer. Times are the running loop's, in seconds."""

    status: int
    sent: float
    answered: float
    why: str = ""


@dataclass(slots=True)
class Tally:
    """What became of the users' requests so far."""

    answered: int = 0
    failed: int = 0  # answered with 500 or more, or not at all

    def since(self, former: "Tally") -> "Tally":
        """Those that came after a copy was taken."""
        return Tally(self.answered - former.answered, self.failed - former.failed)

    def copy(self) -> "Tally":
        """As it is now."""
        return Tally(self.answered, self.failed)


class Users(Protocol):
    """Sends requests to the throw-away service, as its users would."""

    async def send(self, *, wait: float = 0.0) -> Answered:
        """One request that is answered after so many seconds; never raises for a failed one."""
        ...

    def steadily(self, rate: float) -> AbstractAsyncContextManager[Tally]:
        """So many requests a second for as long as the context lasts."""
        ...


OpenUsers = Callable[[str, str], AbstractAsyncContextManager[Users]]
"""(base URL, the value of the header that leads to the throw-away rule) -> users."""


class Engine(Protocol):
    """Teal's engine in this process, over a store of the run's own."""

    @property
    def store(self) -> Store: ...  # noqa: D102
    @property
    def cloud(self) -> Cloud: ...  # noqa: D102
    @property
    def clock(self) -> Clock: ...  # noqa: D102
    @property
    def worker(self) -> Worker: ...  # noqa: D102

    async def run(self, stop: asyncio.Event) -> None:
        """Tick what is due until `stop` is set."""
        ...


class Unnarrowed(Exception):
    """No session with narrower permissions could be had: why, in words of ours, and in AWS's sentence."""

    def __init__(self, words: str, quoted: str = "") -> None:
        self.words, self.quoted = words, quoted
        super().__init__(f"{words}: {quoted}" if quoted else words)


Narrow = Callable[[str], AbstractAsyncContextManager[Calls]]
"""A policy document -> the same account with its permissions alone. Entering raises Unnarrowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """Everything that a run acts by, and where it writes down what it saw."""

    engine: Engine
    direct: Direct
    calls: Calls
    narrow: Narrow
    strange: Callable[[], AbstractAsyncContextManager[Calls]]
    """The same account with temporary credentials that nobody gave."""
    open_users: OpenUsers
    region: str
    log: CallLog = field(default_factory=CallLog)
    names: Placeholders = field(default_factory=Placeholders)
    datapoints: Datapoints = field(default_factory=Datapoints)
