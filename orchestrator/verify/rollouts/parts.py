"""Which rollouts are played, under which names: `--only NAME` limits a run to some of them."""

from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.core.domain.errors import Outside
from orchestrator.core.domain.phases import Phase
from orchestrator.engine import commands
from orchestrator.verify.means import Refusal
from orchestrator.verify.rollouts.play import ORDER, Script, spec_of
from orchestrator.verify.scene import Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One rollout. `minutes`: about how long it takes; `group`: the name of all of its kind."""

    name: str
    group: str
    says: str
    minutes: float
    script: Callable[[Scene], Script]


def _good(scene: Scene) -> Script:
    return Script(
        name="good",
        revision=scene.place.good,
        wanted=Phase.SUCCEEDED,
        is_forced=not scene.wanted.is_throw_away,
    )


def _bad(scene: Scene) -> Script:
    return Script(name="bad", revision=scene.place.bad, wanted=Phase.ROLLED_BACK)


def _taken_back(phase: Phase, *, is_direct: bool = False) -> Callable[[Scene], Script]:
    name = "direct" if is_direct else f"rollback-{phase.value}"

    def script(scene: Scene) -> Script:
        good = _other(scene)
        return Script(
            name=name,
            revision=good,
            wanted=Phase.ROLLED_BACK,
            after=phase,
            is_direct=is_direct,
            is_forced=not scene.wanted.is_throw_away,
        )

    return script


def _other(scene: Scene) -> str:
    """A sound revision that the service does not run now, where there is one."""
    place = scene.place
    if not scene.wanted.is_throw_away:
        return place.good
    return place.good if place.revisions.get("running") != place.good else place.blue


_MINUTES = {
    Phase.PENDING: 0.5,
    Phase.PREPARING: 1.5,
    Phase.PROVISIONING: 3,
    Phase.SHIFTING: 6,
    Phase.WATCHING: 9,
    Phase.SETTLING: 18,
}
PARTS: tuple[Part, ...] = (
    Part(
        name="good",
        group="good",
        says="a good revision, to its end",
        minutes=20,
        script=_good,
    ),
    Part(name="bad", group="bad", says="a bad revision, which is to be taken back", minutes=9, script=_bad),
    *(
        Part(
            name=f"rollback-{phase.value}",
            group="rollback",
            says=f"a good revision, taken back by a person while it is {phase.value}",
            minutes=_MINUTES[phase],
            script=_taken_back(phase),
        )
        for phase in ORDER
    ),
    Part(
        name="direct",
        group="direct",
        says="a good revision, taken back with AWS alone (`rollback --direct`) while no engine runs",
        minutes=9,
        script=_taken_back(Phase.SHIFTING, is_direct=True),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One finding of preflight."""

    severity: str
    code: str
    what: str
    why: str


async def preflight(scene: Scene) -> tuple[Found, ...]:
    """What preflight finds about a rollout of the good revision. Raises Refusal where AWS could not be read."""
    engine = scene.means.engine
    try:
        found = await commands.look_before(
            spec_of(scene, _good(scene)), cloud=engine.cloud, clock=engine.clock
        )
    except Outside as error:
        raise Refusal("preflight", "look", error.code, str(error)) from error
    return tuple(
        Found(severity=one.severity.value, code=one.code, what=one.what, why=one.why)
        for one in found.findings
    )
