"""A server that is killed and started again on its host: from the exec of the next one to its first write to AWS."""

from collections.abc import Iterator
from statistics import median

from tests.bench.lines import line, ratio
from tests.endtoend.restarts import WITHIN_SECONDS, restarts

KILLS = 10  # `make night` does fifty


def measure() -> Iterator[str]:
    """Killed while a rollout shifts, and while one is rolled back."""
    found = [one.seconds for one in restarts(KILLS)]
    yield line("restart_kills", len(found), digits=0)
    yield line("restart_to_first_write_seconds_median", median(found), digits=2)
    yield line("restart_to_first_write_seconds_max", max(found), digits=2)
    yield ratio("restart_to_first_write_seconds_max", max(found), WITHIN_SECONDS, to="what_it_may_take")
