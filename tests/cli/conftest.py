from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.phases import Phase
from tests.cli.terminal import Terminal, played


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


@pytest.fixture
def shifting(terminal: Terminal) -> Iterator[str]:
    """A rollout that takes traffic; its id."""
    yield from _kept(terminal, Phase.SHIFTING)


@pytest.fixture
def rolled_back(terminal: Terminal) -> Iterator[str]:
    """A rollout that a person took back; its id."""
    yield from _kept(terminal, Phase.ROLLED_BACK, CommandKind.ROLLBACK)


@pytest.fixture
def succeeded(terminal: Terminal) -> Iterator[str]:
    """A rollout that went well; its id."""
    yield from _kept(terminal, Phase.SUCCEEDED)


def _kept(terminal: Terminal, phase: Phase, end: CommandKind | None = None) -> Iterator[str]:
    stage, rollout = played(phase, end=end)
    with stage:
        yield terminal.keep(stage, rollout)
