from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.doors.house import House, rehearsed
from tests.support.rehearsal import Rehearsal


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with Rehearsal(requests_per_second=2) as played:
        states = rehearsed(played)
    folder = tmp_path_factory.mktemp("house")
    now = datetime.now(UTC)  # the doors go by this machine's clock, and AWS's must not be far from it
    with (
        Rehearsal(requests_per_second=2, start=now) as stage,
        House(folder, stage, states).served() as served,
    ):
        yield served
