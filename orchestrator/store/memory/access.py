"""Tokens and the log of calls, in memory."""

from dataclasses import replace
from datetime import datetime

from orchestrator.core.domain.calendar import Freeze
from orchestrator.ports.calls import Call
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
        self._calls: list[Call] = []

    async def add_call(self, call: Call) -> None:
        """Add a call to the log."""
        self._calls.append(call)

    async def calls(self, *, before: str = "", limit: int = 50) -> tuple[tuple[Call, ...], str]:
        """A page of calls, newest first, and the next page's cursor: the number, from 1, of its last call."""
        end = len(self._calls)
        if before:
            end = invariants.place(before) - 1
            if not 0 <= end < len(self._calls):
                raise invariants.unknown_cursor(before)
        start = max(0, end - limit)
        return tuple(reversed(self._calls[start:end])), str(start + 1) if start else ""


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
