"""Letting a golden row go on in a World like the one it was written in."""

from collections.abc import Iterator
from contextlib import contextmanager

from orchestrator.core.domain.ids import RolloutId
from tests.store.rows.golden import Golden
from tests.store.rows.scenarios import SCENARIOS
from tests.store.rows.stage import Recorded
from tests.support.everything import Answers, everything


@contextmanager
def started_as(golden: Golden) -> Iterator[tuple[Recorded, Golden]]:
    """A stage at the moment of a golden row, which is in its store; and the row with the ids of that stage's World."""
    with SCENARIOS[golden.scenario].build().begun() as stage:
        stage.before = look(stage)
        yield stage, stage.bring_to(golden)


def gone_on(stage: Recorded, golden: Golden) -> tuple[list[str], str]:
    """Let it go on to the end; returns its way, and the phase in which it ended."""
    scenario, rollout = SCENARIOS[golden.scenario], RolloutId(golden.rollout)
    scenario.go_on(stage, rollout)
    stage.until_over(rollout, scenario.within)
    return stage.told(rollout, after=golden.row["event_count"]), str(stage.shown(rollout)["phase"])


def look(stage: Recorded) -> Answers:
    """Everything that can be described in the World."""
    return everything(lambda service, operation, params: stage.world.call(service, operation, params))
