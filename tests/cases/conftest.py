"""Every case is played under the printed policies: what Teal calls in it, they allow."""

from collections.abc import Iterator

import pytest

from tests.support.permitted import permitted


@pytest.fixture(autouse=True)
def calls_are_permitted() -> Iterator[None]:
    """Fails a case in which Teal makes a call that the printed policies do not allow."""
    with permitted() as watch:
        yield
    assert watch.denied == {}
