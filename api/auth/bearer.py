"""The door's question to every request: who is it? One header in, a principal out."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

import structlog

from api.auth.claims import SOURCE
from api.auth.oidc import Issuers
from api.auth.tokens import PREFIX, digest_of, is_token
from api.problems import Forbidden, Unauthenticated
from orchestrator.core.domain.errors import TealError
from orchestrator.core.domain.roles import Principal, Role
from orchestrator.ports.clock import Clock
from orchestrator.ports.tokens import Token, TokenLookup
from orchestrator.settings import Settings

NOTED = timedelta(minutes=1)  # how exactly a token's last use is known
LOOK_AGAIN = timedelta(
    seconds=1
)  # how late the first token of a store is noticed by a server that runs already
REMEMBERED_MAX = 10_000
HEADER_MAX = 16 * 1024
LOCAL = "local"

log = structlog.get_logger()


class By(StrEnum):
    """How somebody was known."""

    LOCAL = "local"  # nobody asked: this machine's users are believed
    TOKEN = "token"
    ISSUER = "issuer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Somebody, and how they were known."""

    principal: Principal
    by: By
    token: str = ""  # the id of the token that was shown
    expires_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Authenticator:
    """Who asks. Without an issuer, a valid token or `is_required`, this machine's users are trusted.

    Once authentication was needed it stays so for the life of the process: a last token that expires locks the door,
    it does not open it.
    """

    store: TokenLookup
    clock: Clock
    settings: Settings
    issuers: Issuers
    is_required: bool = False
    _looked_at: datetime | None = None
    _noted: dict[str, datetime] = field(default_factory=dict)
    _found: dict[str, tuple[datetime, Token]] = field(default_factory=dict, repr=False)

    async def is_on(self) -> bool:
        """True if every request has to say who it is. Raises what the store raises."""
        if self.is_required or self.settings.issuers:
            return True
        now = self.clock.now()
        if self._looked_at is None or not timedelta(0) <= now - self._looked_at < LOOK_AGAIN:
            self.is_required = await has_valid_token(self.store, now)
            self._looked_at = now
        return self.is_required

    async def authenticate(self, authorization: tuple[str, ...], *, local: str = LOCAL) -> Known:
        """Who sends these `Authorization` headers; `local`: how a user of this machine calls themselves.

        Raises Unauthenticated, Forbidden for somebody known who has no role, IssuerAway, or what the store raises.
        """
        if not await self.is_on():
            return Known(principal=Principal(name=local, role=Role.ADMIN, source=SOURCE), by=By.LOCAL)
        text = _bearer(authorization)
        if text.startswith(PREFIX) or not self.settings.issuers:
            return await self._by_token(text)
        return Known(principal=await self.issuers.principal_of(text), by=By.ISSUER)

    async def _by_token(self, text: str) -> Known:
        now = self.clock.now()
        token = await self._look_up(digest_of(text), now) if is_token(text) else None
        if token is None:
            raise _refused("it is not one of this server's")
        if token.revoked_at is not None:
            raise _refused("it was revoked")
        if not token.is_valid(now):
            raise _refused("it has expired")
        if self.settings.person_named(token.name) is not None:
            raise Forbidden(
                what=f"the token {token.id} is not accepted",
                why=f"its name, {token.name}, is that of a person in the settings",
                next_step="revoke it and make one of another name; list that name under the person's `tokens` if "
                "they carry it themselves",
            )
        await self._note_use(token, now)
        person = self.settings.person_with_token(token.name)
        principal = Principal(
            name=person.name if person else token.name,
            role=token.role,
            source=SOURCE,
            services=token.services,
            groups=token.groups,
        )
        return Known(principal=principal, by=By.TOKEN, token=token.id, expires_at=token.expires_at)

    def look_again(self) -> None:
        """Ask the store again at the next request: a token was made or revoked here."""
        self._looked_at = None
        self._found.clear()

    async def _look_up(self, digest: str, now: datetime) -> Token | None:
        """The token of a digest as the store has it, or had it a second ago: a busy client is looked up once."""
        looked_at, token = self._found.get(digest, (None, None))
        if token is not None and looked_at is not None and timedelta(0) <= now - looked_at < LOOK_AGAIN:
            return token
        token = await self.store.token_by_digest(digest)
        if token is not None:
            if len(self._found) >= REMEMBERED_MAX:
                self._found.clear()
            self._found[digest] = (now, token)
        return token

    async def _note_use(self, token: Token, now: datetime) -> None:
        """Keep when a token was last used, at most once a minute; a store that cannot stops nobody."""
        last = max(filter(None, (token.last_used_at, self._noted.get(token.id))), default=None)
        if last is not None and now - last < NOTED:
            return
        if len(self._noted) >= REMEMBERED_MAX:
            self._noted.clear()
        self._noted[token.id] = now
        try:
            await self.store.token_used(token.id, at=now)
        except TealError as error:
            log.warning("token_use_not_noted", token=token.id, why=str(error))


async def has_valid_token(store: TokenLookup, now: datetime) -> bool:
    """True if somebody could show a token of this store."""
    return any(token.is_valid(now) for token in await store.tokens())


def _bearer(authorization: tuple[str, ...]) -> str:
    """The one bearer token of a request."""
    if not authorization:
        raise Unauthenticated(
            what="this server answers only those it knows",
            why="the request carries no token",
            next_step="send `Authorization: Bearer …`; the terminal and the client take the token from TEAL_TOKEN, and "
            "an admin makes one by `teal tokens create`",
        )
    scheme, _, text = authorization[0].strip().partition(" ")
    text = text.strip()
    if len(authorization) > 1 or scheme.lower() != "bearer" or not text or " " in text:
        raise Unauthenticated(
            what="the Authorization header cannot be used",
            why="it is not one bearer token",
            next_step="send `Authorization: Bearer …`, once",
            error="invalid_request",
        )
    if len(text) > HEADER_MAX or not text.isascii():
        raise _refused("it is no token")
    return text


def _refused(why: str) -> Unauthenticated:
    return Unauthenticated(
        what="the token is not accepted",
        why=why,
        next_step="ask an admin for a new one",
        error="invalid_token",
    )
