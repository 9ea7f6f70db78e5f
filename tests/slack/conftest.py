from collections.abc import Iterator

import pytest

from tests.slack.fake import FakeSlack
from tests.slack.room import Room
from tests.support.rehearsal import Rehearsal


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal(requests_per_second=2) as rehearsal:
        yield rehearsal


@pytest.fixture
def slack(stage: Rehearsal) -> Iterator[FakeSlack]:
    fake = FakeSlack(stage.clock.now)
    fake.open()
    yield fake
    fake.close()


@pytest.fixture
def room(stage: Rehearsal, slack: FakeSlack) -> Room:
    return Room(stage, slack)
