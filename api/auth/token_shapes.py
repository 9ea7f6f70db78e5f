"""What a token may be called and reach, and how one is shown: the same at every door that makes or lists them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.core.domain.roles import Role
from orchestrator.core.domain.text import HIDDEN
from orchestrator.ports.tokens import Token
from orchestrator.settings import Settings

SERVICE = r"(\*|([A-Za-z0-9._-]{1,63}:)?[A-Za-z0-9_*?-]{1,255}/[A-Za-z0-9_*?-]{1,255})"
GROUP = f"[^{HIDDEN}]{{1,100}}"
NAME = rf"[^\x20{HIDDEN}]([^{HIDDEN}]{{0,98}}[^\x20{HIDDEN}])?"
LIFE_MAX = timedelta(days=366 * 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenView:
    """A token, without its text, which only its creation tells."""

    id: str
    name: str
    role: Role
    services: tuple[str, ...]
    groups: tuple[str, ...]
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    is_valid: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenMade:
    """A new token. ``text`` is the token itself, told this once and kept nowhere."""

    text: str
    token: TokenView


def name_taken(name: str, settings: Settings) -> tuple[str, str] | None:
    """Why no token may have this name, and what to do instead: it is a person's, who would seem to have acted."""
    person = settings.person_named(name)
    if person is None:
        return None
    return (
        f"{name} is the name of a person in the settings, and a token is not a person",
        "name it otherwise; for a token that the person carries, list that name under their `tokens`",
    )


def token_view(token: Token, now: datetime) -> TokenView:
    """A token as every door shows it."""
    return TokenView(
        id=token.id,
        name=token.name,
        role=token.role,
        services=token.services,
        groups=token.groups,
        created_at=token.created_at,
        created_by=token.created_by,
        expires_at=token.expires_at,
        last_used_at=token.last_used_at,
        revoked_at=token.revoked_at,
        is_valid=token.is_valid(now),
    )
