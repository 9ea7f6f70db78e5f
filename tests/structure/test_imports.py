from tests.structure.imports import circle, floors, graph, inside, tallest

FLOORS_OF_THE_CORE = 18


def test_no_modules_import_each_other_in_a_circle_not_even_lazily() -> None:
    assert circle(graph()) == []


def test_core_is_no_deeper_than_a_reader_can_follow() -> None:
    core = inside("orchestrator.core")
    assert max(floors(core).values()) <= FLOORS_OF_THE_CORE, list(tallest(core))
