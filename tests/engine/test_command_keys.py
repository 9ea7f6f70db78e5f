"""One key is one command of one caller: another one under it is refused, and is not answered as the first."""

from typing import Any

import pytest

from orchestrator.core.domain.commands import Actor, Command, CommandKind, CommandState
from orchestrator.core.domain.errors import Refused
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.engine import commands
from orchestrator.ports.commands import CommandSeen
from orchestrator.store.memory.store import MemoryStore
from tests.builders import NOON
from tests.core.stages import OPERATOR, row
from tests.support.virtual import VirtualLoop, play


def given(*asked: Command) -> list[CommandSeen]:
    """What each of these is answered, one after the other, for a rollout at its third step."""
    known = row(Phase.SHIFTING, weight=500, step=2)

    async def script(_: VirtualLoop) -> list[CommandSeen]:
        store = MemoryStore()
        await store.create(known, claims=frozenset(), key="key", events=(), wake_at=NOON)
        return [await commands.accept(known.id, command, store=store) for command in asked]

    return play(script)


def a(kind: CommandKind, **changes: Any) -> Command:  # noqa: ANN401 - the fields of Command
    return Command(**{"key": "k", "kind": kind, "by": OPERATOR, "at": NOON, **changes})


def test_the_same_command_again_is_the_same_command() -> None:
    first, second = given(a(CommandKind.BACK, to=Tenths(100)), a(CommandKind.BACK, to=Tenths(100)))
    assert first == second
    assert first.state is CommandState.ACCEPTED


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        pytest.param(a(CommandKind.PAUSE), a(CommandKind.PROMOTE), "pause", id="another kind"),
        pytest.param(
            a(CommandKind.BACK, to=Tenths(100)),
            a(CommandKind.BACK, to=Tenths(500)),
            "back to 10 %",
            id="another weight",
        ),
        pytest.param(
            a(CommandKind.PROMOTE), a(CommandKind.PROMOTE, full=True), "promote", id="to the last step"
        ),
        pytest.param(
            a(CommandKind.PROMOTE, step=2), a(CommandKind.PROMOTE), "promote of step 3", id="of another step"
        ),
    ],
)
def test_another_command_under_the_same_key_is_refused_and_told_the_first(
    first: Command, second: Command, words: str
) -> None:
    with pytest.raises(Refused, match=f"key `k` was already used for {words}"):
        given(first, second)


def test_somebody_else_s_key_is_refused() -> None:
    with pytest.raises(Refused, match="by somebody else"):
        given(a(CommandKind.PAUSE), a(CommandKind.PAUSE, by=Actor(name="another")))
