"""AWS as other accounts: each opened when it is first used, with one rate limiter for what shares AWS's own."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import structlog

from orchestrator.aws.client.assumed_roles import SIGNER, AssumedRole, session_of
from orchestrator.aws.client.call import Caller
from orchestrator.aws.client.rate_limits import Limits
from orchestrator.aws.client.transport import Answer, Transport
from orchestrator.core.domain.errors import Denied, Invalid, Mistake, Outside
from orchestrator.core.ownership.session_policy import Scope
from orchestrator.settings import Account

SESSIONS_KEPT = 1000  # of rollouts; one that is forgotten is assumed anew

log = structlog.get_logger()

Open = Callable[[str, AssumedRole | None], AbstractAsyncContextManager[Transport]]
"""(region, role; None: the server's own credentials) -> clients for as long as the context lasts."""


class Accounts:
    """Callers of the settings' accounts by alias. What is opened is closed with ``stack``."""

    def __init__(
        self,
        accounts: Sequence[Account],
        *,
        own: Caller,
        region: str,
        limits: Limits | None,
        open_transport: Open,
        stack: AsyncExitStack,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`own` and `limits`: of the server's own credentials in `region`, which may assume the accounts' roles."""
        self._accounts = {account.alias: account for account in accounts}
        self._own, self._region = own, region
        self._open, self._stack, self._now = open_transport, stack, now
        self._limits: dict[tuple[str, str], Limits | None] = {("", region): limits}
        self._callers: dict[str, Caller] = {}
        self._transports: dict[str, Transport] = {}
        self._confined: OrderedDict[tuple[str, str], tuple[tuple[str, ...], AssumedRole]] = OrderedDict()

    def caller(self, alias: str) -> tuple[Caller, str]:
        """The calls of an account, and its region. Raises Invalid for an alias that the settings do not have."""
        account = self._accounts.get(alias)
        if account is None:
            raise unknown(alias, tuple(self._accounts))
        region = account.region or self._region
        if not account.role and region == self._region:
            return self._own, region
        if alias not in self._callers:
            self._callers[alias] = self._made(account, region)
        return self._callers[alias], region

    def confined(self, alias: str, scope: Scope) -> Caller | None:
        """The calls of an account for one rollout's writes: a session of its own, confined to them.

        It shares clients and rate limits with the account's other calls. None without a role: there is no session to
        confine. Raises Invalid for an alias that the settings do not have.
        """
        account = self._accounts.get(alias)
        shared, _ = self.caller(alias)
        if account is None or not account.role or not scope.policies:
            return None
        return shared.over(
            Confined(self._transports[alias], self._session(account, scope), is_way_back=scope.is_way_back),
            limits=shared.limits,
        )

    def _session(self, account: Account, scope: Scope) -> AssumedRole:
        """The rollout's session, the same until its policy is another."""
        key = (account.alias, scope.rollout)
        policies, session = self._confined.pop(key, ((), None))
        if session is None or policies != scope.policies:
            session = AssumedRole(
                account,
                self._own,
                now=self._now,
                session=session_of(scope.rollout),
                policies=scope.policies,
            )
        self._confined[key] = (scope.policies, session)
        while len(self._confined) > SESSIONS_KEPT:
            self._confined.popitem(last=False)
        return session

    def _made(self, account: Account, region: str) -> Caller:
        role = AssumedRole(account, self._own, now=self._now) if account.role else None
        number = account.role.split(":")[4] if account.role else ""
        if (number, region) not in self._limits:
            own = self._limits["", self._region]
            self._limits[number, region] = None if own is None else Limits(own.share)
        transport = self._transports[account.alias] = _Opening(lambda: self._open(region, role), self._stack)
        return self._own.over(transport, limits=self._limits[number, region])


def unknown(alias: str, known: Sequence[str]) -> Invalid:
    """The error for an account that the settings do not have, as the rollout file's mistake that it is."""
    others = f"write one of {', '.join(known)}" if known else "add it to the server's settings"
    mistake = Mistake(
        pointer="/account",
        what=f'account "{alias}" is not in the server\'s settings',
        instead=f"{others}, or remove it: then the server's own credentials are used",
    )
    return Invalid(source="", mistakes=[mistake])


class Confined:
    """A transport whose calls a session of one rollout signs.

    On the way back nothing may depend on a policy: what it prevents, or a session that cannot be had, is then left to
    the role itself.
    """

    def __init__(self, transport: Transport, session: AssumedRole, *, is_way_back: bool) -> None:
        self._transport, self._session, self._is_way_back = transport, session, is_way_back

    async def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Answer:
        """As Transport."""
        signer = SIGNER.set(self._session)
        is_sent = False
        try:
            await self._session.current()
            is_sent = True
            return await self._transport.call(service, operation, params)
        except Outside as error:
            # A write that was denied did nothing, and one whose session could not be had was not sent.
            if not self._is_way_back or (is_sent and not isinstance(error, Denied)):
                raise
            log.warning("session_policy_passed_over", service=service, operation=operation, why=str(error))
        finally:
            SIGNER.reset(signer)
        return await self._transport.call(service, operation, params)


class _Opening:
    """A transport that is opened by its first call."""

    def __init__(
        self, make: Callable[[], AbstractAsyncContextManager[Transport]], stack: AsyncExitStack
    ) -> None:
        self._make, self._stack = make, stack
        self._transport: Transport | None = None
        self._lock = asyncio.Lock()

    async def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Answer:
        """As Transport."""
        if self._transport is None:
            async with self._lock:
                if self._transport is None:
                    self._transport = await self._stack.enter_async_context(self._make())
        return await self._transport.call(service, operation, params)
