from collections.abc import Iterator

import pytest

from sandbox.world.kernel.settings import WorldSettings
from tests.direct.glass import Glass


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """What botocore signs with."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def glass() -> Iterator[Glass]:
    """A service in a World without surprises."""
    with Glass() as made:
        yield made


@pytest.fixture
def tricky() -> Iterator[Glass]:
    """A service in a World with all of AWS's traps."""
    with Glass(settings=WorldSettings()) as made:
        yield made
