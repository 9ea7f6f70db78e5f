"""The terminal's door on a store in a file, with rollouts that were played in virtual time before."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from click.testing import CliRunner, Result

from api.cli.main import teal
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.rollout import Decision
from orchestrator.core.rollout.spec import Spec
from orchestrator.engine.views.keeping import text_of
from orchestrator.ports.leases import Leased
from orchestrator.ports.store import Store
from orchestrator.store.opening import open_store
from tests.support.rehearsal import Rehearsal

T = TypeVar("T")


class Terminal:
    """Runs `teal` in this process, with a store of its own and no server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"sqlite:///{folder / 'teal.db'}"

    def teal(self, *args: str, typed: str | None = None, **environment: str) -> Result:
        """One command; raises what a person would see as a traceback."""
        alone = {"TEAL_SERVER": "", "TEAL_PROFILE": "", "TEAL_TOKEN": "", "TEAL_TOKEN_FILE": ""}
        env = {"TEAL_STORE": self.url, "XDG_CONFIG_HOME": str(self.folder), **alone, **environment}
        return CliRunner(env=env).invoke(teal, args, input=typed, catch_exceptions=False)

    def json(self, *args: str) -> dict[str, Any]:
        """The one line of JSON that a command prints."""
        result = self.teal(*args, "--json")
        lines = result.stdout.splitlines()
        assert len(lines) == 1, result.output
        return dict(json.loads(lines[0]))

    def keep(self, stage: Rehearsal, rollout: RolloutId) -> str:
        """Put a rehearsed rollout with its log into the store; its id."""
        row = stage.row(rollout)
        events = tuple(seen.event for seen in stage.events(rollout))

        async def put(store: Store) -> None:
            began = replace(row, phase=Phase.PENDING)
            claims = frozenset({f"service {row.spec.service}"})
            await store.create(began, claims=claims, key=row.id, events=events[:1], wake_at=row.created_at)
            leased = await _lease(store)
            wake_at = None if row.phase.is_final else row.created_at
            leased = await store.commit(leased, Decision(rollout=row, wake_at=wake_at, events=events[1:]))
            await store.release(leased)

        self.in_store(put)
        return row.id

    def commands(self) -> Leased:
        """The row with the commands that wait for a tick."""
        return self.in_store(_lease)

    def in_store(self, work: Callable[[Store], Awaitable[T]]) -> T:
        """Do something with the store."""

        async def main() -> T:
            store = open_store(self.url, shown=text_of)
            try:
                return await work(store)
            finally:
                await store.close()

        return asyncio.run(main())


async def _lease(store: Store) -> Leased:
    due = datetime.now(UTC) + timedelta(days=1)
    (leased,) = await store.lease_due(owner="test", now=due, ttl=timedelta(seconds=30), limit=1)
    return leased


def played(phase: Phase, *, spec: dict[str, Any] | None = None, end: CommandKind | None = None) -> Any:  # noqa: ANN401
    """A stage on which a rollout has come to a phase, and the rollout; the caller closes the stage."""
    stage = Rehearsal(requests_per_second=2)
    asked: Spec = stage.spec(stage.revision(), **(spec or {}))
    rollout = stage.start(asked)
    if end is not None:
        stage.until(rollout, Phase.SHIFTING)
        stage.command(rollout, end, reason="looks odd")
    stage.until(rollout, phase)
    return stage, rollout
