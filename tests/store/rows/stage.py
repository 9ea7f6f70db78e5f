"""A rehearsal on a store of SQL, which can be brought to where another one was by the calls that were made there."""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import StaticPool

from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.engine.views.rollout import view
from orchestrator.engine.worker import Worker
from orchestrator.store.migrations import HEAD
from orchestrator.store.sql.store import SqlStore
from orchestrator.store.sql.upgrade import MIGRATIONS, upgrade
from tests.store.rows.golden import Golden, ids_in
from tests.support.everything import Answers
from tests.support.rehearsal import Rehearsal

T = TypeVar("T")
READS = ("Describe", "List", "Get", "Simulate", "Batch")
KEPT = ("rollouts", "claims", "events", "records", "commands")  # in the order of their references
POLL = timedelta(seconds=1)
_IS_ACTIVE = text("SELECT is_active FROM rollouts WHERE id = :id")

# What says which way a rollout went, and the facts that say how.
TOLD = {
    EventKind.PHASE_CHANGED: ("end",),
    EventKind.WEIGHT_VERIFIED: ("green_tenths",),
    EventKind.ROLLBACK_DECIDED: (),
    EventKind.INTERVENTION_ENDED: (),
    EventKind.BLUE_UPDATE_ASKED: (),
    EventKind.BLUE_STEADY: (),
    EventKind.BLUE_DRAINED: (),
    EventKind.BLUE_CALLED_BACK: (),
    EventKind.TRAFFIC_ON_GREEN: (),
    EventKind.TRAFFIC_ON_BLUE: (),
    EventKind.ENDED: ("phase",),
}


class InMemory:
    """A database that runs bodies where it is asked: virtual time waits for no thread."""

    def __init__(self, tables: str = HEAD) -> None:
        self._engine = create_engine("sqlite://", poolclass=StaticPool)
        raw = self._engine.raw_connection()
        raw.executescript(_schema(tables))
        raw.close()

    async def write(self, body: Callable[[Connection], T]) -> T:
        return self.now(body)

    async def read(self, body: Callable[[Connection], T]) -> T:
        return self.now(body)

    async def try_to_write(self) -> None:
        pass

    async def close(self) -> None:
        self._engine.dispose()

    def now(self, body: Callable[[Connection], T]) -> T:
        """Run a body."""
        with self._engine.begin() as connection:
            return body(connection)


@cache
def _schema(tables: str) -> str:
    """The empty tables as a migration leaves them, as SQL."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, tables)
    raw = engine.raw_connection()
    dumped = "\n".join(raw.iterdump())
    raw.close()
    engine.dispose()
    return dumped


class Recorded(Rehearsal):
    """As Rehearsal, with its rows in SQL; call `begun` once the scenery is there."""

    def __init__(self, **given: Any) -> None:  # noqa: ANN401 - as Rehearsal's
        super().__init__(**given)
        self.keep_in(InMemory())
        self.first_call = 0
        self.before: Answers = {}  # what could be described before a row was brought here

    def keep_in(self, database: InMemory) -> None:
        """Have the rows there from now on."""
        self.database = database
        self.store: Any = SqlStore(database)

    def begun(self) -> "Recorded":
        """Count calls from now on: what was called before is there again wherever the same scenery is built."""
        self.first_call = len(self.world.log)
        return self

    def later(self, seconds: float, act: Callable[[], object]) -> None:
        """Have something happen to the World that is no call of AWS, by its clock."""
        self.world.kernel.after(timedelta(seconds=seconds), act)

    def _new_worker(self) -> Worker:
        worker = super()._new_worker()
        return Worker(worker.ticker, owner=worker.owner, ask_store=POLL)

    def until_over(self, rollout: RolloutId, within: timedelta) -> None:
        """Let a worker run until the rollout has ended; looks at no more of the row than that."""
        self.run(self._until_over(rollout, within))

    async def _until_over(self, rollout: RolloutId, within: timedelta) -> None:
        end = self.clock.now() + within
        async with self._worker():
            while self.database.now(lambda c: c.execute(_IS_ACTIVE, {"id": rollout}).scalar()):
                if self.clock.now() >= end:
                    raise TimeoutError(f"not over after {within}")
                await asyncio.sleep(POLL.total_seconds())

    # writing ---------------------------------------------------------------------------------------------------

    def taken(self, scenario: str, rollout: RolloutId, *, is_logged: bool) -> Golden:
        """Everything about a rollout as it is now."""
        tables = [table for table in KEPT if is_logged or table != "events"]
        return Golden(
            scenario=scenario,
            tables=HEAD,
            rollout=rollout,
            at=self.world.now.isoformat(),
            rows={table: self.database.now(partial(_rows, table=table)) for table in tables},
            scenery=_plain(self._scenery()),
            calls=list(self._calls()),
            shown=self.shown(rollout),
            then=[],
            phase="",
        )

    def _scenery(self) -> dict[str, Any]:
        return {name: getattr(self.scenery, name) for name in type(self.scenery).__slots__}

    def _calls(self) -> Iterator[dict[str, Any]]:
        for call in self.world.log[self.first_call :]:
            if call.answer is not None and not call.operation.startswith(READS):
                yield {
                    "at": call.at.isoformat(),
                    "service": call.service,
                    "operation": call.operation,
                    "params": _marked(call.params),
                    "ids": list(ids_in(_plain(call.answer))),
                }

    # reading ---------------------------------------------------------------------------------------------------

    def bring_to(self, golden: Golden) -> Golden:
        """Bring the World to where it was and the row into the store; returns it with the ids of this World."""
        names = _names(ids_in(golden.scenery), ids_in(_plain(self._scenery())))
        for number in range(len(golden.calls)):
            call = golden.renamed(names).calls[number]
            self._wait_for(datetime.fromisoformat(call["at"]))
            answer = self.world.call(call["service"], call["operation"], _unmarked(call["params"]))
            names |= _names(golden.calls[number]["ids"], ids_in(_plain(answer)))
        self._wait_for(datetime.fromisoformat(golden.at))
        golden = golden.renamed(names)
        self.keep_in(filled(golden))
        return golden

    def _wait_for(self, moment: datetime) -> None:
        self.run(asyncio.sleep((moment - self.clock.now()).total_seconds()))
        self.world.advance(moment)

    # looking ---------------------------------------------------------------------------------------------------

    def shown(self, rollout: RolloutId) -> dict[str, Any]:
        """The rollout as doors show it."""
        stored = self.run(self.store.load(rollout))
        shown = view(stored)
        return {name: _plain(_fields(getattr(shown, name))) for name in type(shown).__slots__}

    def told(self, rollout: RolloutId, after: int) -> list[str]:
        """The way that a rollout went since its log had so many events, in short."""
        seen = (one.event for one in self.events(rollout) if one.number > after)
        return [
            " ".join([event.kind.value, *(str(dict(event.facts)[name]) for name in TOLD[event.kind])])
            for event in seen
            if event.kind in TOLD
        ]


def filled(golden: Golden) -> InMemory:
    """A database with a golden row's rows, made with the tables of their version and brought to those of this one."""
    database = InMemory(golden.tables)
    for table, rows in golden.rows.items():
        database.now(partial(_insert, table=table, rows=rows))
    database.now(partial(upgrade, is_used=lambda: False))
    return database


def _rows(connection: Connection, table: str) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.exec_driver_sql(f"SELECT * FROM {table}").mappings()]


def _insert(connection: Connection, table: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        columns = ", ".join(rows[0])
        marks = ", ".join(f":{name}" for name in rows[0])
        connection.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({marks})"), rows)


def _names(before: Any, now: Any) -> dict[str, str]:  # noqa: ANN401 - iterables of ids
    """Which id is which now, whole and by its last part: dimensions and labels hold no whole ARNs."""
    whole = dict(zip(before, now, strict=True))
    last = {was.rpartition("/")[2]: named.rpartition("/")[2] for was, named in whole.items()}
    return {was: named for was, named in (whole | last).items() if was != named}


def _fields(value: Any) -> Any:  # noqa: ANN401 - values of views
    """Values of views as JSON has them."""
    if isinstance(value, tuple):
        return [_fields(each) for each in value]
    if hasattr(type(value), "__slots__") and hasattr(type(value), "__dataclass_fields__"):
        return {name: _fields(getattr(value, name)) for name in type(value).__slots__}
    return value


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON
    return json.loads(json.dumps(value, default=lambda one: one.isoformat()))


def _marked(params: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """Parameters as JSON, with moments marked as such."""
    return json.loads(json.dumps(params, default=lambda one: {"$moment": one.isoformat()}))


def _unmarked(params: Any) -> Any:  # noqa: ANN401 - JSON
    match params:
        case {"$moment": str(moment)}:
            return datetime.fromisoformat(moment)
        case dict():
            return {name: _unmarked(each) for name, each in params.items()}
        case list():
            return [_unmarked(each) for each in params]
        case _:
            return params
