"""The only way to AWS: limits the rate, bounds the time, repeats reads and never writes."""

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.aws.client.errors import unanswered
from orchestrator.aws.client.rate_limits import Limits
from orchestrator.aws.client.transport import Answer, Transport
from orchestrator.core.domain.errors import Throttled, Unreachable

PAGES_MAX = 50  # of up to 100 items or more: far beyond any quota that a rollout meets


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a call may take, in seconds. A read's last attempt begins within `budget` of the first.

    With the wait for a token (``rate_limits.py``) even the slowest read ends before the 15 s that a tick has.
    """

    timeout: float = 7.5  # of one attempt: connect 2 s and read 5 s, with a margin
    attempts: int = 3
    budget: float = 5.0
    backoff: float = 0.4  # the longest wait before the second attempt; it doubles with each
    backoff_max: float = 3.0

    @classmethod
    def once(cls) -> "Patience":
        """One attempt at everything."""
        return cls(attempts=1)


class Caller:
    """Calls AWS through a transport. `limits` None: none of our own; `chance` gives numbers in [0, 1)."""

    def __init__(
        self,
        transport: Transport,
        *,
        limits: Limits | None = None,
        patience: Patience | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._transport = transport
        self._limits = limits
        self._patience = patience or Patience()
        self._chance = chance

    @property
    def limits(self) -> Limits | None:
        """The rate limits of its account and region."""
        return self._limits

    def over(self, transport: Transport, *, limits: Limits | None) -> "Caller":
        """The same patience over another transport."""
        return Caller(transport, limits=limits, patience=self._patience, chance=self._chance)

    async def read(self, service: str, operation: str, params: Mapping[str, Any], *, has: str = "") -> Answer:
        """The answer to a read, repeated with full jitter while AWS throttles or is silent. Raises Outside.

        An answer without the member `has` is none: botocore reads a body that is no JSON as an empty answer, which
        would say that there is nothing where nothing could be read.
        """
        patience, attempt, began = self._patience, 1, asyncio.get_running_loop().time()
        while True:
            try:
                answer = await self._once(service, operation, params, to_safety=False)
                if has and has not in answer:
                    raise unanswered(service, operation, why=f"the answer holds no {has}")
                return answer
            except (Throttled, Unreachable):
                wait = self._chance() * min(patience.backoff_max, patience.backoff * 2 ** (attempt - 1))
                spent = asyncio.get_running_loop().time() - began
                if attempt >= patience.attempts or spent + wait > patience.budget:
                    raise
            await asyncio.sleep(wait)
            attempt += 1

    async def write(
        self,
        service: str,
        operation: str,
        params: Mapping[str, Any],
        *,
        to_safety: bool = False,
        harm: float = 0.0,
    ) -> Answer:
        """The answer to a call that changes something, sent once. Raises Outside.

        `to_safety` may use the reserve; of such calls that wait, the one that ends the most `harm` goes first.
        """
        return await self._once(service, operation, params, to_safety=to_safety, harm=harm)

    async def pages(
        self,
        service: str,
        operation: str,
        params: Mapping[str, Any],
        *,
        items: str,
        token: str,
        sent_as: str = "",
    ) -> list[Any]:
        """Every item of a paged read: `token` names the answer's cursor, `sent_as` the parameter. Raises Outside."""
        found: list[Any] = []
        asked = dict(params)
        for _ in range(PAGES_MAX):
            answer = await self.read(service, operation, asked, has=items)
            found.extend(answer[items])
            cursor = answer.get(token)
            if not cursor:
                return found
            asked[sent_as or token] = cursor
        raise unanswered(service, operation, why=f"the list did not end after {PAGES_MAX} pages")

    async def _once(
        self,
        service: str,
        operation: str,
        params: Mapping[str, Any],
        *,
        to_safety: bool,
        harm: float = 0.0,
    ) -> Answer:
        if self._limits is not None:
            await self._limits.take(service, operation, to_safety=to_safety, harm=harm)
        try:
            async with asyncio.timeout(self._patience.timeout):
                return await self._transport.call(service, operation, params)
        except TimeoutError as error:
            why = f"no answer within {self._patience.timeout:g} s"
            raise unanswered(service, operation, why=why) from error
        except Throttled:
            if self._limits is not None:
                self._limits.throttled(service, operation)
            raise


def chunks(items: tuple[str, ...], size: int) -> list[tuple[str, ...]]:
    """The items in groups of at most `size`, in order."""
    return [items[start : start + size] for start in range(0, len(items), size)]
