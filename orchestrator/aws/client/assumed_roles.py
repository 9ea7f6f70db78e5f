"""Credentials of a role in another account: assumed when first needed, and again before they expire.

Reads of all rollouts share one session of a role. A rollout's writes have one of their own, confined by a policy
(``core/scope.py``) and named by the rollout, so that the account's CloudTrail tells whose a write was.
"""

import asyncio
import re
import threading
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiobotocore.credentials import AioCredentials
from botocore.credentials import Credentials, ReadOnlyCredentials

from orchestrator.aws.client.call import Caller
from orchestrator.aws.client.transport import Answer
from orchestrator.core.domain.errors import Denied, Outside, Rejected
from orchestrator.settings import Account

SESSION = "teal"  # of reads, as the account's CloudTrail shows it
SESSION_MAX = 64
TOO_LARGE = "PackedPolicyTooLarge"
AHEAD = timedelta(minutes=15)  # so long before they expire, new ones are asked for
LEAST = timedelta(
    minutes=1
)  # credentials with less left are not used any more: a call signed now may arrive late
AGAIN_AFTER = timedelta(seconds=30)  # while the old ones still work


@dataclass(frozen=True, slots=True, kw_only=True)
class Temporary:
    """Temporary credentials."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str = field(repr=False)
    until: datetime
    renew_at: datetime

    @property
    def frozen(self) -> ReadOnlyCredentials:
        """The same as botocore signs with."""
        return ReadOnlyCredentials(self.access_key, self.secret_key, self.token)


class AssumedRole:
    """One account's role, assumed through ``sts``, the calls of whoever may assume it."""

    def __init__(
        self,
        account: Account,
        sts: Caller,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        session: str = SESSION,
        policies: Sequence[str] = (),
    ) -> None:
        """`policies`: what confines the session besides the role; the first that AWS's packing has room for."""
        self._account, self._sts, self._now = account, sts, now
        self._session, self._policies = session, tuple(policies)
        self._given: Temporary | None = None
        self._not_before: datetime | None = None  # after a renewal that failed
        self._lock = asyncio.Lock()

    async def current(self) -> Temporary:
        """Credentials that work now. Raises Outside if there are none: Denied if the role may not be assumed."""
        if self._is_fresh():
            assert self._given is not None
            return self._given
        async with self._lock:  # whoever waits finds what the first one got
            if not self._is_fresh():
                await self._renew()
            assert self._given is not None
            return self._given

    def drop(self, refused: Temporary) -> None:
        """Assume the role anew before the next call, since AWS does not take these credentials any more."""
        if self._given is refused:
            self._given = self._not_before = None

    def _is_fresh(self) -> bool:
        if self._given is None or self._now() >= self._given.until - LEAST:
            return False
        is_waiting = self._not_before is not None and self._now() < self._not_before
        return self._now() < self._given.renew_at or is_waiting

    async def _renew(self) -> None:
        try:
            self._given = await self._assume()
            self._not_before = None
        except Outside:
            # The old ones still work for a while; a day-long rollout is not held for one failed call.
            if self._given is None or self._now() >= self._given.until - LEAST:
                raise
            self._not_before = self._now() + AGAIN_AFTER

    async def _assume(self) -> Temporary:
        account = self._account
        params: dict[str, Any] = {"RoleArn": account.role, "RoleSessionName": self._session}
        if account.external_id:
            params["ExternalId"] = account.external_id
        try:
            answer = await self._answer(params)
        except (Denied, Rejected) as error:
            raise Denied(
                what=f"account {account.alias}: role {account.role} cannot be assumed",
                why=error.why or error.what,
                next_step="let its trust policy name the role that Teal runs as, and compare its external id with the "
                "settings; Teal's role needs sts:AssumeRole",
            ) from error
        given = answer["Credentials"]
        until = given["Expiration"].astimezone(UTC)
        ahead = min(AHEAD, (until - self._now()) / 4)
        return Temporary(
            access_key=given["AccessKeyId"],
            secret_key=given["SecretAccessKey"],
            token=given["SessionToken"],
            until=until,
            renew_at=until - ahead,
        )

    async def _answer(self, params: dict[str, Any]) -> Answer:
        """AWS's answer, with the first policy that it does not find too large. Raises Outside."""
        for policy in self._policies[:-1]:
            try:
                return await self._sts.read(
                    "sts", "AssumeRole", {**params, "Policy": policy}, has="Credentials"
                )
            except Rejected as error:
                if TOO_LARGE not in error.why:
                    raise
        last = {"Policy": self._policies[-1]} if self._policies else {}
        return await self._sts.read("sts", "AssumeRole", {**params, **last}, has="Credentials")


def session_of(rollout: str) -> str:
    """A rollout's id as the name of a session: its end, where it is too long, since that is what tells it apart."""
    return re.sub(r"[^\w+=,.@-]", "-", rollout)[-SESSION_MAX:]


SIGNER: ContextVar[AssumedRole | None] = ContextVar("signer", default=None)
"""Whose credentials sign the calls of this context; None: those that their client was made with.

So one set of clients, which are dear to make, serves the session of reads and those of every rollout.
"""


class AsyncCredentials(AioCredentials):  # type: ignore[misc] # aiobotocore has no types
    """What aiobotocore signs with: the role's credentials of the moment."""

    def __init__(self, role: AssumedRole) -> None:
        super().__init__("", "", method="assume-role")
        self._role = role

    async def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """As AioCredentials. Raises Outside."""
        return (await (SIGNER.get() or self._role).current()).frozen


class LentCredentials(Credentials):  # type: ignore[misc] # botocore has no types
    """What boto3 signs with in its threads: the credentials that were lent to a thread last."""

    def __init__(self) -> None:
        super().__init__("", "", method="assume-role")
        self._thread = threading.local()

    def lend(self, given: Temporary) -> None:
        """Let this thread sign with these."""
        self._thread.lent = given.frozen

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """As Credentials."""
        found = getattr(self._thread, "lent", None)
        return found if isinstance(found, ReadOnlyCredentials) else ReadOnlyCredentials("", "", None)
