"""The client for programs without an event loop."""

import time
from collections.abc import Callable, Iterator, Sequence
from ssl import SSLContext

from api.client import requests, values
from api.client.answers import Answer, Json, check_stream, read
from api.client.carrying import Transport, lower
from api.client.failures import Failure
from api.client.reading import read as shaped
from api.client.requests import File, Request, Token, address_of, head
from api.client.retries import Outage, Retries
from api.client.stream import Following, StreamOver
from api.client.waiting import Wait


class Client:
    """A server's calls. ``user``: the name for the audit log of a server without authentication.

    Raises ValueError for arguments that are wrong by themselves, else a `Failure`. Calls that fail for a reason that
    passes are repeated as `retries` says; writes carry an idempotency key, so that none takes effect twice.
    """

    def __init__(
        self,
        url: str,
        *,
        token: Token = "",
        user: str = "",
        retries: Retries | None = None,
        patience: float = 120.0,
        context: SSLContext | None = None,
    ) -> None:
        self._transport = Transport(address_of(url), context=context)
        self._token, self._user = token, user
        self._retries = retries or Retries()
        self._patience = Retries(within=patience)  # while following and waiting

    # rollouts --------------------------------------------------------------------------------------------------

    def start(self, file: File, *, key: str) -> values.Rollout:
        """Start a rollout; the same key again within a day returns the one that it started."""
        return shaped(values.Rollout, self._ask(requests.start(file, key=key)))

    def get(self, name: str, *, wait: float = 0, version: int | None = None) -> values.Rollout:
        """A rollout by its id, or the active one of a service; with `wait`, its next version if it comes in time."""
        return shaped(values.Rollout, self._ask(requests.get(name, wait=wait, version=version)))

    def list(
        self, *, service: str = "", phase: str = "", active: bool | None = None, limit: int | None = None
    ) -> Iterator[values.Rollout]:
        """Rollouts, newest first, asked for a page at a time; at most `limit`."""
        cursor, left = "", limit
        while left is None or left > 0:
            size = 100 if left is None else min(left, 100)
            asked = requests.page(service=service, phase=phase, active=active, limit=size, cursor=cursor)
            page = shaped(values.RolloutPage, self._ask(asked))
            yield from page.rollouts
            left = None if left is None else left - len(page.rollouts)
            cursor = page.next
            if not cursor:
                return

    def events(self, name: str, *, after: int = 0) -> Iterator[values.Event]:
        """A rollout's log so far, from the event after number `after`."""
        while True:
            page = shaped(values.EventPage, self._ask(requests.events(name, after=after)))
            yield from page.events
            after = page.next
            if len(page.events) < requests.EVENTS_A_PAGE:
                return

    def follow(self, name: str, *, after: int = 0) -> Iterator[values.Event]:
        """A rollout's log as it grows, until it has ended; a lost connection is taken up where it broke."""
        rollout = str(self._ask(requests.get(name))["id"])  # a service's name means another rollout later
        following, outage = Following(rollout, after=after), Outage(self._patience)
        while True:
            try:
                for event in self._stream(following):
                    outage.over()
                    yield shaped(values.Event, event)
                pause = (
                    following.retry_seconds
                )  # the server ended the stream, and would say so at the end of all
            except StreamOver:
                return
            except Failure as failure:
                pause = outage.pause_after(failure)
            time.sleep(pause)

    def wait(
        self,
        name: str,
        *,
        until: str = "done",
        timeout: float | None = None,
        seen: Callable[[values.Rollout], None] | None = None,
    ) -> values.Rollout:
        """The rollout once it has come to ``step:2`` (its weight read back), ``approval`` or ``done``.

        `seen` is told of every version on the way. Raises NotReached if it is rolled back or ends instead, GaveUp
        after `timeout` seconds; it goes on then.
        """
        wait = Wait(until, timeout)
        rollout = self.get(name)
        while True:
            if seen is not None:
                seen(rollout)
            if wait.is_over(rollout):
                return rollout
            pause, request = wait.next(rollout)
            time.sleep(pause)
            rollout = shaped(values.Rollout, self._ask(request, self._patience))

    # commands --------------------------------------------------------------------------------------------------

    def approve(
        self, name: str, *, reason: str = "", step: int | None = None, key: str = ""
    ) -> values.Commanded:
        """Let the step that waits for a person be left; `step`, from 1, binds it to that step."""
        return self._command(name, "approve", key, reason=reason, step=step)

    def reject(
        self, name: str, *, reason: str = "", step: int | None = None, key: str = ""
    ) -> values.Commanded:
        """Refuse the revision: all traffic back to blue."""
        return self._command(name, "reject", key, reason=reason, step=step)

    def pause(
        self, name: str, *, reason: str = "", step: int | None = None, key: str = ""
    ) -> values.Commanded:
        """Stop advancing; gates still judge."""
        return self._command(name, "pause", key, reason=reason, step=step)

    def resume(
        self, name: str, *, reason: str = "", step: int | None = None, key: str = ""
    ) -> values.Commanded:
        """Go on advancing."""
        return self._command(name, "resume", key, reason=reason, step=step)

    def promote(
        self, name: str, *, full: bool = False, reason: str = "", step: int | None = None, key: str = ""
    ) -> values.Commanded:
        """Waive the rest of this step's bake; `full`: straight to the last step."""
        return self._command(name, "promote", key, full=full, reason=reason, step=step)

    def back(
        self, name: str, *, to: str | float, reason: str = "", step: int | None = None, key: str = ""
    ) -> values.Commanded:
        """Go back to the weight of an earlier step, in percent."""
        return self._command(name, "back", key, to=to, reason=reason, step=step)

    def rollback(
        self, name: str, *, reason: str = "", step: int | None = None, key: str = ""
    ) -> values.Commanded:
        """All traffic back to blue, then green is retired."""
        return self._command(name, "rollback", key, reason=reason, step=step)

    def abandon(
        self, name: str, *, reason: str = "", step: int | None = None, key: str = ""
    ) -> values.Commanded:
        """Write nothing more and leave everything as it is: the last resort."""
        return self._command(name, "abandon", key, reason=reason, step=step)

    # what else the server knows --------------------------------------------------------------------------------

    def preflight(self, file: File) -> values.Preflight:
        """What a rollout would start from, and what speaks against it; only reads."""
        return shaped(values.Preflight, self._ask(requests.preflight(file)))

    def services(self) -> Iterator[values.Service]:
        """Every service that had a rollout, by name: what serves now, and how it came to that."""
        cursor = ""
        while True:
            page = shaped(values.ServicePage, self._ask(requests.services(cursor=cursor)))
            yield from page.services
            cursor = page.next
            if not cursor:
                return

    def service(self, name: str) -> values.Service:
        """One service, as ``cluster/service`` or by its own name where one cluster has it."""
        return shaped(values.Service, self._ask(requests.service(name)))

    def report(self, name: str) -> values.Report:
        """A rollout for auditors: who, what, when and why, and whether its log is whole."""
        return shaped(values.Report, self._ask(requests.report(name)))

    def undo(self, name: str) -> Json:
        """The rollout file that takes back a rollout which succeeded (by its id, or a service's last); `start` it."""
        return self._ask(requests.undo(name))

    def me(self) -> values.Me:
        """Who the server takes this client for, and what they may do."""
        return shaped(values.Me, self._ask(requests.me()))

    def tokens(self) -> tuple[values.Token, ...]:
        """Every token of the server, newest first, without the tokens themselves."""
        return shaped(values.TokenPage, self._ask(requests.tokens())).tokens

    def create_token(
        self,
        name: str,
        *,
        role: values.Role,
        services: Sequence[str] = (),
        groups: Sequence[str] = (),
        expires: str | None = None,
        key: str = "",
    ) -> values.TokenMade:
        """Make a token; its ``text`` is told this once. ``expires``: a moment, or ``30d`` from now."""
        said = {"name": name, "role": role, "services": [*services], "groups": [*groups], "expires": expires}
        return shaped(values.TokenMade, self._ask(requests.create_token(said, key=key)))

    def revoke_token(self, token: str) -> values.Token:
        """Let nobody in by a token any more; by its id."""
        return shaped(values.Token, self._ask(requests.revoke_token(token)))

    def audit(self) -> Iterator[values.Call]:
        """Every call that was to change something, newest first, asked for a page at a time."""
        cursor = ""
        while True:
            page = shaped(values.CallPage, self._ask(requests.audit(cursor=cursor)))
            yield from page.calls
            cursor = page.next
            if not cursor:
                return

    # how calls are made ----------------------------------------------------------------------------------------

    def _command(self, name: str, kind: str, key: str, **said: object) -> values.Commanded:
        return shaped(values.Commanded, self._ask(requests.command(name, kind, said, key=key)))

    def _ask(self, request: Request, retries: Retries | None = None) -> Json:
        outage = Outage(retries or self._retries)
        while True:
            try:
                answer = self._transport.exchange(request, self._head())
                return read(answer, url=self._transport.address.url)
            except Failure as failure:
                pause = outage.pause_after(failure)
            time.sleep(pause)

    def _stream(self, following: Following) -> Iterator[Json]:
        """The events of one connection. Raises StreamOver once the rollout has ended and every event came."""
        with self._transport.opened(following.request(), self._head()) as answer:
            if answer.status == 204:
                raise StreamOver
            chunks = self._transport.chunks(answer)
            headers = lower(answer.getheaders())
            body = b"" if answer.status == 200 else next(chunks, b"")
            begun = Answer(status=answer.status, headers=headers, body=body)
            check_stream(begun, url=self._transport.address.url)
            for received in chunks:
                yield from following.feed(received)

    def _head(self) -> dict[str, str]:
        token = self._token() if callable(self._token) else self._token
        return head(token=token, user=self._user)
