"""What the engine needs of the outside, and nothing else. Adapters fulfil these; contract suites hold them to it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from orchestrator.core.analysis.detectable_regression import Load
from orchestrator.core.break_glass.snapshot import Place, Step
from orchestrator.core.cloud.effects import Effect
from orchestrator.core.cloud.outbound_calls import HookNeed, HookSeen, ProbeNeed, ProbeSeen
from orchestrator.core.cloud.resources import Absent, AlarmSeen, Series, Unread
from orchestrator.core.cloud.survey import Survey
from orchestrator.core.domain.calendar import Freeze
from orchestrator.core.domain.commands import Command, CommandState
from orchestrator.core.domain.events import Event, Record
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.roles import Role
from orchestrator.core.ownership.session_policy import Scope
from orchestrator.core.preflight.environment import Groups, Surroundings, SurroundingsNeed
from orchestrator.core.rollout.rollout import Decision, Rollout
from orchestrator.core.rollout.spec import ServiceName
from orchestrator.core.tick.needs import MetricsNeed, Needs, SurveyNeed
from orchestrator.core.tick.seen import Seen


class Clock(Protocol):
    """The time, as an aware UTC datetime."""

    def now(self) -> datetime:
        """The present moment."""
        ...


class Cloud(Protocol):
    """AWS, as the engine sees it: look, and act on one effect at a time."""

    def of(self, account: str) -> "Cloud":
        """This AWS as the account of this alias; "" is the server's own credentials. Nothing is called yet.

        Raises Invalid for an alias that the settings do not have.
        """
        ...

    def ahead(self) -> timedelta:
        """How far AWS's clock is ahead of this machine's, as its answers say; nothing until one has come."""

    def within(self, scope: Scope | None) -> "Cloud":
        """This AWS for one rollout's effects: AWS itself refuses writes beyond `scope`, where a role is assumed."""
        ...

    async def survey(self, need: SurveyNeed) -> Survey:
        """Read blue and everything that carries its traffic; read-only. Raises Outside (Missing: no blue)."""
        ...

    async def look_around(self, need: SurroundingsNeed, now: datetime) -> Surroundings:
        """Read what preflight alone looks at; read-only. Never raises Outside: what could not be read is Unread."""
        ...

    async def load(self, groups: Groups, *, period: timedelta, now: datetime) -> Load | Absent:
        """The traffic of the target groups over `load_window`; Absent: none; read-only. Raises Outside."""
        ...

    async def observe(self, needs: Needs) -> Seen:
        """Read what a tick needs. Never raises Outside: what could not be read is Unread, what is not there Absent."""
        ...

    async def perform(self, effect: Effect) -> None:
        """Carry an effect out; twice is once. Raises Outside; after Unreachable its outcome is unknown."""
        ...


class Scout(Protocol):
    """AWS, as the writing of a rollout file sees it. Only reads."""

    async def services(self, cluster: str) -> tuple[str, ...]:
        """The names of a cluster's services, in order. Raises Outside (Missing: no such cluster)."""
        ...

    async def running(self, cluster: str, service: str) -> str:
        """The task definition that a service runs. Raises Outside (Missing: no such service)."""
        ...

    async def newest(self, task_definition: str) -> str:
        """The newest active revision of a task definition's family, if it is newer than this one; else empty.

        `task_definition`: ``family:revision``. Raises Outside.
        """
        ...

    async def watchers(self, survey: Survey) -> tuple[AlarmSeen, ...]:
        """The alarms that watch the service of a survey, by name. Raises Outside."""
        ...


class Prober(Protocol):
    """Sends Teal's own requests to green, through the test listener that a rollout file names."""

    def refusal(self, url: str, secret: str = "") -> tuple[str, str] | None:
        """Why no request may go there, as far as the settings and the address itself tell, and what to do; else None.

        `secret`: the name of the settings' hook whose secret is to sign it.
        """
        ...

    async def probe(self, need: ProbeNeed) -> ProbeSeen | Unread:
        """Send one batch, at its rate, and say what became of each request. Never raises Outside nor Refused.

        It ends a batch's span and a request's timeout after it began, at the latest.
        """
        ...


class Asker(Protocol):
    """Puts questions to webhooks that a rollout file names."""

    async def ask(self, need: HookNeed) -> HookSeen | None:
        """What a webhook answers; None: it has not answered yet, ask again with the same need.

        Returns within a second or two, however long the webhook takes. Never raises Outside nor Refused.
        """
        ...


class Outward(Prober, Asker, Protocol):
    """Everything that the engine sends to addresses of rollout files."""


class MetricSource(Protocol):
    """Numbers from elsewhere than AWS: series of expressions in the source's own language."""

    async def series(self, need: MetricsNeed) -> Mapping[str, Series | Unread]:
        """The series asked for, by the queries' ids, each a value. Never raises Outside.

        A point stands at the start of the interval that it speaks of. What the source holds nothing of is left out of
        its series; an answer that is partial is Unread.
        """
        ...


class Direct(Protocol):
    """AWS, as a rollback without server, store or file sees it (``core.break_glass``)."""

    async def find(self, *, cluster: str, service: str) -> ServiceName:
        """The service of record that is meant; `cluster` empty: the only one that has it. Raises NotFound, Outside."""
        ...

    async def look(self, service: ServiceName) -> Place:
        """Blue, and everything that divides its traffic with a green. Raises Outside (Missing: no such service)."""
        ...

    async def perform(self, step: Step) -> None:
        """Carry a step out; twice is once. Raises Outside; after Unreachable its outcome is unknown."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A row as the store holds it."""

    rollout: Rollout
    version: int  # grows with every commit
    wake_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leased:
    """Sole right to a row for a time. ``fence`` grows with every lease of the row."""

    stored: Stored
    commands: tuple[Command, ...]  # accepted and not yet applied, oldest first
    owner: str
    fence: int
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSeen:
    """A command as the store holds it."""

    command: Command
    state: CommandState
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSeen:
    """An event with its place in its rollout's log."""

    rollout: RolloutId
    number: int  # 1, 2, 3 … within the rollout
    event: Event
    chain: str = ""  # SHA-256 over the event and the chain of the one before it (`domain.event_chain`), hex


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which rollouts to list."""

    service: str = ""
    phases: frozenset[Phase] = frozenset()
    is_active: bool | None = None


Check = Callable[[Stored], None]  # raises Refused to refuse


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A bearer token as the store knows it: everything but the token, of which it keeps a digest alone."""

    id: str
    name: str  # who carries it: the name in the audit log
    role: Role
    services: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        """True until it is revoked or has expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class Tokens(Protocol):
    """Bearer tokens, by their digests."""

    async def add_token(self, token: Token, *, digest: str) -> None:
        """Keep a token. ``digest``: SHA-256 of the token, hexadecimal. Raises Conflict if id or digest is taken."""
        ...

    async def token_by_digest(self, digest: str) -> Token | None:
        """The token with this digest, also if it has expired or was revoked."""
        ...

    async def tokens(self) -> tuple[Token, ...]:
        """Every token, newest first."""
        ...

    async def token_used(self, token: str, *, at: datetime) -> None:
        """Note that a token (by id) was used; an unknown one, or a moment before the noted one, changes nothing."""
        ...

    async def revoke_token(self, token: str, *, at: datetime) -> Token:
        """Revoke a token by its id; revoked twice keeps the first moment. Raises NotFound."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call that was to change something, at any door: who, what, and how it was answered."""

    at: datetime
    actor: str  # empty: nobody, since no identity could be established
    source: str  # http | slack | cli
    address: str  # of the client
    call: str  # what was called: POST /v1/rollouts/{id}/approve
    target: str  # rollout, service or token it was about; empty: none
    outcome: str  # ok, or the code of the error it was refused with
    request: str  # the request's id, as in the log


class Calls(Protocol):
    """The audit log of calls: what was asked for, also where it was refused."""

    async def add_call(self, call: Call) -> None:
        """Add one call."""
        ...

    async def calls(self, *, before: str = "", limit: int = 50) -> tuple[tuple[Call, ...], str]:
        """A page of calls, the last added first, and the cursor of the next page (empty at the end).

        Raises Invalid for a cursor that no page returned.
        """
        ...


class Calendar(Protocol):
    """The operators' calendar of freezes, one for all engines of the store."""

    async def keep_freezes(self, calendar: tuple[Freeze, ...]) -> None:
        """Keep this calendar in place of the one before."""
        ...

    async def freezes(self) -> tuple[Freeze, ...]:
        """The calendar, as it was kept."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The sole right, for a time, to tell one receiver (a sink) of one rollout's newest events.

    The log of events is the outbox: ``sent`` is the number of the last event that the sink has taken, and ``state``
    whatever the sink must know to go on (the message it updates), both committed together by `delivered`.
    """

    sink: str
    stored: Stored
    sent: int
    state: str
    attempts: int  # failed ones since the last success
    owner: str
    until: datetime


class Outbox(Protocol):
    """What is still to be delivered to whom. At least once: a crash between telling and committing tells again.

    A sink has something to be told of a rollout from the moment a transaction with an event of it is committed, never
    before, until `delivered` says that it has taken the last one. Of one rollout it is told by one holder at a time,
    who tells what comes after ``sent`` in order, so nothing is skipped. A lease ends with ``delivered``,
    ``not_delivered`` or its time; what a holder reports is taken for as long as nobody else was given the lease.
    """

    async def open_sink(self, sink: str, *, now: datetime) -> None:
        """Make a sink known, from `now` on; one that is known keeps its place, also if nobody told it for a while.

        The first time, what was committed before counts as told: a rollout that has ended is never told of, an active
        one from its next event on, so that a new receiver is not flooded with what is over.
        """
        ...

    async def lease_deliveries(
        self, sink: str, *, owner: str, now: datetime, ttl: timedelta, limit: int
    ) -> tuple[Delivery, ...]:
        """Lease rollouts of which the sink has not taken every committed event, whose time has come, oldest first.

        Their time is that of the first event the sink has not taken, after a failed attempt its ``again_at``. A sink
        that was never opened has nothing to be told.
        """
        ...

    async def delivered(self, delivery: Delivery, *, sent: int, state: str) -> None:
        """Note what was told, up to event ``sent``, and let go; failed attempts are forgotten.

        If there are more events by then the rollout is due at once. Raises Lost if the lease has passed on.
        """
        ...

    async def not_delivered(self, delivery: Delivery, *, again_at: datetime, why: str) -> None:
        """Note a failed attempt and let go until then; events that come meanwhile wait too.

        ``why`` is kept for whoever looks into the store. Raises Lost if the lease has passed on.
        """
        ...

    async def delivery_state(self, sink: str, rollout: RolloutId) -> str:
        """What the sink committed last for a rollout; empty: nothing yet."""
        ...


KEYS_HOLD = timedelta(hours=24)
"""How long an idempotency key stands for what it first did."""


class Store(Tokens, Calls, Outbox, Calendar, Protocol):
    """Rollouts, their events, records and commands; tokens, calls, the calendar and the outbox.

    Every method is one transaction.

    A commit is a compare-and-swap: it succeeds only for the holder of the newest fence and the row's version.
    Events get their link of the chain (`core.domain.event_chain`) in the transaction that adds them.
    """

    async def create(
        self,
        rollout: Rollout,
        *,
        claims: frozenset[str],
        key: str,
        events: tuple[Event, ...],
        wake_at: datetime,
    ) -> Stored:
        """Add a rollout and take its claims (service, rules), which it holds until it ends.

        The same `key` again, within KEYS_HOLD of the creation of the rollout it made, returns that rollout. Later it
        is free: it makes another rollout and stands for that one. Raises Conflict naming the holder if another active
        rollout holds a claim.
        """
        ...

    async def started_by(self, key: str, *, now: datetime) -> Stored | None:
        """The rollout that this key stands for (see `create`), whatever became of it."""
        ...

    async def claim(self, rollout: RolloutId, claims: frozenset[str]) -> None:
        """Take further claims for an active rollout. Raises Conflict naming the holder; nothing is taken then."""
        ...

    async def lease_due(
        self, *, owner: str, now: datetime, ttl: timedelta, limit: int, only: RolloutId | None = None
    ) -> tuple[Leased, ...]:
        """Lease up to `limit` active rows whose time has come and that nobody holds, the most overdue first.

        `only`: this row or none.
        """
        ...

    async def renew(self, leased: Leased, *, now: datetime, ttl: timedelta) -> Leased:
        """Hold on to a row. Raises Lost if another lease was given since."""
        ...

    async def commit(self, leased: Leased, decision: Decision) -> Leased:
        """Write a decision whole: row, wake-up, events, records, outcomes of commands; a final phase frees claims.

        Raises Lost, and writes nothing, unless the lease's fence and version are the row's.
        """
        ...

    async def release(self, leased: Leased) -> None:
        """Give a row back; a lease that has passed on is left alone."""
        ...

    async def wake(self, rollout: RolloutId, *, at: datetime) -> None:
        """Have the row looked at by `at`, if it is not due sooner."""
        ...

    async def add_note(self, rollout: RolloutId, event: Event, record: Record) -> bool:
        """Add a fact about a rollout that has ended: an event, and the record that it is known by.

        False, and nothing is added, while the rollout is active, where the record's key is known, and where its newest
        record of this kind has the same body: so of several servers that see the same one tells it. Sinks that were
        told of the rollout hear of it.
        Raises NotFound.
        """
        ...

    async def add_command(self, rollout: RolloutId, command: Command, *, check: Check) -> CommandSeen:
        """Accept a command after `check` has seen the row in the same transaction, and make the row due at once.

        The same key again, within KEYS_HOLD of the command it gave this rollout or while that one still waits for a
        tick, returns that command and what became of it. Later it is free for another command. Raises NotFound, or
        what `check` raises.
        """
        ...

    async def command(self, rollout: RolloutId, key: str) -> CommandSeen:
        """The newest command of a key, however old, and what became of it. Raises NotFound."""
        ...

    async def load(self, rollout: RolloutId) -> Stored:
        """One row. Raises NotFound."""
        ...

    async def find_active(self, service: str) -> Stored | None:
        """The active rollout that holds a service (``cluster/service``), if there is one."""
        ...

    async def list(
        self, which: Filter, *, before: str = "", limit: int = 50
    ) -> tuple[tuple[Stored, ...], str]:
        """Rollouts, newest first, and the cursor of the next page (empty at the end)."""
        ...

    async def services(self, *, after: str = "", limit: int = 50) -> tuple[tuple[str, ...], str]:
        """Names (``cluster/service``) of services that ever had a rollout, in order, and the next page's cursor.

        A cursor is the last name of its page; any other text stands for its place in the order.
        """
        ...

    async def events(self, rollout: RolloutId, *, after: int = 0, limit: int = 500) -> tuple[EventSeen, ...]:
        """Events of a rollout in order, from the one after `after`. Raises NotFound."""
        ...

    async def records(self, rollout: RolloutId, *, kind: str = "", limit: int = 10_000) -> tuple[Record, ...]:
        """Records of a rollout in the order of their commit."""
        ...

    async def next_due(self) -> datetime | None:
        """When the next row wants to be looked at; None: no active row."""
        ...

    async def close(self) -> None:
        """Let go of everything held open."""
        ...
