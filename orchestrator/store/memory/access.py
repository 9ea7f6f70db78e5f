"""Tokens and the log of calls, in memory."""

from dataclasses import replace
from datetime import datetime

from orchestrator.core.domain.calendar import Freeze
from orchestrator.ports.calls import REFUSED_KEPT, Call
from orchestrator.ports.tokens import Token
from orchestrator.store import invariants


class MemoryTokens:
    """`ports.tokens.Tokens` says what each method promises."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token] = {}
        self._digests: dict[str, str] = {}  # a token's id by its digest

    async def add_token(self, token: Token, *, digest: str) -> None:
        """Keep a token by its digest."""
        if token.id in self._tokens or digest in self._digests:
            raise invariants.used_token(token.id)
        self._tokens[token.id], self._digests[digest] = token, token.id

    async def token_by_digest(self, digest: str) -> Token | None:
        """The token with a digest."""
        token = self._digests.get(digest)
        return None if token is None else self._tokens[token]

    async def tokens(self) -> tuple[Token, ...]:
        """Every token, newest first."""
        return tuple(sorted(self._tokens.values(), key=lambda t: (t.created_at, t.id), reverse=True))

    async def token_used(self, token: str, *, at: datetime) -> None:
        """Note that a token was used."""
        known = self._tokens.get(token)
        if known is not None and (known.last_used_at is None or known.last_used_at < at):
            self._tokens[token] = replace(known, last_used_at=at)

    async def revoke_token(self, token: str, *, at: datetime) -> Token:
        """Revoke a token, once."""
        known = self._tokens.get(token)
        if known is None:
            raise invariants.unknown_token(token)
        if known.revoked_at is None:
            self._tokens[token] = known = replace(known, revoked_at=at)
        return known


class MemoryCalls:
    """`orchestrator.ports.calls` says what each method promises."""

    def __init__(self) -> None:
        self._calls: list[tuple[int, Call]] = []  # numbered from 1
        self._counted = 0

    async def forget_calls(self, *, before: datetime, limit: int) -> int:
        """Remove old calls."""
        old = [number for number, call in self._calls[:limit] if call.at < before]
        self._calls = [(number, call) for number, call in self._calls if number not in old]
        return len(old)

    async def add_call(self, call: Call) -> None:
        """Add a call to the log."""
        self._counted += 1
        self._calls.append((self._counted, call))
        if call.is_strangers:
            of_strangers = [one for one in self._calls if one[1].is_strangers]
            if len(of_strangers) > REFUSED_KEPT:
                self._calls.remove(of_strangers[0])

    async def calls(self, *, before: str = "", limit: int = 50) -> tuple[tuple[Call, ...], str]:
        """A page of calls, newest first, and the next page's cursor: the number, from 1, of its last call."""
        last = self._counted + 1
        if before:
            last = invariants.place(before)
            if not 0 < last <= self._counted:
                raise invariants.unknown_cursor(before)
        found = [one for one in reversed(self._calls) if one[0] < last]
        shown = found[:limit]
        return tuple(call for _, call in shown), str(shown[-1][0]) if len(found) > limit else ""


class MemoryCalendar:
    """`ports.freezes.FreezeCalendar` says what each method promises."""

    def __init__(self) -> None:
        self._freezes: tuple[Freeze, ...] = ()

    async def keep_freezes(self, calendar: tuple[Freeze, ...]) -> None:
        """Keep a calendar in place of the one before."""
        self._freezes = calendar

    async def freezes(self) -> tuple[Freeze, ...]:
        """The calendar."""
        return self._freezes
