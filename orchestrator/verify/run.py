"""One run: makes the place, plays the rollouts, asks the beliefs, takes everything away, and says what was seen."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.core.domain.errors import TealError, first_of
from orchestrator.verify.beliefs.belief import Belief, Need, Seen, Verdict, not_asked, refused
from orchestrator.verify.beliefs.registry import BELIEFS
from orchestrator.verify.cleaning import here, tidy
from orchestrator.verify.journal import Journal
from orchestrator.verify.means import Means, Refusal, Tally
from orchestrator.verify.place.making import Maker, Tell, make_place
from orchestrator.verify.place.removing import Left, still_left
from orchestrator.verify.rollouts.named_service import take_service
from orchestrator.verify.rollouts.parts import PARTS, Found, Part, preflight
from orchestrator.verify.rollouts.play import Played, play
from orchestrator.verify.rollouts.watching import watch_datapoints
from orchestrator.verify.scene import UNREACHED, Scene
from orchestrator.verify.wanted import Wanted

PREFLIGHT, BELIEF = "preflight", "beliefs"
RATE = 10.0  # requests a second of this machine, while rollouts are played
RATE_MOST = 150.0  # where minutes are short
REACH_TRIES = 10


def part_names() -> tuple[str, ...]:
    """Everything that `--only` takes."""
    groups = dict.fromkeys(part.group for part in PARTS)
    names = (PREFLIGHT, *groups, *(part.name for part in PARTS), BELIEF, *(one.name for one in BELIEFS))
    return tuple(dict.fromkeys(names))


@dataclass(slots=True, kw_only=True)
class Outcome:
    """Everything that was seen."""

    wanted: Wanted
    began: datetime
    ended: datetime
    findings: tuple[Found, ...] = ()
    rollouts: list[Played] = field(default_factory=list)
    beliefs: dict[str, Seen] = field(default_factory=dict)
    reached: bool | None = None  # whether this machine's requests reach the service; None: it was not tried
    stopped: str = ""  # why the run ended before its end; empty: it did not
    is_interrupted: bool = False
    left: tuple[Left, ...] = ()

    @property
    def is_whole(self) -> bool:
        """True if all of it ran, every rollout ended as it was to end, no belief is wrong, and nothing is left."""
        return (
            not self.stopped
            and not self.is_interrupted
            and not self.left
            and all(played.is_as_wanted for played in self.rollouts)
            and not any(seen.verdict is Verdict.WRONG for seen in self.beliefs.values())
        )


async def verify(
    wanted: Wanted, means: Means, journal: Journal, tell: Tell, *, with_command: bool = True
) -> Outcome:
    """Run it, and clean up whatever ended it. Never raises: what came of it is what it is to find out.

    Cancelled once, it cleans up first; cancelled again, it leaves what is there and says so. `with_command` False: the
    tasks run the sandbox's own application.
    """
    _learn(wanted, means)
    began = means.engine.clock.now()
    outcome = Outcome(wanted=wanted, began=began, ended=began)
    try:
        await _run(outcome, means, journal, tell, with_command=with_command)
    except BaseException as error:  # the run's edge: nothing keeps what was made from being removed
        _stop(outcome, error)
    if outcome.stopped:
        tell(f"stopped: {outcome.stopped}")
    try:
        outcome.left = await tidy(wanted, means, journal, tell)
    except BaseException as error:  # as above
        _stop(outcome, error)
        outcome.left = still_left(journal, {}, otherwise=f"not removed: {outcome.stopped}")
    outcome.ended = means.engine.clock.now()
    return outcome


def _stop(outcome: Outcome, error: BaseException) -> None:
    """Note what ended the run; the first that did is what is said."""
    if isinstance(error, GeneratorExit):
        raise error  # nothing can be awaited any more
    first = first_of(error)
    if isinstance(first, asyncio.CancelledError | KeyboardInterrupt | SystemExit):
        outcome.is_interrupted, said = True, "interrupted"
    elif isinstance(first, TealError | Refusal):
        said = str(first)
    else:
        said = f"{type(first).__name__}: {first}"
    outcome.stopped = outcome.stopped or said


def _learn(wanted: Wanted, means: Means) -> None:
    for kind, value in (
        ("cluster", wanted.service.partition("/")[0]),
        ("service", wanted.service.partition("/")[2]),
        ("run", wanted.name),
        ("run id", wanted.id),
        ("listener", wanted.listener),
        ("role", wanted.role),
        ("url", wanted.url),
        ("namespace", wanted.namespace),
        ("certificate", wanted.certificate),
        ("security group", wanted.security_group),
        *(("subnet", subnet) for subnet in wanted.subnets),
    ):
        means.names.learn(kind, value)


async def _run(outcome: Outcome, means: Means, journal: Journal, tell: Tell, *, with_command: bool) -> None:
    wanted = outcome.wanted
    where = await here(means)
    means.names.learn("account", where.account)
    journal.stands_in(where)
    maker = Maker(means.calls, journal, wanted, tell)
    place = (
        await make_place(maker, with_command=with_command)
        if wanted.is_throw_away
        else await take_service(maker)
    )
    means.names.learn("host", place.host)
    scene = Scene(wanted=wanted, means=means, journal=journal, place=place, tell=tell)
    async with AsyncExitStack() as stack:
        if wanted.is_throw_away:
            await _reach(outcome, scene, stack)
        await _play(outcome, scene)
        await _ask(outcome, scene)


async def _reach(outcome: Outcome, scene: Scene, stack: AsyncExitStack) -> None:
    """See whether requests of this machine reach the service: a new load balancer's name takes a while to be known."""
    url = scene.wanted.url or scene.place.url
    users = await stack.enter_async_context(scene.means.open_users(url, scene.wanted.id))
    outcome.reached = False
    for _ in range(REACH_TRIES):
        if (await users.send()).status == 200:
            outcome.reached, scene.users = True, users
            return
        await scene.wait(1 / 3)
    scene.tell(f"{UNREACHED} ({url}): what needs requests is not asked")


async def _play(outcome: Outcome, scene: Scene) -> None:
    wanted = scene.wanted
    if wanted.wants(PREFLIGHT):
        scene.tell("preflight")
        outcome.findings = await preflight(scene)
    chosen = [part for part in PARTS if wanted.wants(part.name, part.group)]
    if not chosen and not any(wanted.wants(one.name, BELIEF) for one in BELIEFS if not one.minutes):
        return
    async with _traffic(scene) as tally:
        for part in chosen:
            if part.name == "bad" and scene.users is None and wanted.is_throw_away:
                scene.tell(f"{part.name}: left out, for {UNREACHED}")
                continue
            outcome.rollouts.append(await _one(part, scene, tally))
        if not chosen:
            await scene.wait(5)  # for the datapoints alone


async def _one(part: Part, scene: Scene, tally: Tally | None) -> Played:
    script = part.script(scene)
    scene.tell(f"{part.name}: {part.says}")
    try:
        played = await play(scene, script, tally)
    except TealError as error:
        played = Played(
            name=part.name, wanted=script.wanted.value, phase="", seconds=0, why=f"not started: {error}"
        )
    if played.phase == "succeeded":
        scene.place.revisions["running"] = script.revision
    end = played.phase or "no end"
    failed = "" if played.failed is None else f", {played.failed} of {played.answered} requests failed"
    scene.tell(f"{part.name}: {end} after {played.seconds:.0f} s{failed}")
    return played


@asynccontextmanager
async def _traffic(scene: Scene) -> AsyncIterator[Tally | None]:
    """Steady requests, and somebody who reads the metrics all along."""
    watching = asyncio.create_task(watch_datapoints(scene), name="datapoints")
    try:
        if scene.users is None:
            yield None
            return
        async with scene.users.steadily(min(RATE * 60 / scene.minute, RATE_MOST)) as tally:
            await scene.wait(3)  # a control group needs a past
            yield tally
            await scene.wait(2)  # the last minutes become readable
    finally:
        watching.cancel()
        await asyncio.wait({watching})


async def _ask(outcome: Outcome, scene: Scene) -> None:
    for belief in BELIEFS:
        if not scene.wanted.wants(belief.name, BELIEF):
            continue
        why = _lacking(belief, scene)
        if why:
            outcome.beliefs[belief.name] = not_asked(why)
            continue
        scene.tell(f"belief {belief.name}: {belief.asked_by}")
        try:
            seen = await belief.ask(scene)
        except Refusal as refusal:
            seen = refused(refusal)
        outcome.beliefs[belief.name] = seen
        scene.tell(f"belief {belief.name}: {seen.verdict}: {seen.whole}")


def _lacking(belief: Belief, scene: Scene) -> str:
    """Why it cannot be asked here; empty: it can."""
    if Need.THROW_AWAY in belief.needs and not scene.wanted.is_throw_away:
        return "it changes the service, and this one is yours: run it with a throw-away service"
    if Need.USERS in belief.needs and scene.users is None:
        return UNREACHED
    if Need.BALANCER in belief.needs and not (scene.place.load_balancer and scene.place.group):
        return "the service has no load balancer"
    return ""
