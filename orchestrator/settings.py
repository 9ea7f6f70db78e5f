"""The server's settings as values: who may do what, which accounts and hosts are allowed, and who is notified.

``orchestrator.config`` reads them from a file. They are the operator's word and never a rollout file's, so that
nobody who may start a rollout can widen what Teal reaches.
"""

from dataclasses import dataclass, field
from datetime import timedelta

from orchestrator.core.domain.calendar import Freeze
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.identity import identity_of
from orchestrator.core.domain.roles import Role


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that nothing prints: its text is reached by `reveal` alone."""

    _text: str = field(repr=False)

    def reveal(self) -> str:
        """The secret itself, for the call that needs it."""
        return self._text

    def __str__(self) -> str:
        return "(secret)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An AWS account by its alias. ``role`` empty: the server's own credentials, in another region perhaps."""

    alias: str
    role: str = ""  # ARN of the role to assume
    external_id: str = ""
    region: str = ""  # empty: the environment's


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRule:
    """What a CI job may do whose token carries all these claims; a value may hold ``*``."""

    claims: tuple[tuple[str, str], ...]  # (claim, pattern)
    role: Role
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """An OpenID Connect issuer whose tokens are accepted. With ``jobs`` its tokens are CI jobs', else people's."""

    url: str
    audience: str
    name_claim: str = "email"
    groups_claim: str = "groups"
    roles: tuple[tuple[str, Role], ...] = ()  # (group, the role it gives); the highest counts
    actor_claim: str = "actor"  # jobs: who set the job off
    jobs: tuple[JobRule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One person at every door. ``role`` None: what the door's own evidence (an issuer's groups) gives."""

    name: str
    slack: str = ""  # Slack's user id, U…
    also: tuple[str, ...] = ()  # names by which issuers and CI know the same person
    tokens: tuple[str, ...] = ()  # names of the tokens that this person carries
    role: Role | None = None
    services: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Slack:
    """Teal's app in a Slack workspace."""

    token: Secret  # xoxb-…
    signing_secret: Secret
    channel: str  # where rollouts are told whose file names no channel
    team: str = ""  # T…: requests of other workspaces are refused; empty: not checked
    groups: tuple[tuple[str, str], ...] = ()  # (group of people, Slack's user group id S…), for mentions
    api: str = "https://slack.com/api/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """An address that events are sent to, as signed CloudEvents. ``events`` empty: of all that concern people."""

    name: str
    url: str
    secret: Secret
    events: frozenset[EventKind] = frozenset()
    services: tuple[str, ...] = ()  # patterns; empty: every service


@dataclass(frozen=True, slots=True, kw_only=True)
class Prometheus:
    """A Prometheus server that rollout files may name as their metrics' source."""

    name: str
    url: str  # without /api/v1
    token: Secret | None = None  # sent as a bearer token; None: none is asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosts:
    """Where Teal may send requests that somebody else named.

    Public addresses are allowed if the host matches ``allowed`` (empty: any public host). Private, loopback and
    link-local addresses only in ``private``, host patterns; link-local metadata addresses never.
    """

    allowed: tuple[str, ...] = ()
    private: tuple[str, ...] = ()


RETENTION = timedelta(days=400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What the doors may be asked at most. ``connections`` fewer where this process may not open so many files."""

    connections: int = 500
    per_address: int = 250
    per_caller: int = 250  # requests at a time, and half as many streams and waits; commands do not count
    head: timedelta = timedelta(
        seconds=10
    )  # from the first byte of a request, or the connection, to its last header
    body: timedelta = timedelta(seconds=20)  # from there to its last byte
    unread: timedelta = timedelta(seconds=30)  # for a client to read on that has not taken what was sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a server needs beside its environment."""

    public_url: str = ""  # where people reach the server, for links
    trusted_proxies: tuple[str, ...] = ()  # addresses and networks whose word on a client's address counts
    bounds: Bounds = Bounds()
    accounts: tuple[Account, ...] = ()
    registries: tuple[str, ...] = ()  # patterns of image names that revisions may run; empty: any
    hosts: Hosts = Hosts()
    issuers: tuple[Issuer, ...] = ()
    people: tuple[Person, ...] = ()
    slack: Slack | None = None
    hooks: tuple[Hook, ...] = ()
    prometheus: tuple[Prometheus, ...] = ()
    freezes: tuple[Freeze, ...] | None = None  # None: the file says nothing of them
    retention: timedelta = RETENTION  # how long what has ended stays in the store

    def account(self, alias: str) -> Account | None:
        """The account of this alias."""
        return next((one for one in self.accounts if one.alias == alias), None)

    def person_by_slack(self, user: str) -> Person | None:
        """The person with this Slack user id."""
        return next((one for one in self.people if one.slack and one.slack == user), None)

    def person_named(self, name: str) -> Person | None:
        """The person whom an issuer, CI or an approvers' list knows by this name, in whatever spelling."""
        known = identity_of(name)
        return next((one for one in self.people if known in map(identity_of, (one.name, *one.also))), None)

    def person_with_token(self, name: str) -> Person | None:
        """The person who carries the token of this name, as the settings say."""
        known = identity_of(name)
        return next((one for one in self.people if known in map(identity_of, one.tokens)), None)
