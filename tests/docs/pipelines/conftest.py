"""One plant for each file of tests."""

from collections.abc import Iterator

import pytest

from tests.docs.pipelines.plant import Plant, a_plant


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    with a_plant(tmp_path_factory.mktemp("plant")) as made:
        yield made
