"""Windows and freezes over whole rollouts, by the real engine on the World. It is a Monday, nine in the morning."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from orchestrator.core.domain.calendar import AtClose, Freeze, Opening, WindowSpec
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.errors import Unfit
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.phases import Phase
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.gates.window import NAME
from orchestrator.core.rollout.spec import Spec
from orchestrator.engine import commands
from sandbox.world.kernel.settings import WorldSettings
from tests.support.rehearsal import Rehearsal

MINUTES = timedelta(minutes=1)
MIDNIGHT = timedelta(hours=24)


@pytest.fixture(params=["kind", "tricky"])
def stage(request: pytest.FixtureRequest) -> Iterator[Rehearsal]:
    settings = WorldSettings.kind() if request.param == "kind" else WorldSettings()
    with Rehearsal(settings=settings) as rehearsal:
        yield rehearsal


def window(stage: Rehearsal, opens: timedelta, closes: timedelta, at_close: AtClose) -> WindowSpec:
    """Open every day, from so long after this minute until so long after it."""
    now = stage.clock.now()
    minute = timedelta(hours=now.hour, minutes=now.minute)
    opening = Opening(
        days=tuple(range(7)), begins=(minute + opens) % MIDNIGHT, ends=(minute + closes) % MIDNIGHT
    )
    return WindowSpec(allow=(opening,), at_close=at_close)


def spec(stage: Rehearsal, opens: int, closes: int, at_close: AtClose = AtClose.HOLD) -> Spec:
    made = stage.spec(stage.revision())
    hours = window(stage, opens * MINUTES, closes * MINUTES, at_close)
    return replace(made, gates=replace(made.gates, window=hours))


def verdicts(stage: Rehearsal, rollout: str) -> list[str]:
    told = stage.events(rollout, EventKind.GATE_ANSWERED)  # type: ignore[arg-type] # an id is a text
    facts = [dict(seen.event.facts) for seen in told]
    return [str(one["verdict"]) for one in facts if one["gate"] == NAME]


def first(stage: Rehearsal, rollout: str, found: Callable[[str], bool]) -> datetime:
    """When the audit log first says something of the kind."""
    return next(seen.event.at for seen in stage.events(rollout) if found(seen.event.message))  # type: ignore[arg-type]


def test_a_rollout_waits_for_its_window_touches_nothing_and_then_succeeds(stage: Rehearsal) -> None:
    rollout = stage.start(spec(stage, 6, 60))
    calls = len(stage.world.log)
    stage.let_run(4 * MINUTES)
    row = stage.row(rollout)
    assert row.phase is Phase.PENDING
    assert row.waiting.waiting_for.startswith("the window opens: Mon 2026-03-02 09:")
    assert len(stage.world.log) == calls, "nothing is asked of AWS while a rollout waits"
    row = stage.until(rollout, within=60 * MINUTES)
    assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
    assert "pass" in verdicts(stage, rollout)


@pytest.mark.long
def test_at_the_close_green_keeps_its_weight_until_the_window_opens_again(stage: Rehearsal) -> None:
    asked = spec(stage, 0, 5)
    again = window(stage, 9 * MINUTES, 60 * MINUTES, AtClose.HOLD).allow
    hours = replace(asked.gates.window, allow=(*asked.gates.window.allow, *again))
    rollout = stage.start(replace(asked, gates=replace(asked.gates, window=hours)))
    stage.until(rollout, Phase.SHIFTING)
    stage.command(rollout, CommandKind.PAUSE)  # it takes longer than it was expected to
    stage.let_run(6 * MINUTES)
    stage.command(rollout, CommandKind.RESUME)
    stage.let_run(2 * MINUTES)
    row = stage.row(rollout)
    assert (row.phase, row.green_weight) == (Phase.SHIFTING, 100), stage.story(rollout)
    assert "hold" in verdicts(stage, rollout)
    row = stage.until(rollout, within=60 * MINUTES)
    assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
    assert stage.traffic.totals.errors.total() == 0


def test_case_79_a_rollout_that_would_end_outside_its_window_is_refused_at_the_start(
    stage: Rehearsal,
) -> None:
    asked = spec(stage, 0, 1)  # its plan takes longer than a minute
    with pytest.raises(Unfit, match=r"after its window closes at Mon 2026-03-02 09:\d\d UTC"):
        stage.start(asked)
    with pytest.raises(Unfit, match="after its window closes"):
        stage.start(spec(stage, 30, 31))


def test_case_79_a_rollout_that_does_not_end_in_its_window_is_taken_back_where_the_file_says_so(
    stage: Rehearsal,
) -> None:
    rollout = stage.start(spec(stage, 0, 5, AtClose.ROLLBACK))
    stage.until(rollout, Phase.SHIFTING)
    stage.command(rollout, CommandKind.PAUSE)
    row = stage.until(rollout, within=60 * MINUTES)
    assert row.phase is Phase.ROLLED_BACK
    assert row.end is not None
    assert row.end.reason.startswith("window: the window has closed")
    assert verdicts(stage, rollout)[-1] == "fail"


def a_freeze(stage: Rehearsal, begins: timedelta, lasts: timedelta, *services: str) -> Freeze:
    now = stage.clock.now()
    return Freeze(begins=now + begins, ends=now + begins + lasts, reason="year's end", services=services)


def keep(stage: Rehearsal, *freezes: Freeze) -> None:
    stage.run(stage.store.keep_freezes(freezes))


def test_a_freeze_in_the_stores_calendar_holds_every_rollout_of_the_store(stage: Rehearsal) -> None:
    keep(stage, a_freeze(stage, -1 * MINUTES, 5 * MINUTES))
    rollout = stage.start(stage.spec(stage.revision()))
    stage.let_run(2 * MINUTES)
    row = stage.row(rollout)
    assert row.phase is Phase.PENDING
    assert row.waiting.holds[0].reason.endswith("year's end")
    assert stage.until(rollout, within=60 * MINUTES).phase is Phase.SUCCEEDED, stage.story(rollout)


def test_a_freeze_of_other_services_holds_nobody_else(stage: Rehearsal) -> None:
    keep(stage, a_freeze(stage, -1 * MINUTES, 20 * MINUTES, "other/*"))
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.PROVISIONING)
    assert stage.clock.now() - stage.row(rollout).created_at < MINUTES


def test_a_freeze_that_is_lifted_lets_go_of_what_waits_within_seconds(stage: Rehearsal) -> None:
    keep(stage, a_freeze(stage, -1 * MINUTES, timedelta(days=30)))
    rollout = stage.start(stage.spec(stage.revision()))
    stage.let_run(5 * MINUTES)
    keep(stage)
    lifted = stage.clock.now()
    stage.until(rollout, Phase.PROVISIONING)
    assert stage.clock.now() - lifted < timedelta(seconds=30)


@pytest.mark.long
def test_a_freeze_that_is_made_meanwhile_keeps_green_where_it_is(stage: Rehearsal) -> None:
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.SHIFTING)
    keep(stage, a_freeze(stage, timedelta(0), 5 * MINUTES))
    stage.let_run(4 * MINUTES)
    row = stage.row(rollout)
    assert (row.phase, row.green_weight) == (Phase.SHIFTING, 100), stage.story(rollout)
    assert stage.until(rollout, within=60 * MINUTES).phase is Phase.SUCCEEDED


def test_a_bad_revision_is_taken_back_also_in_a_freeze(stage: Rehearsal) -> None:
    rollout = stage.start(stage.spec(stage.revision({"TEAL_DEMO_ERROR_RATE": "0.4"})))
    stage.until(rollout, Phase.SHIFTING)
    keep(stage, a_freeze(stage, timedelta(0), timedelta(days=1)))
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK
    assert row.end is not None
    assert not row.end.reason.startswith("window")


def test_an_override_goes_through_a_freeze_and_says_who_and_why_for_ever(stage: Rehearsal) -> None:
    keep(stage, a_freeze(stage, -1 * MINUTES, timedelta(days=1)))
    rollout = stage.start(replace(stage.spec(stage.revision()), override="payments fail"))
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    (told,) = stage.events(rollout, EventKind.WINDOW_OVERRIDDEN)
    assert dict(told.event.facts) == {"by": "author", "source": "cli", "reason": "payments fail"}
    assert set(verdicts(stage, rollout)) == {"pass"} | {"not_applicable"} & set(verdicts(stage, rollout))


def test_preflight_says_when_it_would_start_and_what_an_override_goes_beyond(stage: Rehearsal) -> None:
    freezes = (a_freeze(stage, -1 * MINUTES, 3 * 60 * MINUTES),)

    def found(asked: Spec) -> dict[str, str]:
        looked = stage.run(commands.look_before(asked, cloud=stage.cloud, clock=stage.clock, freezes=freezes))
        return {one.code: f"{one.severity}: {one.what}: {one.why}" for one in looked.findings}

    asked = stage.spec(stage.revision())
    assert found(asked)["window"].startswith("note: it waits until Mon 2026-03-02 1")
    told = found(replace(asked, override="payments fail"))["override"]
    assert told.startswith("warning: hours are overridden: payments fail: without it the rollout would wait")


@pytest.mark.long
def test_without_window_and_freeze_the_gate_is_never_asked(stage: Rehearsal) -> None:
    asked = stage.spec(stage.revision())
    assert asked.gates.window == GatesSpec().window
    rollout = stage.start(asked)
    stage.until(rollout, Phase.WATCHING)
    assert verdicts(stage, rollout) == []
