"""OpenID Connect: a signed token of an issuer that the settings name, checked from its signature to its last claim.

Source: OpenID Connect Core 1.0, section 3.1.3.7; RFC 8725 (JSON Web Token Best Current Practices). Nothing in a
token's header leads anywhere: ``jku``, ``x5u`` and ``jwk`` are never followed.
"""

import json
import warnings
from typing import Any

from joserfc import jws
from joserfc.errors import ClaimError, ExpiredTokenError, JoseError, SecurityWarning
from joserfc.jwt import JWTClaimsRegistry

from api.auth.claims import Claims, principal_of
from api.auth.fetching import Fetch, fetch
from api.auth.keys import KINDS, Keys
from api.problems import IssuerAway, Unauthenticated
from orchestrator.core.domain.errors import Unreachable
from orchestrator.core.domain.roles import Principal
from orchestrator.ports.clock import Clock
from orchestrator.settings import Issuer, Settings

LEEWAY_SECONDS = 30
TOKEN_MAX = 16 * 1024
TYPES = frozenset({"jwt", "at+jwt"})  # a logout token or a security event is no proof of identity


class Issuers:
    """The issuers of the settings, each with its keys."""

    def __init__(self, settings: Settings, *, clock: Clock, fetching: Fetch = fetch) -> None:
        self._settings, self._clock = settings, clock
        # Issuers that differ in audience alone share their keys.
        self._keys = {one.url: Keys(one.url, clock=clock, fetch=fetching) for one in settings.issuers}
        self._registry = jws.JWSRegistry(algorithms=list(KINDS), strict_check_header=False)
        self._registry.max_header_length = 4096

    async def principal_of(self, token: str) -> Principal:
        """Who a token speaks for.

        Raises Unauthenticated; Forbidden for somebody who is known and has no role; IssuerAway while the issuer's
        keys cannot be had: unknown is not good.
        """
        claims = await self._verified(token)
        return principal_of(claims, self._checked(claims), self._settings)

    async def _verified(self, token: str) -> Claims:
        """The claims of a token whose signature is its issuer's."""
        if len(token) > TOKEN_MAX:
            raise _refused("it is too long")
        try:
            unproven = jws.extract_compact(token.encode(), registry=self._registry)
            header, claims = unproven.headers(), _claims(unproven.payload)
        except (JoseError, ValueError, TypeError, AttributeError, RecursionError) as error:
            raise _refused("it cannot be read") from error
        alg, kid, issuer = header.get("alg"), header.get("kid", ""), claims.get("iss")
        if not isinstance(alg, str) or alg not in KINDS or not isinstance(kid, str) or not _is_typed(header):
            raise _refused("it is not signed in a way that is accepted here")
        keys = self._keys.get(issuer) if isinstance(issuer, str) else None
        if keys is None:
            raise _refused("its issuer is not one that is accepted here")
        try:
            key = await keys.key(kid, alg)
        except Unreachable as error:
            raise IssuerAway(
                what="the token cannot be verified now",
                why="its issuer does not answer",
                next_step="try again in a minute, or use one of Teal's own tokens",
            ) from error
        if key is None:
            raise _refused("its signature cannot be verified")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter(
                    "ignore", SecurityWarning
                )  # EdDSA by its old name, which issuers still write
                jws.deserialize_compact(token, key, registry=self._registry)
        except (JoseError, ValueError, TypeError) as error:
            raise _refused("its signature cannot be verified") from error
        return claims

    def _checked(self, claims: Claims) -> Issuer:
        """The issuer as the settings have it for this audience, once every registered claim holds."""
        here = [one for one in self._settings.issuers if one.url == claims.get("iss")]
        audiences = claims.get("aud")
        named = [audiences] if isinstance(audiences, str) else audiences
        if not isinstance(named, list) or not all(isinstance(one, str) for one in named):
            raise _refused("it names no audience")
        issuer = next((one for one in here if one.audience in named), None)
        if issuer is None:
            raise _refused("it is for another audience")
        party = claims.get("azp")
        if party is None and len(named) > 1:
            raise _refused("it is for several audiences and does not say for whom it was made")
        if party is not None and party != issuer.audience:
            raise _refused("it was made for another party")
        try:
            self._times().validate(claims)
        except ExpiredTokenError as error:
            raise _refused("it has expired") from error
        except (ClaimError, OverflowError) as error:
            raise _refused(f"its claim `{getattr(error, 'claim', 'exp')}` does not hold") from error
        return issuer

    def _times(self) -> JWTClaimsRegistry:
        needed: Any = {"essential": True}
        now = int(self._clock.now().timestamp())
        return JWTClaimsRegistry(now=now, leeway=LEEWAY_SECONDS, exp=needed, iat=needed, sub=needed)


def _claims(payload: bytes | None) -> Claims:
    claims = json.loads(payload or b"")
    if not isinstance(claims, dict):
        raise ValueError("the claims are no JSON object")
    return claims


def _is_typed(header: dict[str, Any]) -> bool:
    kind = header.get("typ", "JWT")
    return isinstance(kind, str) and kind.lower().removeprefix("application/") in TYPES


def _refused(why: str) -> Unauthenticated:
    return Unauthenticated(
        what="the token is not accepted",
        why=why,
        next_step="get a new one from the issuer, for this server",
        error="invalid_token",
    )
