"""Every case is played under the printed policies: what Teal calls in it, they allow."""

from collections.abc import Iterator

import pytest

from tests.support.permitted import permitted

ELSEWHERE = {":service/prodd/": "a file that misspells its cluster: no policy names it"}
"""What a case asks about that is no thing of its World, and why."""


@pytest.fixture(autouse=True)
def calls_are_permitted() -> Iterator[None]:
    """Fails a case in which Teal makes a call that the printed policies do not allow."""
    with permitted() as watch:
        yield
    assert [one for one in watch.denied if not any(part in one for part in ELSEWHERE)] == []
