"""`demo`: a sandbox, steady load, and two rollouts shown live; figures for people and for programs."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from api.cli.backend.open import open_store_door
from api.cli.demo.acts import Act, Player, Result
from api.cli.demo.evidence_acts import evidence_acts
from api.cli.demo.show import LiveShow, PlainShow, Show, opening, summary
from api.cli.following.follow import Look
from api.cli.output.output import emit, is_live, json_option, span_text
from api.cli.output.rollout_sheet import Line, Span, painted
from orchestrator.core.domain.errors import Refused, TealError, first_of
from sandbox.plane.clients.load import Load
from sandbox.sandbox import Sandbox
from sandbox.scenarios.demo import ERROR_RATE, MINUTE, RATE, Gauge
from sandbox.scenarios.demo_evidence import HISTORY_MINUTES, SUBTLE_RATE, USUAL_RATE, put_alarm

INTERRUPTED = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """What one demo shows, on which sandbox, and how long it may take at most."""

    longest: timedelta
    usual_rate: float  # what blue fails of its requests, and the good revision
    bad_rate: float
    acts: Callable[[Sandbox, Load], tuple[Act, ...]]
    alarmed: bool = (
        False  # its alarm is on the share of requests that fail, and blue is watched for a while first
    )


@click.command("demo")
@click.option(
    "--evidence",
    is_flag=True,
    help="Two other rollouts: a green that fails 3 % where blue fails 1 %, and an outage of both colours.",
)
@json_option
def demo_command(evidence: bool, as_json: bool) -> None:
    """Two real rollouts on this machine: a good revision to 100 % and back onto blue, and a bad one rolled back.

    Real processes, real HTTP over loopback, the engine as it runs against AWS; no account, nothing left behind.
    Takes about two minutes. Exits 0 only if the good one succeeded, the bad one was rolled back with blue serving,
    and no request failed because of a shift.

    With --evidence, in about three minutes: `compare` takes a green back that an alarm does not notice, and a good
    one holds while both colours fail, without blame, and goes on afterwards.
    """
    show: Show = LiveShow() if is_live(err=True) else PlainShow()
    results: list[Result] = []
    fault = ""
    try:
        asyncio.run(bounded(show, results, EVIDENCE if evidence else ORDINARY))
    except (KeyboardInterrupt, asyncio.CancelledError):
        fault = "interrupted; everything it started is stopped"
    except (TealError, RuntimeError, ExceptionGroup) as error:
        fault = str(first_of(error))
    finally:
        show.close()
    sys.exit(_conclude(results, fault, as_json=as_json))


def _conclude(results: list[Result], fault: str, *, as_json: bool) -> int:
    for line in summary(results):
        _say(line)
    is_ok = not fault and not any(result.faults for result in results)
    if fault:
        _say((Span(fault, "red"),))
    if as_json:
        emit({"ok": is_ok, "rollouts": [r.shape() for r in results], **({"error": fault} if fault else {})})
    if fault.startswith("interrupted"):
        return INTERRUPTED
    return 0 if is_ok else 1


def _say(line: Line) -> None:
    click.echo(painted(line, err=True), err=True)


async def bounded(show: Show, results: list[Result], programme: Programme) -> None:
    """Play everything within the programme's time; SIGTERM ends it as Ctrl-C does."""
    playing = asyncio.current_task()
    assert playing is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, playing.cancel)
    longest = programme.longest.total_seconds()
    limit = asyncio.timeout(longest)
    try:
        async with limit:
            await _play(show, results, programme)
    except TimeoutError as error:
        if not limit.expired():
            raise Refused(what="the sandbox does not start", why=str(error)) from error
        raise Refused(
            what=f"the demo has not ended within {span_text(longest)}",
            why="this machine may be too busy for it, or a rollout is held",
            next_step="Run it again on a quieter machine; the lines above say what it waited for.",
        ) from None


async def _play(show: Show, results: list[Result], programme: Programme) -> None:
    show.say((Span("Starting an AWS on this machine: load balancer, service, three tasks …", "dim"),))
    with TemporaryDirectory(prefix="teal-demo-") as name, _store(Path(name)):
        async with (
            Sandbox(
                minute=MINUTE, error_rate=programme.usual_rate, bad_error_rate=programme.bad_rate
            ) as sandbox,
            sandbox.load(rate=RATE, seconds=2 * programme.longest.total_seconds()) as load,
            open_store_door() as door,
        ):
            about = f"Its users ask {RATE:g} times a second at {sandbox.url}"
            show.say((Span(f"{about}; a CloudWatch minute lasts {MINUTE.seconds} s.", "dim"),))
            if programme.alarmed:
                await _watch_blue(sandbox, show)
            player, gauge = Player(sandbox, load, door, Path(name)), Gauge()
            acts = programme.acts(sandbox, load)
            for number, act in enumerate(acts, start=1):
                for line in opening(act, number, len(acts)):
                    show.say(line)
                results.append(await player.play(act, _Shower(show, load, gauge)))


async def _watch_blue(sandbox: Sandbox, show: Show) -> None:
    """Let blue be measured before anything begins, as it is on AWS; its alarm is put meanwhile."""
    assert sandbox.scenery is not None
    put_alarm(sandbox.world, sandbox.scenery)
    seconds = HISTORY_MINUTES * MINUTE.total_seconds()
    words = f"Blue fails {USUAL_RATE:.0%} of them as it always does. Measuring it for {seconds:g} s …"
    show.say((Span(words, "dim"),))
    await asyncio.sleep(seconds)  # by the clock of the load: a minute of the sandbox cannot be had sooner


class _Shower:
    """Shows a look together with what users feel at that moment."""

    def __init__(self, show: Show, load: Load, gauge: Gauge) -> None:
        self._show, self._load, self._gauge = show, load, gauge

    def __call__(self, look: Look) -> None:
        self._show.look(look, self._gauge.felt(self._load.seen()))


def _acts(sandbox: Sandbox, _load: Load) -> tuple[Act, ...]:
    names = {kind: arn.rpartition("/")[2] for kind, arn in sandbox.revisions.items()}
    return (
        Act(
            name="good",
            about=f"A good revision, {names['good']}: to 100 % and back onto blue.",
            revision=names["good"],
            wanted_phase="succeeded",
        ),
        Act(
            name="bad",
            about=f"A bad revision, {names['bad']}, fails {ERROR_RATE:.0%} of its requests: it must be rolled back.",
            revision=names["bad"],
            wanted_phase="rolled_back",
        ),
    )


ORDINARY = Programme(longest=timedelta(minutes=4), usual_rate=0.0, bad_rate=ERROR_RATE, acts=_acts)
EVIDENCE = Programme(
    longest=timedelta(minutes=8),
    usual_rate=USUAL_RATE,
    bad_rate=SUBTLE_RATE,
    acts=evidence_acts,
    alarmed=True,
)


@contextmanager
def _store(folder: Path) -> Iterator[None]:
    """A store of the demo's own, and no server."""
    ours = {"TEAL_STORE": str(folder / "teal.db"), "TEAL_PROFILE": "store"}
    before = {name: os.environ.pop(name, None) for name in (*ours, "TEAL_SERVER")}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name in ours:
            os.environ.pop(name)
        os.environ.update({name: value for name, value in before.items() if value is not None})
