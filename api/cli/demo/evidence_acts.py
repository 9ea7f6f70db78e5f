"""The acts of `demo --evidence`: `compare` finds what an alarm misses, and blames green for no outage of both."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from api.cli.demo.acts import Act, Witnessed
from api.cli.following.follow import LOOK_SECONDS, Look
from orchestrator.core.domain.events import EventKind
from orchestrator.core.gates import alarms, compare
from orchestrator.engine.views.rollout_values import RolloutView
from sandbox.plane.clients.load import Load
from sandbox.plane.clients.tally import LoadSeen
from sandbox.plane.tasks.control import FaultRequest
from sandbox.sandbox import Sandbox
from sandbox.scenarios.demo import MINUTE
from sandbox.scenarios.demo_evidence import (
    ALARM,
    ALARM_PERCENT,
    SUBTLE_RATE,
    USUAL_RATE,
    Outage,
    alarm_fired,
    outage_file,
    subtle_file,
)
from sandbox.world.kernel.errors import AwsRefusal
from sandbox.world.world import World

LINGERS = 5 * MINUTE  # an outage's last period is read so long after it
BLAMELESS = ("blue itself fails", "both colours fail")  # how the engine says that it blames nobody
THROTTLED = ("Throttling", "ThrottlingException")


def evidence_acts(sandbox: Sandbox, load: Load) -> tuple[Act, ...]:
    """Both acts, to be played in this order: blue's last hour is to hold no outage when the first begins."""
    names = {kind: arn.rpartition("/")[2] for kind, arn in sandbox.revisions.items()}
    assert sandbox.scenery is not None
    service = f"{sandbox.scenery.cluster}/{sandbox.scenery.service}"
    outage = Outage()
    subtle = (
        f"A revision, {names['bad']}, that fails {SUBTLE_RATE:.0%} of its requests where blue fails {USUAL_RATE:.0%}: "
        f"too few for the alarm at {ALARM_PERCENT} %, and still it must be rolled back."
    )
    held = (
        f"A good revision, {names['good']}; half way, what both colours depend on fails {outage.share:.0%} of all "
        f"requests for {outage.seconds:g} s: it must hold, and go on."
    )
    return (
        Act(
            name="subtle",
            about=subtle,
            revision=names["bad"],
            wanted_phase="rolled_back",
            wanted_reason=f"{compare.NAME}: ",
            text=subtle_file(about=subtle, service=service, revision=names["bad"]),
            witness=AlarmWitness(sandbox.world),
        ),
        Act(
            name="outage",
            about=held,
            revision=names["good"],
            wanted_phase="succeeded",
            text=outage_file(about=held, service=service, revision=names["good"]),
            witness=OutageWitness(outage, grant=sandbox.control.grant, met=load.seen),
        ),
    )


class AlarmWitness:
    """Sees to it that the alarm stayed OK, for CloudWatch and with green's names."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._of_green = ""

    def look(self, look: Look) -> None:
        """As Witness."""
        answer = next((gate for gate in look.view.gates if gate.gate == alarms.NAME), None)
        if answer is not None and answer.verdict == "pass":
            self._of_green = answer.reason

    async def tell(self, view: RolloutView) -> Witnessed:
        """As Witness."""
        fired = await self._fired(view.created_at)
        if fired:
            return Witnessed(faults=(f"the alarm was not to fire: {fired}",))
        green = f"; {self._of_green}" if self._of_green else ""
        return Witnessed(notes=(f"the alarm saw nothing: {ALARM} was OK all along{green}",))

    async def _fired(self, since: datetime) -> str:
        while True:
            try:
                return alarm_fired(self._world, since)
            except AwsRefusal as refusal:
                if refusal.code not in THROTTLED:
                    raise
                await asyncio.sleep(LOOK_SECONDS)  # the demo's own limit ends this


class OutageWitness:
    """Brings an outage of both colours about, and sees to it that the rollout holds without blaming green."""

    def __init__(
        self,
        outage: Outage,
        *,
        grant: Callable[[FaultRequest], None],
        met: Callable[[], LoadSeen],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`grant` puts a fault in force, `met` is what users have met so far."""
        self._outage, self._grant, self._met, self._now = outage, grant, met, now
        self._due: datetime | None = None
        self._began: datetime | None = None
        self._before, self._during = LoadSeen(), LoadSeen()
        self._weight = self._least = 0.0
        self._held = ""

    def look(self, look: Look) -> None:
        """As Witness."""
        now = self._now()
        if self._due is None:
            started = [seen.event.at for seen in look.events if seen.event.kind is EventKind.STEP_STARTED]
            self._due = started[0] + timedelta(seconds=self._outage.after) if started else None
        elif self._began is None and now >= self._due and look.view.is_active:
            self._begin(now, look.view)
        elif self._began is not None and now <= self._end(self._began) + LINGERS:
            self._watch(now, self._began, look.view)

    def _begin(self, now: datetime, view: RolloutView) -> None:
        self._grant(FaultRequest.of(json.dumps(self._outage.fault).encode()))
        self._began, self._before = now, self._met()
        self._weight = self._least = view.green_percent

    def _watch(self, now: datetime, began: datetime, view: RolloutView) -> None:
        if now <= self._end(began):
            self._during = self._met()
        self._least = min(self._least, view.green_percent)
        blameless = (hold.reason for hold in view.holds if any(words in hold.reason for words in BLAMELESS))
        self._held = self._held or next(blameless, "")

    def _end(self, began: datetime) -> datetime:
        return began + timedelta(seconds=self._outage.seconds)

    async def tell(self, view: RolloutView) -> Witnessed:
        """As Witness."""
        if self._began is None:
            return Witnessed(faults=(f"{view.id} ended before the outage could begin",))
        faults = []
        if not self._held:
            faults.append(f"{view.id} did not say during the outage that both colours fail")
        if self._least < self._weight:
            faults.append(f"the outage took green from {self._weight:g} % to {self._least:g} %")
        if faults:
            return Witnessed(faults=tuple(faults))
        return Witnessed(notes=(f"the outage failed {self._hit()}", f"it held: {self._held}"))

    def _hit(self) -> str:
        """How many requests the outage failed of each revision; those are its own answers, and no regression."""
        met = self._during.since(self._before).revisions
        return ", ".join(
            f"{one.failed} of {one.requests} on {name}" for name, one in met.items() if one.requests
        )
