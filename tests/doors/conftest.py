from collections.abc import Iterator

import pytest

from tests.doors.house import House, rehearsed
from tests.support.rehearsal import Rehearsal


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with Rehearsal(requests_per_second=2) as played:
        states = rehearsed(played)
    folder = tmp_path_factory.mktemp("house")
    with Rehearsal(requests_per_second=2) as stage, House(folder, stage, states).served() as served:
        yield served
