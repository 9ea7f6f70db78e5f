"""The webhook sink: each event is one signed request to an address that the settings name."""

from datetime import timedelta
from fnmatch import fnmatchcase

from orchestrator.core.domain.errors import (
    Invalid,
    Mistake,
    Outside,
    Refused,
    Rejected,
    Throttled,
    Unreachable,
)
from orchestrator.core.domain.events import FOR_PEOPLE, EventKind
from orchestrator.notify.cloud_events import MEDIA_TYPE, cloud_event, id_of, id_of_store, store_event
from orchestrator.notify.sink import Gone, Later, StorePage
from orchestrator.outbound.retry_after import retry_after
from orchestrator.outbound.send import Answer, Outbound
from orchestrator.outbound.signature import key_of, signed
from orchestrator.ports.clock import Clock
from orchestrator.ports.rollouts import EventSeen, Stored
from orchestrator.settings import Hook

ANSWER_WITHIN = timedelta(seconds=15)
# Statuses of a receiver that is ill rather than unwilling: it is asked again soon.
_ILL = frozenset({408, 425})


class HookSink:
    """One hook of the settings."""

    at_once = 1  # an event that was taken is not told again because the next one was not

    def __init__(self, hook: Hook, out: Outbound, clock: Clock, *, public_url: str = "") -> None:
        """Raises Invalid for a secret that cannot sign."""
        self.name = f"hook {hook.name}"
        self._hook, self._out, self._clock, self._public_url = hook, out, clock, public_url
        try:
            self._key = key_of(hook.secret)
        except ValueError as wrong:
            mistake = Mistake(
                pointer=f"/hooks/{hook.name}/secret",
                what=f"the secret of {self.name} cannot sign: {wrong}",
                instead="write whsec_ and the base64 of 32 random bytes",
            )
            raise Invalid(source="settings", mistakes=[mistake]) from None

    def wants(self, stored: Stored, seen: EventSeen) -> bool:
        """True for an event of its kinds, of a service of its patterns."""
        hook, service = self._hook, str(stored.rollout.spec.service)
        is_mine = not hook.services or any(fnmatchcase(service, pattern) for pattern in hook.services)
        return is_mine and seen.event.kind in (hook.events or FOR_PEOPLE)

    async def tell(self, stored: Stored, events: tuple[EventSeen, ...], state: str) -> str:
        """As Sink."""
        for seen in events:
            await self._post(stored, seen)
        return state

    async def page(self, page: StorePage) -> None:
        """As Sink: to a hook that is told when people are paged, of whatever services."""
        if EventKind.PAGED in (self._hook.events or FOR_PEOPLE):
            await self._send(store_event(page, public_url=self._public_url), id_of_store(page))

    async def _post(self, stored: Stored, seen: EventSeen) -> None:
        await self._send(cloud_event(stored, seen, public_url=self._public_url), id_of(seen))

    async def _send(self, body: bytes, known_by: str) -> None:
        headers = {
            "content-type": f"{MEDIA_TYPE}; charset=utf-8",
            **signed(body, key=self._key, id=known_by, at=self._clock.now()),
        }
        try:
            answer = await self._out.send(
                "POST", self._hook.url, headers=headers, body=body, timeout=ANSWER_WITHIN
            )
        except Refused as why:  # by the settings' hosts, or by where DNS leads today
            raise Rejected(what=f"{self.name}: {why.what}", why=why.why, next_step=why.next_step) from why
        if not 200 <= answer.status < 300:
            raise self._not_taken(answer)

    def _not_taken(self, answer: Answer) -> Outside:
        """What an answer means. The address stays out of the words: its path may be as good as a password."""
        what, status = f"{self.name} did not take an event", answer.status
        why = f"it answered {status}"
        if status == 410:
            return Gone(
                what=f"{self.name} takes no more events", why=why, next_step="remove it from the settings"
            )
        after = retry_after(answer.headers, now=self._clock.now())
        if after is not None:
            return Later(what=what, why=f"{why} and asked to wait", after=after)
        if status == 429:
            return Throttled(what=what, why=why)
        if status >= 500 or status in _ILL:
            return Unreachable(what=what, why=why)
        return Rejected(what=what, why=why, next_step="see that its address and secret are right")
