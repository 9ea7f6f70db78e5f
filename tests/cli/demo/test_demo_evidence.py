"""`demo --evidence`: its scenes played in virtual time, and what it counts as gone wrong."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from api.cli.demo.acts import Act, Result, Witness, Witnessed
from api.cli.demo.evidence_acts import AlarmWitness, OutageWitness
from api.cli.demo.show import summary
from api.cli.following.follow import Look
from api.cli.output.rollout_sheet import plain
from orchestrator import config
from orchestrator.core.domain.events import Event, EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.gates.compare import Inconclusive
from orchestrator.core.gates.gathered import StreamName
from orchestrator.core.rollout.rollout import HoldKind
from orchestrator.engine.views.rollout import HoldView, RolloutView, view
from orchestrator.ports.rollouts import EventSeen, Stored
from sandbox.plane.clients.tally import LoadSeen, RevisionSeen
from sandbox.plane.tasks.control import FaultRequest
from sandbox.scenarios.demo import MINUTE, RATE
from sandbox.scenarios.demo_evidence import (
    ALARM,
    HISTORY_MINUTES,
    SUBTLE_RATE,
    USUAL_RATE,
    Outage,
    alarm_fired,
    outage_file,
    put_alarm,
    subtle_file,
)
from tests.cli.schemas import hold_to_schema
from tests.support.rehearsal import Rehearsal

SERVICE = "prod/checkout"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
OUTAGE = Outage()
SEEN_AFTER = 4  # seconds from the begin of an outage until the engine has read a whole period of it


def fails(rate: float) -> dict[str, str]:
    return {"TEAL_DEMO_ERROR_RATE": f"{rate:g}"}


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    """The demo's service, blue measured and the alarm put, as the demo does it."""
    with Rehearsal(minute=MINUTE, requests_per_second=RATE, environment=fails(USUAL_RATE)) as stage:
        put_alarm(stage.world, stage.scenery)
        stage.let_run(HISTORY_MINUTES * MINUTE)
        yield stage


def shown(stage: Rehearsal, rollout: RolloutId) -> RolloutView:
    return view(Stored(rollout=stage.row(rollout), version=1, wake_at=None))


def test_green_that_fails_three_times_as_often_is_taken_back_by_compare_and_no_alarm(
    stage: Rehearsal,
) -> None:
    revision = stage.revision(fails(SUBTLE_RATE)).rpartition("/")[2]
    text = subtle_file(about="subtle", service=SERVICE, revision=revision)
    rollout = stage.start(config.load_text(text))
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert row.end is not None
    assert row.end.reason.startswith("compare: green is worse than blue in errors"), stage.story(rollout)
    assert alarm_fired(stage.world, row.created_at) == ""
    witness = AlarmWitness(stage.world)
    seen = shown(stage, rollout)
    witness.look(Look(view=seen, events=()))
    told = stage.run(witness.tell(seen))
    assert told.faults == ()
    assert f"{ALARM} was OK all along" in told.notes[0]
    assert max(step.weight for step in row.plan.steps[: row.progress.step + 1]) == 200


@pytest.mark.long
def test_outage_of_both_holds_a_good_green_and_blames_nobody(stage: Rehearsal) -> None:
    revision = stage.revision(fails(USUAL_RATE)).rpartition("/")[2]
    rollout = stage.start(config.load_text(outage_file(about="out", service=SERVICE, revision=revision)))
    while not stage.events(rollout, EventKind.STEP_STARTED):
        stage.let_run(timedelta(seconds=1))
    stage.let_run(timedelta(seconds=OUTAGE.after))
    ends = stage.world.now + timedelta(seconds=OUTAGE.seconds)
    stage.world.virtual_tasks.fail_all(OUTAGE.share, until=ends)
    row = stage.until(rollout)
    assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
    held = [seen.event.message for seen in stage.events(rollout, EventKind.HELD)]
    assert any("blue itself fails" in words for words in held), stage.story(rollout)
    assert stage.events(rollout, EventKind.INTERVENTION_BEGUN) == ()
    (passed, *_) = stage.events(rollout, EventKind.STEP_PASSED)
    assert passed.event.at > ends


def test_alarm_that_fired_is_told(stage: Rehearsal) -> None:
    began = stage.world.now
    stage.world.virtual_tasks.fail_all(0.4)
    stage.world.advance(30 * MINUTE)
    assert alarm_fired(stage.world, began).startswith(f"{ALARM} is ALARM")
    stage.world.virtual_tasks.fail_all(0)
    stage.world.advance(30 * MINUTE)
    assert alarm_fired(stage.world, began).endswith("and is OK again")
    assert alarm_fired(stage.world, stage.world.now) == ""


def test_files_compare_errors_alone_and_soon() -> None:
    subtle = config.load_text(subtle_file(about="a", service=SERVICE, revision="checkout:3"))
    outage = config.load_text(outage_file(about="a", service=SERVICE, revision="checkout:2"))
    for spec in (subtle, outage):
        assert [stream.name for stream in spec.gates.compare.streams] == [StreamName.ERRORS]
        assert (spec.gates.compare.warm_up, spec.metrics.period) == (1, MINUTE)
        assert [alarm.name for alarm in spec.gates.alarms.alarms] == [ALARM]
    assert subtle.gates.compare.inconclusive is Inconclusive.HOLD
    bake = outage.plan.steps[0].bake.total_seconds()
    assert OUTAGE.after + SEEN_AFTER <= bake <= OUTAGE.after + OUTAGE.seconds


# what the witness of the outage sees ---------------------------------------------------------------------------------


class Played:
    """An outage witnessed second by second: looks are made, and what it asks of the sandbox is kept."""

    def __init__(self, view: RolloutView) -> None:
        self.view = replace(view, green_percent=50.0, holds=(), is_active=True)
        self.now, self.requests, self.seconds = NOON, list[FaultRequest](), 0
        self.witness = OutageWitness(OUTAGE, grant=self.requests.append, met=self._met, now=lambda: self.now)
        self.events: tuple[EventSeen, ...] = (_step_started(NOON),)

    def _met(self) -> LoadSeen:
        ok, failed = 120 * self.seconds, 80 * self.seconds
        return LoadSeen(revisions={"checkout:2": RevisionSeen(ok=ok, failed=failed)})

    def look(self, seconds: float, *, green: float = 50.0, hold: str = "") -> None:
        while self.now < NOON + timedelta(seconds=seconds):
            self.now, self.seconds = self.now + timedelta(seconds=1), self.seconds + 1
            holds = (_hold(hold),) if hold else ()
            self.witness.look(
                Look(view=replace(self.view, green_percent=green, holds=holds), events=self.events)
            )
            self.events = ()

    def witnessed(self) -> Witnessed:
        return asyncio.run(self.witness.tell(self.view))


def _step_started(at: datetime) -> EventSeen:
    event = Event(kind=EventKind.STEP_STARTED, at=at, message="step 1 of 2")
    return EventSeen(rollout=RolloutId("checkout-1"), number=1, event=event)


def _hold(reason: str) -> HoldView:
    return HoldView(kind=HoldKind.GATE.value, reason=reason, clears_when="it is over", since=NOON)


@pytest.fixture
def playing(some_view: RolloutView) -> Played:
    return Played(some_view)


@pytest.fixture(scope="module")
def some_view() -> RolloutView:
    with Rehearsal() as stage:
        rollout = stage.start(stage.spec(stage.revision()))
        return shown(stage, rollout)


BAD_BLUE = "blue itself fails: 80 of 200 requests failed, far more than in its last hour"


def test_outage_comes_once_some_time_after_green_grew_and_is_told_with_what_it_hit(playing: Played) -> None:
    playing.look(OUTAGE.after - 1)
    assert playing.requests == []
    playing.look(OUTAGE.after + 1)
    playing.look(OUTAGE.after + OUTAGE.seconds + 4, hold=BAD_BLUE)
    playing.look(60)
    (request,) = playing.requests
    assert (request.fault, request.value, request.seconds) == ("dependency", OUTAGE.share, OUTAGE.seconds)
    told = playing.witnessed()
    assert told.faults == ()
    assert told.notes == ("the outage failed 480 of 1200 on checkout:2", f"it held: {BAD_BLUE}")


@pytest.mark.parametrize(
    ("green", "hold", "fault"),
    [
        (50.0, "", "did not say during the outage that both colours fail"),
        (
            50.0,
            "guard: waits for CloudWatch's first whole period at this weight",
            "did not say during the outage",
        ),
        (0.0, BAD_BLUE, "the outage took green from 50 % to 0 %"),
    ],
)
def test_outage_that_is_not_held_or_costs_green_weight_is_a_fault(
    playing: Played, green: float, hold: str, fault: str
) -> None:
    playing.look(OUTAGE.after + 1)
    playing.look(OUTAGE.after + OUTAGE.seconds, green=green, hold=hold)
    assert any(fault in words for words in playing.witnessed().faults)


def test_rollout_that_ends_before_the_outage_is_a_fault(playing: Played) -> None:
    playing.look(3)
    (fault,) = playing.witnessed().faults
    assert fault.endswith("ended before the outage could begin")


# what counts as gone wrong, and how it is told -----------------------------------------------------------------------


def _act(witness: Witness | None = None) -> Act:
    return Act(
        name="subtle",
        about="a subtle one",
        revision="checkout:2",
        wanted_phase="rolled_back",
        wanted_reason="compare: ",
        witness=witness,
    )


@pytest.fixture
def subtle(some_view: RolloutView) -> Result:
    back = NOON + timedelta(seconds=20)
    ended = replace(
        some_view,
        former="checkout:1",
        revision="checkout:2",
        phase="rolled_back",
        is_active=False,
        reason="compare: green is worse than blue in errors",
        traffic_on_blue_at=back,
        ended_at=back,
    )
    felt = LoadSeen(
        revisions={
            "checkout:1": RevisionSeen(ok=9900, failed=100, first_failure=NOON.timestamp() - 100),
            "checkout:2": RevisionSeen(ok=970, failed=30, first_failure=NOON.timestamp()),
        }
    )
    after = LoadSeen(revisions={"checkout:1": RevisionSeen(ok=396, failed=4)})
    return Result(act=_act(), view=ended, felt=felt, after=after, green_weight_max=20.0)


def test_time_on_a_bad_green_counts_from_its_own_first_error(subtle: Result) -> None:
    assert subtle.faults == ()
    shape = subtle.shape()
    hold_to_schema("demo", {"ok": True, "rollouts": [shape]})
    assert (shape["failed"], shape["bad_to_blue_seconds"]) == ({"revision": 130, "shift": 0}, 20.0)


def test_rollback_for_another_reason_is_a_fault(subtle: Result) -> None:
    by_guard = replace(subtle, view=replace(subtle.view, reason="guard: 9 of 44 requests failed"))
    assert by_guard.faults == ("compare was to take it back, and not this: guard: 9 of 44 requests failed",)


def test_what_a_witness_saw_is_told_and_its_faults_count(subtle: Result) -> None:
    seen = replace(subtle, witnessed=Witnessed(notes=("the alarm saw nothing",), faults=("it fired",)))
    assert seen.faults == ("it fired",)
    text = "\n".join(plain(line) for line in summary([seen]))
    assert "by checkout:1 itself 100 of 10000 (1.0%), by checkout:2 itself 30 of 1000 (3.0%)" in text
    assert "all traffic on blue 20.0 s after checkout:2's first error that a user met" in text
    assert "the alarm saw nothing" in text
    assert "it fired" in text
