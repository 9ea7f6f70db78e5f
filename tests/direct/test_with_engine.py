"""A direct rollback while the engine is dead; then the engine is started again on its store and cleans up."""

from collections.abc import Callable, Iterator

import pytest

from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.store.memory.store import MemoryStore
from sandbox.world.kernel.settings import WorldSettings
from tests.direct.glass import Glass

Moment = Callable[[Rollout], object]


def shifting(row: Rollout) -> bool:
    return row.phase is Phase.SHIFTING and row.green_weight == 100


def watching(row: Rollout) -> bool:
    return row.phase is Phase.WATCHING and row.green_weight == 1000


def tagged(row: Rollout) -> bool:
    """Settling has begun, and has tagged green or is about to."""
    return row.phase is Phase.SETTLING


def blue_asked(row: Rollout) -> bool:
    return row.phase is Phase.SETTLING and bool(row.handover.attempts)


def blue_rolling(row: Rollout) -> bool:
    return row.phase is Phase.SETTLING and bool(row.handover.attempts) and row.handover.attempts[-1].is_taken


def half_way(row: Rollout) -> bool:
    return row.handover.is_homeward and row.green_weight <= 500


def home(row: Rollout) -> bool:
    """All traffic is on blue, which runs the new revision; green is still there."""
    return row.handover.is_homeward and row.progress.bake.since is not None and row.green_weight == 0


def first_weight_on_its_way(row: Rollout) -> bool:
    return row.phase is Phase.SHIFTING and any(rule.wanted for rule in row.rules)


def provisioning(row: Rollout) -> bool:
    return row.phase is Phase.PROVISIONING and row.progress.ready_since is not None


MOMENTS = (
    provisioning,
    first_weight_on_its_way,
    shifting,
    watching,
    tagged,
    blue_asked,
    blue_rolling,
    half_way,
    home,
)


@pytest.fixture(params=["kind", "tricky"])
def stage(request: pytest.FixtureRequest) -> Iterator[Glass]:
    with Glass(settings=WorldSettings.kind() if request.param == "kind" else WorldSettings()) as made:
        yield made


def begun(stage: Glass, moment: Moment) -> RolloutId:
    """A rollout whose engine died at this moment."""
    rollout = stage.start(stage.spec(stage.revision()))
    stage.die_when(rollout, moment)
    return rollout


@pytest.mark.long
@pytest.mark.parametrize("moment", MOMENTS)
def test_direct_rollback_brings_traffic_home_and_the_engine_cleans_up(stage: Glass, moment: Moment) -> None:
    rollout = begun(stage, moment)
    stage.bring_home()
    assert stage.all_is_on_blue(), stage.told
    blue = stage.blue()
    assert (blue["taskDefinition"], len(blue["deployments"])) == (stage.scenery.task_definition, 1)
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert stage.letter == stage.before
    assert (stage.traffic.totals.rejected, stage.traffic.totals.unanswered.total()) == (0, 0)


@pytest.mark.parametrize("moment", [shifting, watching])
def test_case_80_the_tags_are_enough_to_take_back_what_a_job_left_whose_store_is_gone(
    glass: Glass, moment: Moment
) -> None:
    """Nothing but credentials and the service's name is left: no store, no file, no engine that cleans up."""
    begun(glass, moment)
    glass.store = MemoryStore()
    glass.bring_home()
    assert glass.all_is_on_blue(), glass.told
    assert "tagging green as rolled back" in glass.told


@pytest.mark.parametrize("moment", [shifting, blue_rolling])
def test_engine_says_who_rolled_back_and_why(glass: Glass, moment: Moment) -> None:
    rollout = begun(glass, moment)
    glass.bring_home()
    row = glass.until(rollout)
    assert row.end is not None
    assert row.end.reason == "rolled back with AWS alone by operator: the server is away"
    assert (row.end.by.name, row.end.by.source) == ("operator", "aws")


@pytest.mark.parametrize("moment", [shifting, blue_rolling, half_way])
def test_without_the_tag_the_weights_say_it(glass: Glass, moment: Moment) -> None:
    rollout = begun(glass, moment)
    refuse_tags(glass)
    ended = glass.bring_home()
    assert "AccessDenied" in ended.cannot_tag
    row = glass.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, glass.story(rollout)
    assert row.end is not None
    assert "somebody gave blue all traffic" in row.end.reason
    assert glass.letter == glass.before


def test_engine_that_lives_meanwhile_turns_back_as_well(glass: Glass) -> None:
    rollout = glass.start(glass.spec(glass.revision()))
    glass.until(rollout, Phase.SHIFTING)

    async def both() -> None:
        async with glass._worker():
            await glass._bringing().run(by="operator: now")

    glass.run(both())
    row = glass.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, glass.story(rollout)
    assert glass.letter == glass.before


def test_blue_that_is_steady_on_the_new_revision_is_home_when_somebody_raises_it_by_hand(
    glass: Glass,
) -> None:
    rollout = begun(glass, lambda row: row.handover.is_homeward and row.green_weight <= 900)
    take_back_by_hand(glass)
    row = glass.until(rollout)
    assert row.phase is Phase.SUCCEEDED, glass.story(rollout)


def test_blue_that_still_rolls_gets_its_former_revision_when_somebody_raises_it_by_hand(glass: Glass) -> None:
    rollout = begun(glass, blue_rolling)
    take_back_by_hand(glass)
    row = glass.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, glass.story(rollout)
    assert glass.letter == glass.before


def take_back_by_hand(glass: Glass) -> None:
    """What a person does in the console."""
    for rule in glass.rules():
        groups = [
            {"TargetGroupArn": arn, "Weight": int(arn == glass.scenery.target_group)}
            for arn in glass.weights()[0]
        ]
        actions = [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]
        glass.world.call("elbv2", "ModifyRule", {"RuleArn": rule["RuleArn"], "Actions": actions})


def refuse_tags(glass: Glass) -> None:
    """Whoever rolls back may not write tags."""
    from sandbox.world.kernel.faults import Fault

    for operation in ("TagResource", "AddTags"):
        glass.world.faults.add(Fault(operation=operation, kind="denied", times=1000))
