"""Every call that was made, Teal's own and those of the questions, with what AWS refused."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.aws.client.errors import said
from orchestrator.aws.client.transport import Answer, Transport
from orchestrator.core.domain.errors import Outside

KEPT = 50_000  # calls; beyond them only their number is kept


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFact:
    """One attempt at a call. Times are seconds; `code` and `message` are empty where it was answered."""

    at: float  # since the run began
    seconds: float
    service: str
    operation: str
    code: str = ""
    message: str = ""


@dataclass(slots=True)
class CallLog:
    """The calls in their order."""

    calls: list[CallFact] = field(default_factory=list)
    dropped: int = 0
    before: Callable[[], Awaitable[None]] | None = None
    """Awaited before each call: whoever must not miss a moment of a rollout looks at its row there."""
    _began: float | None = None

    def now(self) -> float:
        """Seconds since the first time it was asked, by the running loop's clock."""
        now = asyncio.get_running_loop().time()
        if self._began is None:
            self._began = now
        return now - self._began

    def add(self, fact: CallFact) -> None:
        """Keep a call."""
        if len(self.calls) < KEPT:
            self.calls.append(fact)
        else:
            self.dropped += 1

    @property
    def refusals(self) -> tuple[CallFact, ...]:
        """Those that AWS did not answer as asked."""
        return tuple(call for call in self.calls if call.code)


class Recorder:
    """A transport that remembers what goes through it; parameters and answers are not kept."""

    def __init__(self, transport: Transport, log: CallLog) -> None:
        self._transport, self._log = transport, log

    async def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Answer:
        """As Transport."""
        if self._log.before is not None:
            await self._log.before()
        at, code, message = self._log.now(), "", ""
        try:
            return await self._transport.call(service, operation, params)
        except Outside as error:
            code, message = said(error)
            raise
        except BaseException:
            code = "Unfinished"  # the caller waited no longer: whether it took effect is not known
            raise
        finally:
            seconds = self._log.now() - at
            self._log.add(
                CallFact(
                    at=at,
                    seconds=seconds,
                    service=service,
                    operation=operation,
                    code=code,
                    message=message,
                )
            )
