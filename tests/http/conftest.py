from collections.abc import Iterator

import pytest

from tests.http.desk import Desk
from tests.support.rehearsal import Rehearsal


@pytest.fixture
def desk() -> Iterator[Desk]:
    with Rehearsal(requests_per_second=2) as stage:
        yield Desk(stage)
