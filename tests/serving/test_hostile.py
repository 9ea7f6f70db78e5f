"""A rollback while everybody else means no good: a small part of ``python -m tests.bench hostile``.

`make night` has it.
"""

from pathlib import Path
from statistics import median

import pytest

from tests.bench.hostile.cells import attacked
from tests.bench.hostile.clients import EVERYTHING, KINDS

ROLLBACKS = 3
DESCRIPTORS = 256
NOISE_SECONDS = 0.5  # of a machine that is busy with other tests
LOG_LINES_MAX = 1000


@pytest.mark.night  # it is timed, and `make test` runs beside others
def test_traffic_is_on_blue_as_soon_under_attack_as_on_a_quiet_day(tmp_path: Path) -> None:
    quiet, found = attacked(tmp_path, [EVERYTHING], len(KINDS), descriptors=DESCRIPTORS, rollbacks=ROLLBACKS)
    assert median(found.on_blue) <= 1.5 * median(quiet.on_blue) + NOISE_SECONDS
    assert found.aws_errors == 0
    assert found.log_lines < LOG_LINES_MAX
