"""Write the golden rows of the code that is checked out: ``python -m tests.store.rows.generate [scenario…]``.

They go into a folder named by the version of Teal, with values made from the types beside them. It writes what is not
there yet and nothing else: who wants a file anew, with the very code that wrote it, deletes it first.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from orchestrator.core.domain.commands import Command
from orchestrator.core.domain.events import Event
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.store.codec import encode
from tests.store.rows import golden
from tests.store.rows.coverage import never_set
from tests.store.rows.made import TURNS, made
from tests.store.rows.playing import gone_on, started_as
from tests.store.rows.scenarios import SCENARIOS


def write(folder: Path, name: str) -> None:
    """Write a scenario's row, with the way on which it then goes on."""
    scenario = SCENARIOS[name]
    with scenario.build().begun() as stage:
        rollout = scenario.bring(stage)
        found = stage.taken(name, rollout, is_logged=scenario.is_logged)
    phase = found.shown["phase"]
    assert phase == scenario.phase, f"{name} is {phase}, not {scenario.phase}"
    with started_as(found) as (stage, _):
        way, ended = gone_on(stage, found)
    assert ended == scenario.ends, f"{name} ends {ended}, not {scenario.ends}:\n{way}"
    replace(found, then=way, phase=ended).write(folder / f"{name}.json")
    print(f"{name}: {phase} -> {ended}, {len(found.body)} bytes", flush=True)


def write_made(folder: Path) -> None:
    """Write values with something in every field."""
    folder.mkdir(exist_ok=True)
    kinds: tuple[type[Rollout | Event | Command], ...] = (Rollout, Event, Command)
    for kind in kinds:
        for turn in range(TURNS):
            path = folder / f"{kind.__name__.lower()}-{turn + 1}.json"
            if not path.exists():
                path.write_text(encode(made(kind, turn)) + "\n")


def main(names: Sequence[str]) -> None:
    """Write these scenarios' rows, or all."""
    folder = golden.FOLDER / version("teal")
    folder.mkdir(exist_ok=True)
    for name in names or list(SCENARIOS):
        if not (folder / f"{name}.json").exists():
            write(folder, name)
    write_made(folder / "made")
    left = never_set(golden.Golden.read(path).body for path in golden.paths(folder.name))
    print(f"in no scenario is there anything but the default in {', '.join(left)}")


if __name__ == "__main__":
    main(sys.argv[1:])
