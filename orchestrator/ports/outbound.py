"""What Teal sends to addresses that a rollout file names: probes through the test listener, questions to webhooks."""

from typing import Protocol

from orchestrator.core.cloud.probes_and_webhooks import HookNeed, HookSeen, ProbeNeed, ProbeSeen
from orchestrator.core.cloud.resources import Unread


class AddressRules(Protocol):
    """Whether a request may go to an address."""

    def refusal(self, url: str, secret: str = "") -> tuple[str, str] | None:
        """Why no request may go there, as far as the settings and the address itself tell, and what to do; else None.

        `secret`: the name of the settings' hook whose secret is to sign it.
        """
        ...


class Prober(Protocol):
    """Sends Teal's own requests to green, through the test listener that a rollout file names."""

    async def probe(self, need: ProbeNeed) -> ProbeSeen | Unread:
        """Send one batch, at its rate, and say what became of each request. Never raises Outside nor Refused.

        It ends a batch's span and a request's timeout after it began, at the latest.
        """
        ...


class Asker(Protocol):
    """Puts questions to webhooks that a rollout file names."""

    async def ask(self, need: HookNeed) -> HookSeen | None:
        """What a webhook answers; None: it has not answered yet, ask again with the same need.

        Returns within a second or two, however long the webhook takes. Never raises Outside nor Refused.
        """
        ...


class OutboundCalls(Prober, Asker, Protocol):
    """What a tick sends."""


class Outward(AddressRules, OutboundCalls, Protocol):
    """Everything that the engine sends to addresses of rollout files, and where it may go."""
