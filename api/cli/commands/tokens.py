"""`tokens`: who may come in at the HTTP door; made, listed and revoked in the store, or through a server."""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import click

from api.auth.token_shapes import (
    GROUP,
    LIFE_MAX,
    NAME,
    SERVICE,
    TokenMade,
    TokenView,
    name_taken,
    token_view,
)
from api.cli.backend.backend import NewToken
from api.cli.backend.operating_user import local_actor
from api.cli.backend.private_file import private_file
from api.cli.backend.profiles import target
from api.cli.output.output import emit, json_option, output_option, say, span_text, table, wants_wide
from orchestrator.core.domain.roles import Role
from orchestrator.ports.calls import Call
from orchestrator.ports.clock import Clock
from orchestrator.ports.tokens import AuditedTokens, Token

WIDE = ("GROUPS", "MADE", "ENDS")
HEAD = ("ID", "NAME", "ROLE", "SERVICES", "STATE", "LAST USED", "MADE BY")


class TokenDoor(Protocol):
    """Everything the terminal asks of tokens."""

    async def create(self, wanted: NewToken) -> TokenMade:
        """Make a token."""
        ...

    async def every(self) -> tuple[TokenView, ...]:
        """Every token, newest first."""
        ...

    async def revoke(self, token: str) -> TokenView:
        """Let nobody in by a token any more. Raises NotFound."""
        ...


class StoreTokens:
    """Straight into the store; each change is in the audit log of calls, as those of other doors are."""

    def __init__(self, store: AuditedTokens, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def create(self, wanted: NewToken) -> TokenMade:
        """As TokenDoor."""
        from api.auth.tokens import new_token
        from orchestrator import bootstrap

        taken = name_taken(wanted.name, bootstrap.open_settings())
        if taken:
            raise click.UsageError(f"--name: {taken[0]}: {taken[1]}")
        now = self._clock.now()
        text, digest = new_token()
        token = Token(
            id=f"t-{secrets.token_hex(8)}",
            name=wanted.name,
            role=Role(wanted.role),
            services=wanted.services,
            groups=wanted.groups,
            created_at=now,
            created_by=local_actor().name,
            expires_at=end_of(wanted.expires, now),
        )
        await self._store.add_token(token, digest=digest)
        await self._note("tokens create", token.id)
        return TokenMade(text=text, token=token_view(token, now))

    async def every(self) -> tuple[TokenView, ...]:
        """As TokenDoor."""
        now = self._clock.now()
        return tuple(token_view(token, now) for token in await self._store.tokens())

    async def revoke(self, token: str) -> TokenView:
        """As TokenDoor."""
        now = self._clock.now()
        revoked = await self._store.revoke_token(token, at=now)
        await self._note("tokens revoke", token)
        return token_view(revoked, now)

    async def _note(self, call: str, token: str) -> None:
        by = local_actor()
        kept = Call(
            at=self._clock.now(),
            actor=by.name,
            source=by.source,
            address="",
            call=call,
            target=token,
            outcome="ok",
            request="",
        )
        await self._store.add_call(kept)


@asynccontextmanager
async def open_tokens() -> AsyncIterator[TokenDoor]:
    """The server that was chosen, else the store."""
    there = target()
    if there.server:
        from api.cli.backend.server import ServerDoor, ServerTokens

        yield ServerTokens(ServerDoor(there.server, token=there.token, origin=there.origin))
        return
    from orchestrator import bootstrap

    async with bootstrap.open_store() as store:
        yield StoreTokens(store, bootstrap.SystemClock())


@click.group("tokens")
def tokens_command() -> None:
    """Make, list and revoke the tokens that let people and programs use the HTTP API.

    Roles: viewer < operator < approver < admin. The first token of a store switches authentication on for every
    server on it: from then on every request needs a token.
    """


@tokens_command.command("create")
@click.option("--name", required=True, help="Who will carry it: the name in the audit log.")
@click.option(
    "--role", type=click.Choice([role.value for role in Role]), required=True, help="What it may do."
)
@click.option(
    "--service",
    "services",
    multiple=True,
    metavar="PATTERN",
    help="Only these services, such as prod/checkout or staging/*; may be repeated. Default: every one.",
)
@click.option(
    "--group", "groups", multiple=True, metavar="GROUP", help="A group its carrier is of; may be repeated."
)
@click.option("--expires", default="", metavar="WHEN", help="30d, 12h, or a moment; default: never.")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the token there instead, for its owner alone (mode 0600): a file as TEAL_TOKEN_FILE takes it.",
)
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
@json_option
def create_command(
    name: str,
    role: str,
    services: tuple[str, ...],
    groups: tuple[str, ...],
    expires: str,
    output: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Make a token and print it, this once: the store keeps a digest alone.

    The token is all that goes to standard output, so that it can be piped to where secrets are kept. With --output it
    goes into a file and nowhere else: `text` is empty then in JSON.
    """
    _check(name, services, groups)
    if expires:
        end_of(expires, datetime.now(UTC))  # told before anything is made
    wanted = NewToken(name=name, role=role, services=services, groups=groups, expires=expires)
    with private_file(output, is_forced=force) if output else nullcontext() as write:
        made = asyncio.run(_create(wanted))
        if write is not None:
            write(f"{made.text}\n")
            made = replace(made, text="")
    if as_json:
        emit(made)
        return
    until = f"until {made.token.expires_at:%Y-%m-%d %H:%MZ}" if made.token.expires_at else "for ever"
    say(
        f"{made.token.id}: {made.token.name} has access as {made.token.role} {until}. "
        f"`teal tokens revoke {made.token.id}` ends that. "
        f"{f'The token is in {output}.' if output else 'The token, which is not shown again:'}",
        err=True,
    )
    if not output:
        click.echo(made.text)


async def _create(wanted: NewToken) -> TokenMade:
    async with open_tokens() as door:
        return await door.create(wanted)


@tokens_command.command("list")
@output_option(has_wide=True)
def list_command(as_json: bool) -> None:
    """List every token, newest first, also those that ended; never their texts."""
    found = asyncio.run(_every())
    if as_json:
        emit({"tokens": found})
    elif not found:
        click.echo("no tokens yet: `teal tokens create` makes one")
    else:
        head, row = ((*HEAD, *WIDE), _wide) if wants_wide() else (HEAD, _row)
        click.echo("\n".join(table(head, [row(token) for token in found])))


async def _every() -> tuple[TokenView, ...]:
    async with open_tokens() as door:
        return await door.every()


@tokens_command.command("revoke")
@click.argument("token", metavar="TOKEN_ID")
@json_option
def revoke_command(token: str, as_json: bool) -> None:
    """Let nobody in by this token any more, from the next request on. Twice is once."""
    if token.startswith("teal_"):
        raise click.UsageError("name the token by its id, not by its text: `teal tokens list` shows the ids")
    found = asyncio.run(_revoke(token))
    if as_json:
        emit(found)
    else:
        say(f"{found.id} ({found.name}) is revoked")


async def _revoke(token: str) -> TokenView:
    async with open_tokens() as door:
        return await door.revoke(token)


def end_of(expires: str, now: datetime) -> datetime | None:
    """The moment at which a token ends. Raises click.UsageError that says what to write."""
    if not expires:
        return None
    from orchestrator.config.text.quantities import parse_duration

    try:
        moment = datetime.fromisoformat(expires)
    except ValueError:
        try:
            moment = now + parse_duration(expires)
        except ValueError as error:
            raise click.UsageError(
                f"--expires {expires}: {error.args[0]}: write 30d, 12h or 2027-01-31T12:00:00Z"
            ) from error
    if moment.tzinfo is None:
        raise click.UsageError(f"--expires {expires} has no time zone: write 2027-01-31T12:00:00Z")
    if not now < moment <= now + LIFE_MAX:
        raise click.UsageError(f"--expires {expires}: name a moment from now on, within ten years")
    return moment.astimezone(UTC)


def _check(name: str, services: tuple[str, ...], groups: tuple[str, ...]) -> None:
    if not re.fullmatch(NAME, name):
        raise click.UsageError("--name: write 1 to 100 characters, without spaces at its ends")
    for service in services:
        if not re.fullmatch(SERVICE, service):
            raise click.UsageError(
                f"--service {service}: write cluster/service, such as prod/* or prod/checkout"
            )
    for group in groups:
        if not re.fullmatch(GROUP, group):
            raise click.UsageError("--group: write 1 to 100 characters")


def _row(token: TokenView) -> tuple[str, ...]:
    now = datetime.now(UTC)
    if token.revoked_at:
        state = "revoked"
    elif not token.is_valid:
        state = "expired"
    elif token.expires_at:
        state = f"valid for {span_text((token.expires_at - now).total_seconds())}"
    else:
        state = "valid"
    used = f"{span_text((now - token.last_used_at).total_seconds())} ago" if token.last_used_at else "never"
    services = ", ".join(token.services) or "every one"
    return (token.id, token.name, token.role, services, state, used, token.created_by)


def _wide(token: TokenView) -> tuple[str, ...]:
    ends = f"{token.expires_at:%Y-%m-%d %H:%MZ}" if token.expires_at else "never"
    return (*_row(token), ", ".join(token.groups) or "none", f"{token.created_at:%Y-%m-%d %H:%MZ}", ends)
