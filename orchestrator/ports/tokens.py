"""Bearer tokens, by their digests."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from orchestrator.core.domain.roles import Role
from orchestrator.ports.calls import CallRecorder


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A bearer token as the store knows it: everything but the token, of which it keeps a digest alone."""

    id: str
    name: str  # who carries it: the name in the audit log
    role: Role
    services: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        """True until it is revoked or has expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class TokenLookup(Protocol):
    """What it takes to let somebody in."""

    async def token_by_digest(self, digest: str) -> Token | None:
        """The token with this digest, also if it has expired or was revoked."""
        ...

    async def tokens(self) -> tuple[Token, ...]:
        """Every token, newest first."""
        ...

    async def token_used(self, token: str, *, at: datetime) -> None:
        """Note that a token (by id) was used; an unknown one, or a moment before the noted one, changes nothing."""
        ...


class TokenAdministration(Protocol):
    """What operators do with tokens."""

    async def add_token(self, token: Token, *, digest: str) -> None:
        """Keep a token. ``digest``: SHA-256 of the token, hexadecimal. Raises Conflict if id or digest is taken."""
        ...

    async def tokens(self) -> tuple[Token, ...]:
        """Every token, newest first."""
        ...

    async def revoke_token(self, token: str, *, at: datetime) -> Token:
        """Revoke a token by its id; revoked twice keeps the first moment. Raises NotFound."""
        ...


class Tokens(TokenLookup, TokenAdministration, Protocol):
    """Both."""


class AuditedTokens(TokenAdministration, CallRecorder, Protocol):
    """What a door needs that keeps its own log of what it did with tokens."""
