"""The demo's acts: each is one `teal deploy` in a process of its own, watched through the store."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from api.cli.backend.backend import Door, Which
from api.cli.following.follow import LOOK_SECONDS, Look, looks, pause
from orchestrator.core.domain.errors import Refused
from orchestrator.core.domain.ids import revision_name
from orchestrator.engine.views.rollout_values import RolloutView
from sandbox.plane.clients.load import Load
from sandbox.plane.clients.tally import LoadSeen
from sandbox.sandbox import Sandbox
from sandbox.scenarios.demo import rollout_file, serving

ROOT = str(Path(__file__).resolve().parents[3])
LOG_LINES = 20
SERVES_SECONDS = 1.0  # after the end, for seeing who answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnessed:
    """What was seen beside the rollout itself: what is worth telling, and what did not go as it had to."""

    notes: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


class Witness(Protocol):
    """Watches an act, and may interfere with the sandbox under it."""

    def look(self, look: Look) -> None:
        """The rollout as it is now."""
        ...

    async def tell(self, view: RolloutView) -> Witnessed:
        """What it saw, once the rollout has ended."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One rollout to show."""

    name: str
    about: str
    revision: str  # family:revision
    wanted_phase: str
    wanted_reason: str = ""  # how the reason has to begin for which it was rolled back
    text: str = ""  # its rollout file; empty: the demo's ordinary one
    witness: Witness | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of an act, with the figures of design: who failed requests, and how long a bad one lasted."""

    act: Act
    view: RolloutView
    felt: LoadSeen  # what users met from the end of the act before to the end of this one
    after: LoadSeen  # what they met right after it
    green_weight_max: float
    witnessed: Witnessed = Witnessed()

    @property
    def seconds(self) -> float:
        """From the start to the end."""
        end = self.view.ended_at
        assert end is not None
        return (end - self.view.created_at).total_seconds()

    @property
    def bad_to_blue_seconds(self) -> float | None:
        """From the new revision's first error that a user met to 100 % blue read back.

        None where there was none, or where the revision was not rolled back.
        """
        green = self.felt.revisions.get(revision_name(self.view.revision))
        back = self.view.traffic_on_blue_at
        if self.view.phase != "rolled_back" or green is None or green.first_failure is None or back is None:
            return None
        return back.timestamp() - green.first_failure

    @property
    def should_serve(self) -> str:
        """Who is to serve afterwards."""
        wanted = self.view.revision if self.act.wanted_phase == "succeeded" else self.view.former
        return revision_name(wanted)

    @property
    def faults(self) -> tuple[str, ...]:
        """What did not go as it had to, in words; empty: all went well."""
        found = []
        if self.view.phase != self.act.wanted_phase:
            found.append(f"{self.view.id} is {self.view.phase}, not {self.act.wanted_phase}")
        if not self.view.reason.startswith(self.act.wanted_reason):
            wanted = self.act.wanted_reason.strip(": ")
            found.append(f"{wanted} was to take it back, and not this: {self.view.reason or 'nothing'}")
        if self.felt.failed_by_shift:
            found.append(
                f"{self.felt.failed_by_shift} requests failed by no revision's fault: {dict(self.felt.shift)}"
            )
        if serving(self.after) != {self.should_serve}:
            found.append(
                f"{', '.join(sorted(serving(self.after))) or 'nobody'} answers, not {self.should_serve}"
            )
        return (*found, *self.witnessed.faults)

    def shape(self) -> dict[str, object]:
        """The act in the demo's line of JSON."""
        is_back = self.view.phase == "rolled_back"
        quick = self.bad_to_blue_seconds
        return {
            "name": self.act.name,
            "id": self.view.id,
            "phase": self.view.phase,
            "seconds": round(self.seconds, 1),
            "requests": self.felt.requests,
            "failed": {"revision": self.felt.failed_by_revision, "shift": self.felt.failed_by_shift},
            "green_weight_max": self.green_weight_max,
            "bad_to_blue_seconds": None if quick is None else round(quick, 2),
            "rollback_reason": self.view.reason if is_back else None,
        }


class Player:
    """Plays acts one after the other on one sandbox, in one folder."""

    def __init__(self, sandbox: Sandbox, load: Load, door: Door, folder: Path) -> None:
        self._sandbox, self._load, self._door, self._folder = sandbox, load, door, folder
        self._counted = LoadSeen()

    async def play(self, act: Act, show: Callable[[Look], None]) -> Result:
        """Play an act to its end and show every look. Raises Refused with the engine's words if the engine fails."""
        scenery = self._sandbox.scenery
        assert scenery is not None
        service = f"{scenery.cluster}/{scenery.service}"
        ordinary = rollout_file(
            about=act.about, service=service, revision=act.revision, alarm=scenery.alarms[0]
        )
        path = self._folder / f"{act.name}.yaml"
        path.write_text(act.text or ordinary)
        greatest = 0.0
        async with self._deploying(path) as engine:
            rollout = await self._started(service, engine)
            async for look in looks(self._door, rollout, enough=engine.ended):
                greatest = max(greatest, look.view.green_percent, *_verified(look))
                show(look)
                if act.witness is not None:
                    act.witness.look(look)
            await engine.ended.wait()
            view = await self._door.get(rollout)
            if view.is_active:
                raise engine.failed()
        return await self._result(act, view, greatest)

    async def _result(self, act: Act, view: RolloutView, greatest: float) -> Result:
        end = self._load.seen()
        await asyncio.sleep(SERVES_SECONDS)  # let users say who serves now
        later = self._load.seen()
        felt, self._counted = end.since(self._counted), end
        return Result(
            act=act,
            view=view,
            felt=felt,
            after=later.since(end),
            green_weight_max=greatest,
            witnessed=Witnessed() if act.witness is None else await act.witness.tell(view),
        )

    async def _started(self, service: str, engine: "Deploying") -> str:
        """The id of the rollout, once the engine has put it into the store."""
        while not await pause(engine.ended, LOOK_SECONDS):
            found = await self._door.list(Which(service=service, is_active=True))
            if found:
                return found[0].id
        raise engine.failed()

    @asynccontextmanager
    async def _deploying(self, path: Path) -> AsyncIterator["Deploying"]:
        log = path.with_suffix(".log")
        command = [
            sys.executable,
            "-m",
            "api.cli.child_process",
            "deploy",
            "-f",
            str(path),
            "--on-interrupt",
            "leave",
        ]
        with log.open("wb") as out:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=out,
                stderr=out,
                start_new_session=True,  # a terminal's Ctrl-C is for the demo, which then stops this
                env=environment(self._sandbox.environment, self._folder),
            )
        ended = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(_wait(process, ended), name="the engine's end")
            try:
                yield Deploying(log=log, ended=ended)
            finally:
                with suppress(ProcessLookupError):
                    process.kill()
                await waiting


async def _wait(process: asyncio.subprocess.Process, ended: asyncio.Event) -> None:
    await process.wait()
    ended.set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deploying:
    """A `teal deploy` that runs."""

    log: Path
    ended: asyncio.Event

    def failed(self) -> Refused:
        """The error to raise when it ended and its rollout did not."""
        lines = self.log.read_text(errors="replace").splitlines()[-LOG_LINES:]
        return Refused(what="`teal deploy` ended before its rollout did", why="\n".join(lines))


def environment(sandbox: Mapping[str, str], folder: Path) -> dict[str, str]:
    """This process's environment, but with the sandbox for AWS, a store of its own, and nothing of the user's."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "TEAL_")) and not name.lower().endswith("_proxy")
    }
    nowhere = str(folder / "none")  # a profile of the user's could name another endpoint
    return {
        **kept,
        **sandbox,
        "AWS_CONFIG_FILE": nowhere,
        "AWS_SHARED_CREDENTIALS_FILE": nowhere,
        "NO_PROXY": "*",
        "PYTHONPATH": os.pathsep.join(filter(None, (ROOT, os.environ.get("PYTHONPATH")))),
        "TEAL_STORE": str(folder / "teal.db"),
    }


def _verified(look: Look) -> list[float]:
    """Green's weights that were read back since the last look, in percent."""
    facts = (dict(seen.event.facts) for seen in look.events if seen.event.kind == "weight_verified")
    return [float(tenths) / 10 for fact in facts if isinstance(tenths := fact.get("green_tenths"), int)]
