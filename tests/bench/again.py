"""The same service rolled out a hundred times: whether a rollout takes more the more there were before it."""

import time
from collections.abc import Iterator
from statistics import fmean

from tests.bench.lines import line, ratio
from tests.support.again import Deployed, Way, deploy_again_and_again
from tests.support.everything import (
    OF_A_NEW_REVISION,
    OF_RELEASES,
    OF_TIME,
    Answers,
    difference,
    everything,
    sorted_out,
)
from tests.support.rehearsal import Rehearsal

TIMES = 104  # a hundred, and every way as often


def measure() -> Iterator[str]:
    """Calls, bytes and events of the last rollouts beside the first, and what a hundred leave."""
    began = time.process_time()
    with Rehearsal() as stage:
        stage.let_run(60 * stage.world.minute)  # a row keeps blue's last hour: all rows have a whole one
        before = _look(stage)
        deployed = deploy_again_and_again(stage, TIMES)
        others = sorted_out(difference(before, _look(stage)), OF_A_NEW_REVISION | OF_RELEASES | OF_TIME)[1]
    yield line("again_rollouts", TIMES, digits=0)
    yield line("again_rollouts_that_ended_wrong", sum(not one.is_right for one in deployed), digits=0)
    yield line("again_values_left_over", len(others), digits=0)
    yield line("again_seconds_per_rollout", (time.process_time() - began) / TIMES, digits=2)
    rounds = len(Way)
    first, last = deployed[: 2 * rounds], deployed[-2 * rounds :]
    for name in ("calls", "row_bytes", "events"):
        yield line(f"again_{name}_of_the_last", _mean(last, name), digits=0)
        yield ratio(f"again_{name}_of_the_last", _mean(last, name), _mean(first, name), to="the_first")


def _mean(deployed: tuple[Deployed, ...], name: str) -> float:
    return fmean(getattr(one, name) for one in deployed)


def _look(stage: Rehearsal) -> Answers:
    return everything(lambda service, operation, params: stage.world.call(service, operation, params))
