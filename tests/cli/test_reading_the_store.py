"""What a command shows of the store is the same whether it was read at a glance or in full."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from orchestrator.core.domain.commands import Actor, Command, CommandKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.engine.views.keeping import text_of
from orchestrator.store.opening import open_store
from tests.cli.terminal import Terminal
from tests.contract.store_values import NOON, allow

COMMANDS = [
    ("list",),
    ("list", "--active"),
    ("list", "--phase", "succeeded"),
    ("list", "--service", "prod/none"),
    ("get", "{id}"),
    ("get", "{id}", "--output", "wide"),
    ("get", "checkout"),
    ("get", "prod/checkout"),
    ("get", "none"),
    ("events", "{id}"),
    ("events", "{id}", "--after", "3"),
    ("events", "none"),
    ("services",),
    ("services", "--output", "wide"),
    ("services", "checkout"),
    ("services", "prod/checkout"),
    ("services", "none"),
    ("services", "prod/none"),
    ("outputs", "--service", "checkout"),
    ("outputs", "--service", "prod/none"),
]


def forget(terminal: Terminal, statement: str = "UPDATE rollouts SET shown = NULL") -> None:
    """Leave the rows as a version wrote them that kept nothing, or something else."""
    connection = sqlite3.connect(terminal.folder / "teal.db")
    with connection:
        connection.execute(statement)
    connection.close()


def shown(terminal: Terminal, rollout: str) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    for words in COMMANDS:
        command = [word.format(id=rollout) for word in words]
        for more in ((), ("--json",)) if "--output" not in command else ((),):
            done = terminal.teal(*command, *more)
            found.append((*command, *more, done.exit_code, done.stdout, done.stderr))
    return found


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ages are those of one moment."""
    from datetime import UTC, datetime

    class Still(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return datetime(2026, 12, 1, tzinfo=UTC)

    for module in ("list_get_events", "services"):
        monkeypatch.setattr(f"api.cli.commands.{module}.datetime", Still)


@pytest.mark.parametrize("state", ["shifting", "rolled_back", "succeeded"])
@pytest.mark.usefixtures("still")
def test_every_command_shows_the_same(terminal: Terminal, state: str, request: pytest.FixtureRequest) -> None:
    rollout = request.getfixturevalue(state)
    quick = shown(terminal, rollout)
    forget(terminal)
    assert shown(terminal, rollout) == quick


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE rollouts SET shown = replace(shown, '\"form\":1', '\"form\":0')",
        "UPDATE rollouts SET shown = replace(shown, '\"former\"', '\"formerly\"')",
        "UPDATE rollouts SET shown = '[]'",
        "UPDATE rollouts SET shown = '{'",
        "UPDATE rollouts SET version = version + 1",
    ],
)
@pytest.mark.usefixtures("still")
def test_what_another_version_kept_is_not_shown(terminal: Terminal, shifting: str, statement: str) -> None:
    version = terminal.json("get", shifting)["version"]
    true = terminal.teal("get", shifting).stdout
    forget(terminal, 'UPDATE rollouts SET shown = replace(shown, \'"phase":"shifting"\', \'"phase":"kept"\')')
    assert "kept for" in terminal.teal("get", shifting).stdout  # else the rest would prove nothing
    forget(terminal, statement)
    assert terminal.teal("get", shifting).stdout == true
    assert terminal.json("get", shifting)["version"] >= version


def test_a_command_that_wakes_a_rollout_is_seen_in_its_time(terminal: Terminal, shifting: str) -> None:
    async def main() -> None:
        store = open_store(terminal.url, shown=text_of)
        pause = Command(key="k", kind=CommandKind.PAUSE, by=Actor(name="ada"), at=NOON)
        await store.add_command(RolloutId(shifting), pause, check=allow)
        await store.close()

    before = terminal.json("get", shifting)
    asyncio.run(main())
    quick = terminal.json("get", shifting)
    assert quick["wake_at"] != before["wake_at"]
    forget(terminal)
    assert terminal.json("get", shifting) == quick


def test_a_store_that_is_not_there_yet_is_made(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    assert terminal.json("list") == {"rollouts": []}
    assert (tmp_path / "teal.db").exists()
