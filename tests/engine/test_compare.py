"""The comparison of the colours in whole rollouts: what it catches, and what its records are worth."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.config.evidence_file import weigh_text
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId, Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import Plan, Step
from orchestrator.core.gates.alarms import AlarmsSpec
from orchestrator.core.gates.compare import CompareSpec
from orchestrator.core.gates.guard import GuardSpec
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.engine.views.event_values import event_view
from sandbox.world.kernel.settings import WorldSettings
from tests.support.rehearsal import Rehearsal

LONG = Plan(
    name="custom",
    steps=(
        Step(weight=Tenths(200), bake=timedelta(seconds=200)),
        Step(weight=Tenths(1000), bake=timedelta(seconds=30)),
    ),
)
ALONE = GatesSpec(guard=GuardSpec(on=False), alarms=AlarmsSpec(), compare=CompareSpec(warm_up=0))


def rolled_out(
    stage: Rehearsal, revision: dict[str, str], *, gates: GatesSpec = ALONE
) -> tuple[RolloutId, Rollout]:
    rollout = stage.start(stage.spec(stage.revision(revision), plan=LONG, gates=gates))
    return rollout, stage.until(rollout)


def recorded(stage: Rehearsal, rollout: RolloutId) -> str:
    """The events as `teal events --json` prints them."""
    shown = (event_view(seen) for seen in stage.events(rollout))
    return "\n".join(
        json.dumps({"number": one.number, "kind": one.kind, "at": one.at.isoformat(), "facts": one.facts})
        for one in shown
    )


@pytest.fixture
def stage() -> "Rehearsal":
    return Rehearsal(requests_per_second=200)


def test_green_that_fails_a_tenth_of_its_requests_is_taken_back_by_evidence_alone(stage: Rehearsal) -> None:
    with stage:
        rollout, row = rolled_out(stage, {"TEAL_DEMO_ERROR_RATE": "0.1"})
        assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
        assert row.end is not None
        assert row.end.reason.startswith("compare: green is worse than blue in errors"), row.end.reason


def test_a_good_green_passes_and_its_evidence_can_be_recomputed_from_the_events(stage: Rehearsal) -> None:
    with stage:
        rollout, row = rolled_out(stage, {})
        assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
        found = weigh_text(recorded(stage, rollout), "events.json")
        assert [one.name for one in found] == ["errors", "unanswered", "client_errors"]
        assert all(one.agrees and one.recorded is not None for one in found), found


def test_the_evidence_of_a_failure_can_be_recomputed_and_a_changed_event_shows(stage: Rehearsal) -> None:
    with stage:
        rollout, _ = rolled_out(stage, {"TEAL_DEMO_ERROR_RATE": "0.1"})
        text = recorded(stage, rollout)
        errors = weigh_text(text, "events.json")[0]
        assert errors.agrees
        assert errors.log_e > CompareSpec().threshold
        lines = [json.loads(line) for line in text.splitlines()]
        used = next(line for line in lines if line["facts"].get("use") == "used")
        used["facts"]["green_errors"] = 0
        forged = weigh_text("\n".join(json.dumps(line) for line in lines), "events.json")[0]
        assert not forged.agrees


def test_what_is_judged_by_is_frozen_before_greens_first_traffic(stage: Rehearsal) -> None:
    with stage:
        rollout, _ = rolled_out(stage, {})
        kinds = [seen.event.kind for seen in stage.events(rollout)]
        assert kinds.index(EventKind.EVIDENCE_FROZEN) < kinds.index(EventKind.STEP_STARTED)
        assert kinds.count(EventKind.EVIDENCE_FROZEN) == len(CompareSpec().streams)


LASTING = timedelta(seconds=2)  # a fifth of the World's minute


@pytest.mark.long
@pytest.mark.parametrize("is_counted_when_routed", [True, False])
@pytest.mark.parametrize("seed", [1, 2])
def test_slow_answers_are_not_missing_ones_however_the_load_balancer_counts(
    seed: int, *, is_counted_when_routed: bool
) -> None:
    """A request that is counted when it is routed is answered, and counted as such, in a later period at times."""
    settings = replace(WorldSettings.kind(), requests_count_when_routed=is_counted_when_routed)
    steps = (
        Step(weight=Tenths(50), bake=timedelta(seconds=400)),
        Step(weight=Tenths(1000), bake=timedelta(seconds=30)),
    )
    with Rehearsal(seed=seed, settings=settings, requests_per_second=200) as stage:
        stage.world.behaviour.latency = LASTING
        stage.let_run(timedelta(minutes=11))  # blue's last hour
        plan = Plan(name="custom", steps=steps)
        rollout = stage.start(
            stage.spec(stage.revision({}), plan=plan, gates=replace(ALONE, compare=CompareSpec()))
        )
        assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
        assert all(one.agrees for one in weigh_text(recorded(stage, rollout), "events.json"))


def test_requests_that_green_leaves_unanswered_are_found_also_where_answers_are_slow() -> None:
    settings = replace(WorldSettings.kind(), requests_count_when_routed=True)
    with Rehearsal(settings=settings, requests_per_second=200) as stage:
        stage.world.behaviour.latency = LASTING
        stage.let_run(timedelta(minutes=11))
        rollout, row = rolled_out(stage, {"TEAL_DEMO_UNANSWERED": "0.1"})
        assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
        assert row.end is not None
        assert "green is worse than blue in unanswered" in row.end.reason
        assert all(one.agrees for one in weigh_text(recorded(stage, rollout), "events.json"))


def test_evidence_of_rollouts_that_recorded_no_remainders_verifies_by_what_they_counted() -> None:
    with Rehearsal(requests_per_second=200) as stage:
        rollout, _ = rolled_out(stage, {"TEAL_DEMO_UNANSWERED": "0.1"})
        events = [json.loads(line) for line in recorded(stage, rollout).splitlines()]
        for event in events:
            for name in ("green_remainder", "blue_remainder", "fall", "fall_requests"):
                event["facts"].pop(name, None)
    found = weigh_text(json.dumps(events), "events.json")
    unanswered = next(one for one in found if one.name == "unanswered")
    assert unanswered.log_e > 5
