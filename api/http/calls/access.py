"""Who has access and who called: one's own rights, the tokens, and the audit log of calls."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from api.auth.roles import CALLS, FOR_ALL_SERVICES
from api.auth.token_shapes import GROUP, LIFE_MAX, NAME, SERVICE, TokenMade, TokenView, name_taken, token_view
from api.auth.tokens import new_token
from api.http.request.context import AtVisit
from api.http.request.server_state import NAME_PATTERN, AtDoor
from api.http.request.service_scope import PLAIN, Cursor
from api.problems import MistakePart, RequestInvalid
from orchestrator.config.text.fields import refusal
from orchestrator.config.text.quantities import parse_duration, shown
from orchestrator.core.domain.errors import Conflict
from orchestrator.core.domain.roles import Principal, Role
from orchestrator.ports.calls import Call
from orchestrator.ports.tokens import Token

router = APIRouter(tags=["access"])


@dataclass(frozen=True, slots=True, kw_only=True)
class MeView:
    """Whoever asks, as this server knows them. ``services`` empty: every one. ``may``: the calls they may make."""

    name: str
    role: Role
    services: tuple[str, ...]
    groups: tuple[str, ...]
    by: str  # local | token | issuer
    token: str  # the id of the token that was shown; empty: none of Teal's
    expires_at: datetime | None
    may: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPage:
    """Every token, newest first."""

    tokens: tuple[TokenView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallView:
    """One call that was to change something: who made it, from where, and how it was answered."""

    at: datetime
    actor: str  # empty: nobody whose identity could be established
    source: str  # http | slack | cli
    address: str
    call: str
    target: str
    outcome: str  # ok, or the code of the problem it was refused with
    request: str
    token: str  # the id of the token that was shown; empty: none of Teal's


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPage:
    """Calls, newest first. ``next``: the cursor of the page after it; empty at the end."""

    calls: tuple[CallView, ...]
    next: str


def _read_end(value: object) -> datetime | timedelta | None:
    """A moment with its time zone, or how long from now, as people write it."""
    if value is None:
        return None
    text = value if isinstance(value, str) else ""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            return parse_duration(text)
        except ValueError as error:
            raise refusal(f"{shown(value)} is neither a moment nor a time from now", EXPIRY_WORDS) from error
    if moment.tzinfo is None:
        raise refusal(f"{shown(value)} has no time zone", EXPIRY_WORDS)
    return moment


EXPIRY_WORDS = "write one such as 2027-01-31T12:00:00Z, or 30d"
Expiry = Annotated[
    datetime | timedelta | None,
    BeforeValidator(_read_end),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "format": "date-time"},
                {"type": "string", "pattern": r"^[1-9]\d?[hm]$|^([1-9]|[12]\d|30)d$"},
                {"type": "null"},
            ]
        }
    ),
]


class TokenBody(BaseModel):
    """What a new token is to be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(
        pattern=f"^{NAME}$",
        description="Who will carry it: the name in the audit log, and the author of what it starts.",
        examples=["ci checkout"],
    )
    role: Role = Field(description="What it may do.", examples=["operator"])
    services: tuple[Annotated[str, Field(pattern=f"^{SERVICE}$")], ...] = Field(
        default=(),
        max_length=100,
        description="Patterns of the services (`cluster/service`, in another account `alias:cluster/service`) it may "
        "see and touch; none: every service.",
        examples=[["prod/checkout", "staging/*"]],
    )
    groups: tuple[Annotated[str, Field(pattern=f"^{GROUP}$")], ...] = Field(
        default=(),
        max_length=100,
        description="Groups that whoever carries it is of, for `approvers`.",
        examples=[["release"]],
    )
    expires: Expiry = Field(
        default=None,
        description="When it ends: a moment, or a time from now of at most 30 days; absent: never.",
        examples=["30d", "2027-01-31T12:00:00Z"],
    )


TokenId = Annotated[
    str,
    Path(
        alias="id",
        min_length=1,
        max_length=100,
        pattern=PLAIN,
        description="The token's id.",
        examples=["t-3f9a1c07"],
    ),
]


@router.get("/v1/me", operation_id="me", summary="Who am I, and what may I do?")
async def me(visit: AtVisit) -> MeView:
    """The name, role and services of whoever asks, and the calls that they may make."""
    who, known = visit.principal, visit.known
    assert known is not None
    return MeView(
        name=who.name,
        role=who.role,
        services=who.services,
        groups=who.groups,
        by=known.by.value,
        token=known.token,
        expires_at=known.expires_at,
        may=tuple(name for name in CALLS if _may(who, name)),
    )


def _may(who: Principal, call: str) -> bool:
    needed = CALLS[call]
    return (
        isinstance(needed, Role)
        and who.role.covers(needed)
        and not (who.services and call in FOR_ALL_SERVICES)
    )


@router.post("/v1/tokens", operation_id="create_token", status_code=201, summary="Make a token")
async def create_token(
    body: TokenBody,
    door: AtDoor,
    visit: AtVisit,
    response: Response,
    key: Annotated[
        str,
        Header(
            alias="Idempotency-Key",
            max_length=200,
            pattern=f"^({NAME_PATTERN.pattern})?$",
            description="The same key again makes no second token: 409, since the first one's text is not kept.",
            examples=["token-for-checkout"],
        ),
    ] = "",
) -> TokenMade:
    """Make a token and tell its text, this once: the store keeps a digest alone.

    The first token of a server that has no issuers switches authentication on, for whoever asks from then on.
    """
    clock, who = door.engine.clock, visit.principal
    now = clock.now()
    taken = name_taken(body.name, door.auth.settings)
    if taken:
        raise RequestInvalid([MistakePart(pointer="/name", what=taken[0], instead=taken[1])])
    text, digest = new_token()
    token = Token(
        id=_id_for(key, who.name),
        name=body.name,
        role=body.role,
        services=body.services,
        groups=body.groups,
        created_at=now,
        created_by=who.name,
        expires_at=_end_of(body.expires, now),
    )
    visit.target = token.id
    try:
        await door.engine.store.add_token(token, digest=digest)
    except Conflict as error:
        raise Conflict(
            what=f"this key already made the token {token.id}",
            why="a token's text is shown once and not kept",
            next_step="revoke it if its text is lost, and make another one with a new key",
        ) from error
    door.auth.look_again()
    response.headers["Location"] = f"/v1/tokens/{token.id}"
    response.headers["Cache-Control"] = "no-store"
    return TokenMade(text=text, token=token_view(token, now))


def _id_for(key: str, maker: str) -> str:
    """A token's id: its own for every request, or the same for the same key of the same maker."""
    if not key:
        return f"t-{secrets.token_hex(8)}"
    digest = hashlib.sha256(f"{maker}\n{key}".encode()).hexdigest()
    return f"t-{digest[:16]}"


def _end_of(expires: datetime | timedelta | None, now: datetime) -> datetime | None:
    if expires is None:
        return None
    end = now + expires if isinstance(expires, timedelta) else expires.astimezone(UTC)
    if not now < end <= now + LIFE_MAX:
        part = MistakePart(
            pointer="/expires",
            what="a token cannot end then",
            instead="name a moment from now on, within ten years",
        )
        raise RequestInvalid([part])
    return end


@router.get("/v1/tokens", operation_id="list_tokens", summary="List tokens, newest first")
async def list_tokens(door: AtDoor) -> TokenPage:
    """Every token with its role, scope and last use (exact to a minute), also those that ended; never its text."""
    now = door.engine.clock.now()
    return TokenPage(tokens=tuple(token_view(one, now) for one in await door.engine.store.tokens()))


@router.delete("/v1/tokens/{id}", operation_id="revoke_token", summary="Revoke a token")
async def revoke_token(door: AtDoor, visit: AtVisit, token: TokenId) -> TokenView:
    """Revoke a token: from now on nobody is let in by it. Twice is once."""
    now = door.engine.clock.now()
    visit.target = token
    revoked = await door.engine.store.revoke_token(token, at=now)
    door.auth.look_again()
    return token_view(revoked, now)


@router.get("/v1/audit", operation_id="audit", summary="Read the audit log of calls, newest first")
async def audit(
    door: AtDoor,
    cursor: Cursor = "",
    limit: Annotated[int, Query(ge=1, le=500, description="How many a page holds at most.")] = 50,
) -> CallPage:
    """Every call at any door that was to change something, accepted or refused: who, from where, and the outcome."""
    found, after = await door.engine.store.calls(before=cursor, limit=limit)
    return CallPage(calls=tuple(call_view(one) for one in found), next=after)


def call_view(call: Call) -> CallView:
    """A call as the door shows it."""
    return CallView(
        at=call.at,
        actor=call.actor,
        source=call.source,
        address=call.address,
        call=call.call,
        target=call.target,
        outcome=call.outcome,
        request=call.request,
        token=call.token,
    )
