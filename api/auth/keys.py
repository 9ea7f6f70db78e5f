"""An issuer's public keys: read through its discovery document, kept, and read again when it changes them.

Source: OpenID Connect Discovery 1.0, section 4; RFC 7517 (JSON Web Key).
"""

import asyncio
from datetime import datetime, timedelta

import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, Key, OKPKey, RSAKey

from api.auth.fetching import Document, Fetch, may_be_fetched
from orchestrator.core.domain.errors import Outside, Unreachable
from orchestrator.ports.clock import Clock

FRESH = timedelta(minutes=10)  # keys this old are asked for anew
STALE_MAX = timedelta(hours=24)  # keys this old are no longer trusted: the issuer may have withdrawn them
AGAIN = timedelta(seconds=30)  # an issuer is asked at most this often, whatever tokens come in
KEYS_MAX = 100
RSA_BITS_MIN = 2048  # NIST SP 800-131A; RFC 7518, section 3.3

KINDS: dict[str, tuple[str, frozenset[str]]] = {
    **{f"{family}{bits}": ("RSA", frozenset()) for family in ("RS", "PS") for bits in (256, 384, 512)},
    "ES256": ("EC", frozenset({"P-256"})),
    "ES384": ("EC", frozenset({"P-384"})),
    "ES512": ("EC", frozenset({"P-521"})),
    "EdDSA": ("OKP", frozenset({"Ed25519"})),
    "Ed25519": ("OKP", frozenset({"Ed25519"})),
}
"""Every signature that is accepted, with its type of key and its curves. No shared secrets, and not ``none``."""

log = structlog.get_logger()


class Keys:
    """The keys of one issuer. ``url`` is the issuer's, as its tokens and its discovery document name it."""

    def __init__(self, url: str, *, clock: Clock, fetch: Fetch) -> None:
        self.url = url
        self._clock, self._fetch = clock, fetch
        self._keys: tuple[Key, ...] = ()
        self._read_at: datetime | None = None
        self._tried_at: datetime | None = None
        self._one_at_a_time = asyncio.Lock()

    async def key(self, kid: str, alg: str) -> Key | None:
        """The key that a token's header names; None: the issuer has none such. Raises Unreachable.

        ``kid`` empty: the only key there is for this signature. While the issuer cannot be reached, keys that were
        read within a day are trusted on; what it does not know is asked for again at most every 30 seconds.
        """
        if self._is_due():  # whoever comes while they are read waits, unless there are some to go on with
            await self._read_again(may_fail=self._is_believed())
        found = self._find(kid, alg)
        if found is None and self._may_ask():
            await self._read_again(may_fail=self._is_believed())
            found = self._find(kid, alg)
        if not self._is_believed():
            raise Unreachable(
                what=f"the keys of {self.url} are not known",
                why="it has not answered for too long",
                next_step="try again in a minute",
            )
        return found

    def _is_due(self) -> bool:
        if not self._is_believed():
            return True
        return self._age() >= FRESH and self._may_ask() and not self._one_at_a_time.locked()

    def _may_ask(self) -> bool:
        return self._tried_at is None or self._clock.now() - self._tried_at >= AGAIN

    def _is_believed(self) -> bool:
        return self._age() < STALE_MAX

    def _age(self) -> timedelta:
        return timedelta.max if self._read_at is None else self._clock.now() - self._read_at

    def _find(self, kid: str, alg: str) -> Key | None:
        fit = [key for key in self._keys if _is_for(key, alg)]
        if kid:
            return next((key for key in fit if key.get("kid") == kid), None)
        return fit[0] if len(fit) == 1 else None

    async def _read_again(self, *, may_fail: bool) -> None:
        async with self._one_at_a_time:
            if not self._may_ask():  # somebody else has, while this one waited
                return
            self._tried_at = self._clock.now()
            try:
                self._keys = await self._read()
                self._read_at = self._clock.now()
            except Outside as error:
                log.warning("issuer_keys_unread", issuer=self.url, why=str(error), goes_on=may_fail)
                if not may_fail:
                    raise

    async def _read(self) -> tuple[Key, ...]:
        found = await self._fetch(f"{self.url.rstrip('/')}/.well-known/openid-configuration")
        place = found.get("jwks_uri")
        if found.get("issuer") != self.url:
            raise self._unusable("its discovery document names another issuer")
        if not isinstance(place, str) or not may_be_fetched(place):
            raise self._unusable("its discovery document names no place of keys that may be asked")
        return keys_of(await self._fetch(place))

    def _unusable(self, why: str) -> Unreachable:
        return Unreachable(what=f"{self.url} cannot be used", why=why, next_step="see the settings' issuers")


def keys_of(document: Document) -> tuple[Key, ...]:
    """The keys of a JSON Web Key Set that may sign; others are left out, as RFC 7517 (section 5) asks."""
    listed = document.get("keys")
    found = []
    for one in listed[:KEYS_MAX] if isinstance(listed, list) else ():
        try:
            if isinstance(one, dict) and one.get("kty") in ("RSA", "EC", "OKP"):
                found.append(JWKRegistry.import_key(one))
        except (
            JoseError,
            ValueError,
            TypeError,
            KeyError,
        ):  # a key of a kind or a form that nobody here knows
            continue
    return tuple(key for key in found if _is_strong(key))


def _is_strong(key: Key) -> bool:
    return not isinstance(key, RSAKey) or key.public_key.key_size >= RSA_BITS_MIN


def _is_for(key: Key, alg: str) -> bool:
    """True if the key is for this signature and for nothing else: its type, curve, use and algorithm all agree."""
    kind, curves = KINDS[alg]
    operations = key.get("key_ops")
    return (
        key.key_type == kind
        and (not curves or (isinstance(key, ECKey | OKPKey) and key.curve_name in curves))
        and key.get("use") in (None, "sig")
        and key.get("alg") in (None, alg)
        and (operations is None or "verify" in operations)
    )
