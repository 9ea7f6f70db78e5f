"""The pages that lead through the code name what is there, and draw the layers that are enforced."""

import pytest

from docs.pages import architecture
from tests.docs.names import ROOT, defined_in, named_in, unknown_in

PAGES = ("docs/architecture.md", "docs/glossary.md", "CONTRIBUTING.md", "SECURITY.md")


@pytest.mark.parametrize("page", PAGES)
def test_everything_that_a_page_names_exists(page: str) -> None:
    assert unknown_in(page) == []


def test_a_name_that_is_not_there_would_be_found() -> None:
    assert {"decide", "conclude"} <= defined_in("orchestrator/core/decide.py")
    assert "Draft.turn_back" in defined_in("orchestrator/core/tick/draft.py")
    assert "recalling" not in defined_in("orchestrator/core/decide.py")


def test_most_of_the_rooms_are_named_by_the_table() -> None:
    files = {path for path, _ in named_in("docs/architecture.md")}
    for layer in architecture.of_container("orchestrator.core").layers:
        for room in layer:
            place = architecture.place(f"orchestrator.core.{room}")
            assert any(file.startswith(place) for file in files), place


def test_every_contract_of_layers_is_drawn() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    for contract in architecture.contracts():
        for layer in contract.layers:
            for room in layer:
                assert room in text, (contract.name, room)
