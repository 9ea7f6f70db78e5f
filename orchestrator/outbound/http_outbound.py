"""``ports.outbound.Outward`` over HTTP: probes of green and questions to webhooks, where the settings let them go."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from orchestrator.core.cloud.probes_and_webhooks import HookNeed, HookSeen, ProbeNeed, ProbeSeen
from orchestrator.core.cloud.resources import Unread
from orchestrator.outbound.addresses import refusal_before
from orchestrator.outbound.probes import probe
from orchestrator.outbound.send import Outbound
from orchestrator.outbound.targets import target_of
from orchestrator.outbound.webhooks import HookAsker
from orchestrator.ports.clock import Clock
from orchestrator.settings import Hook, Hosts


class HttpOutward:
    """Everything that the engine sends to addresses of rollout files. Use as a context manager."""

    def __init__(
        self, hosts: Hosts, hooks: Sequence[Hook], clock: Clock, *, out: Outbound | None = None
    ) -> None:
        self._hosts = hosts
        self._out = out or Outbound(hosts)
        self._asker = HookAsker(self._out, hooks, clock)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._asker.__aexit__(kind, error, trace)

    def refusal(self, url: str, secret: str = "") -> tuple[str, str] | None:
        """Why no request may go there, and what to do; None: nothing speaks against it yet."""
        try:
            target = target_of(url)
        except ValueError as error:
            what, instead = error.args
            return what, instead
        return refusal_before(target, self._hosts) or (self._asker.refusal(url, secret) if secret else None)

    async def probe(self, need: ProbeNeed) -> ProbeSeen | Unread:
        """Send one batch of requests to green."""
        return await probe(self._out, need)

    async def ask(self, need: HookNeed) -> HookSeen | None:
        """What a webhook answers; None: nothing yet."""
        return await self._asker.ask(need)
