"""Case 80: the pipeline in which `deploy` runs is cancelled, in the middle of a rollout."""

from collections.abc import Iterator

import pytest

from api.cli.following.follow import Look
from api.cli.process.foreground_engine import Foreground
from api.cli.process.signals import OnInterrupt, Signals
from orchestrator.bootstrap import engine_of
from orchestrator.core.domain.errors import Unfit
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.spec import Spec
from orchestrator.store.memory.store import MemoryStore
from tests.cases.rule_stage import rule_of
from tests.support.rehearsal import Rehearsal


class Cancelled:
    """The page of a job that gets SIGTERM once green takes traffic."""

    def __init__(self, signals: Signals) -> None:
        self._signals, self._is_done = signals, False

    def show(self, look: Look) -> None:
        if look.view.green_percent > 0 and not self._is_done:
            self._is_done = True
            self._signals.terminate()

    def say(self, text: str) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal() as rehearsal:
        yield rehearsal


def cancelled(stage: Rehearsal, spec: Spec, on_interrupt: OnInterrupt) -> tuple[RolloutId, int]:
    """A `deploy` without a terminal whose job is cancelled, and its exit code."""
    signals = Signals(on_interrupt=on_interrupt, has_terminal=False)
    foreground = Foreground(engine_of(stage.store, stage.cloud, stage.clock), signals, again="teal deploy")
    rollout, _ = stage.run(foreground.take_up(spec))
    return RolloutId(rollout), stage.run(foreground.stay(rollout, Cancelled(signals), timeout=None))


def test_case_80_a_cancelled_job_takes_its_rollout_back_before_it_ends(stage: Rehearsal) -> None:
    before = rule_of(stage)
    rollout, code = cancelled(stage, stage.spec(stage.revision()), OnInterrupt.ROLLBACK)
    assert (stage.row(rollout).phase, code) == (Phase.ROLLED_BACK, 3), stage.story(rollout)
    assert rule_of(stage) == before


def test_case_80_told_to_leave_it_a_cancelled_job_leaves_the_weights_and_the_next_one_goes_on(
    stage: Rehearsal,
) -> None:
    rollout, code = cancelled(stage, stage.spec(stage.revision()), OnInterrupt.LEAVE)
    row = stage.row(rollout)
    assert (row.phase, row.green_weight, code) == (Phase.SHIFTING, 100, 130), stage.story(rollout)
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)


def test_case_80_another_store_refuses_to_take_the_rollout_over(stage: Rehearsal) -> None:
    """The next job runs on another machine: green's group on the rule says that somebody is at work there."""
    spec = stage.spec(stage.revision())
    cancelled(stage, spec, OnInterrupt.LEAVE)
    stage.store = MemoryStore()
    calls = len(stage.world.log)
    with pytest.raises(Unfit, match="which another rollout made"):
        stage.start(spec, key="another")
    asked = [record.operation for record in stage.world.log[calls:]]
    assert not [name for name in asked if not name.startswith(("Describe", "List", "Get", "Simulate"))]
