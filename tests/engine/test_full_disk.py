"""The store's disk is full: rollouts are judged as before, a bad green is taken back, and nothing else is done."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.errors import Unwritable
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.phases import Phase
from sandbox.world.kernel.faults import Fault
from tests.support.full_disk import FullDiskStage
from tests.support.rehearsal import OPERATOR, quick_plan

FAILING = {"TEAL_DEMO_ERROR_RATE": "0.5"}


@pytest.fixture
def stage() -> Iterator[FullDiskStage]:
    with FullDiskStage() as stage:
        yield stage


def test_a_bad_green_is_taken_back_while_nothing_can_be_kept_and_the_log_says_so_first_afterwards(
    stage: FullDiskStage,
) -> None:
    rollout = stage.at_first_weight(FAILING)
    stage.store.is_full = True
    told = len(stage.events(rollout))
    stage.let_run(timedelta(minutes=3))
    assert stage.share() == 0
    assert stage.row(rollout).phase is Phase.SHIFTING, "nothing could be kept"
    assert len(stage.events(rollout)) == told
    stage.store.is_full = False
    assert stage.until(rollout).phase is Phase.ROLLED_BACK, stage.story(rollout)
    first = stage.events(rollout)[told].event
    assert first.kind is EventKind.ACTED_UNRECORDED, stage.story(rollout)
    assert "the store could not be written, and Teal gave blue all traffic without it" in first.message
    assert len(stage.events(rollout, EventKind.ACTED_UNRECORDED)) == 1, "it is told once"
    assert not stage.events(rollout, EventKind.DRIFT_FOUND), stage.story(rollout)
    assert "somebody" not in stage.story(rollout)


def test_a_good_green_keeps_its_weight_and_goes_on_once_there_is_room(stage: FullDiskStage) -> None:
    rollout = stage.at_first_weight()
    stage.let_run(timedelta(seconds=5))
    before, calls = stage.share(), len(stage.world.log)
    assert before > 0
    stage.store.is_full = True
    stage.let_run(timedelta(minutes=10))
    assert stage.share() == before
    assert not stage.writes(calls)
    stage.store.is_full = False
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    assert not stage.events(rollout, EventKind.ACTED_UNRECORDED)


def test_a_rollback_is_done_when_it_is_ordered_and_its_person_is_named_afterwards(
    stage: FullDiskStage,
) -> None:
    rollout = stage.at_first_weight(plan=quick_plan(bake=3600))
    stage.let_run(timedelta(seconds=5))
    stage.store.is_full = True
    stage.let_run(timedelta(seconds=40))
    with pytest.raises(Unwritable):
        stage.command(rollout, CommandKind.ROLLBACK)
    done = stage.order(rollout)
    assert done is not None
    assert (done.by, done.reason) == (OPERATOR, "rollback by operator: looks odd")
    assert stage.share() == 0
    stage.store.is_full = False
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert row.end is not None
    assert row.end.by == OPERATOR


def test_an_order_that_could_not_be_done_in_time_is_the_store_s_once_it_takes_it(
    stage: FullDiskStage,
) -> None:
    rollout = stage.at_first_weight(plan=quick_plan(bake=3600))
    stage.let_run(timedelta(seconds=5))
    stage.store.is_full = True
    stage.world.faults.add(Fault(operation="ModifyRule", kind="throttle", times=1000))
    with pytest.raises(Unwritable, match="Teal goes on trying"):
        stage.order(rollout)
    assert stage.share() > 0
    stage.world.faults.clear()
    stage.store.is_full = False
    row = stage.until(rollout)
    assert (row.phase, row.end and row.end.by) == (Phase.ROLLED_BACK, OPERATOR), stage.story(rollout)


def test_a_rollback_that_was_accepted_before_the_disk_was_full_is_done(stage: FullDiskStage) -> None:
    rollout = stage.at_first_weight(plan=quick_plan(bake=3600))
    stage.let_run(timedelta(seconds=5))
    stage.command(rollout, CommandKind.ROLLBACK)
    stage.store.is_full = True
    stage.let_run(timedelta(seconds=40))
    assert stage.share() == 0
    stage.store.is_full = False
    assert stage.until(rollout).phase is Phase.ROLLED_BACK, stage.story(rollout)


def test_an_engine_that_dies_with_what_it_did_leaves_a_rollback_to_the_next(stage: FullDiskStage) -> None:
    rollout = stage.at_first_weight(FAILING)
    stage.store.is_full = True
    stage.let_run(timedelta(minutes=3))
    assert stage.share() == 0
    stage.worker = stage.new_engine("the next one")
    stage.store.is_full = False
    assert stage.until(rollout).phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert stage.share() == 0


def test_a_commit_whose_answer_was_lost_is_read_back_and_counts(stage: FullDiskStage) -> None:
    rollout = stage.at_first_weight()
    stage.store.loses_answers = True
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    assert not stage.events(rollout, EventKind.ACTED_UNRECORDED)


def test_nothing_is_written_without_the_store_where_another_engine_may_work_on_it(
    stage: FullDiskStage,
) -> None:
    rollout = stage.at_first_weight(FAILING, plan=quick_plan(bake=3600))
    stage.store.is_full = True
    stage.worker = stage.new_engine("another engine")
    calls = len(stage.world.log)
    stage.let_run(timedelta(minutes=3))
    assert not stage.writes(calls)
    with pytest.raises(Unwritable, match="does not act without its store"):
        stage.order(rollout)


def test_settling_waits_for_the_store(stage: FullDiskStage) -> None:
    rollout = stage.at_first_weight()
    stage.until(rollout, Phase.SETTLING)
    stage.let_run(timedelta(seconds=3))
    stage.store.is_full = True
    stage.let_run(timedelta(seconds=15))  # what was asked for before has landed
    calls = len(stage.world.log)
    stage.let_run(timedelta(minutes=5))
    assert not stage.writes(calls)
    stage.store.is_full = False
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)


def test_a_full_disk_delays_a_bad_green_s_way_back_by_less_than_half() -> None:
    def seconds(*, is_full: bool) -> float:
        with FullDiskStage(seed=4) as stage:
            stage.at_first_weight(FAILING)
            began = stage.clock.now()
            stage.store.is_full = is_full
            while stage.share() > 0:
                assert stage.clock.now() - began < timedelta(minutes=5)
                stage.let_run(timedelta(seconds=1))
            return (stage.clock.now() - began).total_seconds()

    assert seconds(is_full=True) <= 1.5 * seconds(is_full=False)
