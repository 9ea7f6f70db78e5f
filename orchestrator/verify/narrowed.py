"""The same account with fewer permissions, to see which a call asks for: a session with a policy."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta

from orchestrator.aws.client.assumed_roles import AssumedRole, Temporary
from orchestrator.aws.client.call import Caller
from orchestrator.aws.client.transport import Transport
from orchestrator.core.domain.errors import Denied
from orchestrator.settings import Account

LASTS = timedelta(minutes=15)  # the least that STS gives
NAME = "teal-verify"

Opens = Callable[[AssumedRole], AbstractAsyncContextManager[Transport]]
"""Whose credentials sign -> clients for as long as the context lasts."""


class FederatedUser(AssumedRole):
    """A user's own session with a policy. Source: AWS STS API Reference, GetFederationToken: users alone may ask."""

    async def _assume(self) -> Temporary:
        params = {"Name": NAME, "Policy": self._policies[0], "DurationSeconds": int(LASTS.total_seconds())}
        answer = await self._sts.read("sts", "GetFederationToken", params, has="Credentials")
        given = answer["Credentials"]
        until = given["Expiration"].astimezone(UTC)
        return Temporary(
            access_key=given["AccessKeyId"],
            secret_key=given["SecretAccessKey"],
            token=given["SessionToken"],
            until=until,
            renew_at=until - LASTS / 4,
        )


class Nobody(AssumedRole):
    """Temporary credentials that nobody gave, to see what AWS says to them."""

    def __init__(self, own: Caller, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__(Account(alias="nobody"), own, now=now)

    async def _assume(self) -> Temporary:
        until = self._now() + LASTS
        key = "ASIAAAAAAAAAAAAAAAAA"
        return Temporary(access_key=key, secret_key="nobody", token="nobody", until=until, renew_at=until)


@asynccontextmanager
async def narrowed(
    own: Caller,
    policy: str,
    *,
    role: str,
    opens: Opens,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> AsyncIterator[Transport]:
    """The account under a policy: as `role` if one is named, else as the caller's own user or role. Raises Outside."""
    session = await _session(own, policy, role, now)
    await session.current()
    async with opens(session) as transport:
        yield transport


async def _session(own: Caller, policy: str, role: str, now: Callable[[], datetime]) -> AssumedRole:
    if not role:
        arn = str((await own.read("sts", "GetCallerIdentity", {}))["Arn"])
        account = Account(alias="own", role="")
        if ":user/" in arn:
            return FederatedUser(account, own, now=now, session=NAME, policies=(policy,))
        role = _role_of(arn)
    return AssumedRole(Account(alias="verify", role=role), own, now=now, session=NAME, policies=(policy,))


def _role_of(arn: str) -> str:
    """The role of a session's ARN. Raises Denied for the account's root, which has no narrower session."""
    head, _, rest = arn.partition(":assumed-role/")
    if not rest:
        raise Denied(
            what="a session with fewer permissions",
            why="these credentials are neither a user's nor a role's",
            next_step="name a role that they may assume",
        )
    return f"{head.replace(':sts:', ':iam:')}:role/{rest.partition('/')[0]}"
