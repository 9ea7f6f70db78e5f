"""Bearer tokens by their digests: bodies of transactions on a connection."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select, update

from orchestrator.core.domain.roles import Role
from orchestrator.ports.tokens import Token
from orchestrator.store import invariants
from orchestrator.store.sql.tables import tokens

_SHOWN = [column for column in tokens.c if column.name != "digest"]


def add_token(connection: Connection, token: Token, *, digest: str) -> None:
    """See `ports.tokens.TokenAdministration.add_token`."""
    same = select(tokens.c.id).where(or_(tokens.c.id == token.id, tokens.c.digest == digest))
    if connection.execute(same).first():
        raise invariants.used_token(token.id)
    connection.execute(
        insert(tokens).values(
            id=token.id,
            digest=digest,
            name=token.name,
            role=token.role.value,
            services=json.dumps(token.services),
            groups=json.dumps(token.groups),
            created_at=token.created_at,
            created_by=token.created_by,
            expires_at=token.expires_at,
            last_used_at=token.last_used_at,
            revoked_at=token.revoked_at,
        )
    )


def token_by_digest(connection: Connection, digest: str) -> Token | None:
    """See `ports.tokens.TokenLookup.token_by_digest`."""
    row = connection.execute(select(*_SHOWN).where(tokens.c.digest == digest)).one_or_none()
    return None if row is None else _token(row)


def all_tokens(connection: Connection) -> tuple[Token, ...]:
    """See `ports.tokens.TokenLookup.tokens`."""
    newest = select(*_SHOWN).order_by(tokens.c.created_at.desc(), tokens.c.id.desc())
    return tuple(_token(row) for row in connection.execute(newest))


def token_used(connection: Connection, token: str, *, at: datetime) -> None:
    """See `ports.tokens.TokenLookup.token_used`."""
    is_later = or_(tokens.c.last_used_at.is_(None), tokens.c.last_used_at < at)
    connection.execute(update(tokens).where(tokens.c.id == token, is_later).values(last_used_at=at))


def revoke_token(connection: Connection, token: str, *, at: datetime) -> Token:
    """See `ports.tokens.TokenAdministration.revoke_token`."""
    row = connection.execute(select(*_SHOWN).where(tokens.c.id == token)).one_or_none()
    if row is None:
        raise invariants.unknown_token(token)
    found = _token(row)
    if found.revoked_at is not None:
        return found
    connection.execute(update(tokens).where(tokens.c.id == token).values(revoked_at=at))
    return replace(found, revoked_at=at)


def _token(row: Row[*tuple[Any, ...]]) -> Token:
    return Token(
        id=row.id,
        name=row.name,
        role=Role(row.role),
        services=tuple(json.loads(row.services)),
        groups=tuple(json.loads(row.groups)),
        created_at=row.created_at,
        created_by=row.created_by,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )
