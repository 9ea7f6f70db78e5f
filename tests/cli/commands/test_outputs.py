"""`teal outputs`: what serves, as infrastructure code reads it."""

import json
from collections.abc import Iterator

import pytest

from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.rollout.spec import Ending
from tests.cases.swap_stage import swapped
from tests.cli.terminal import Terminal
from tests.support.rehearsal import Rehearsal

ACCOUNT = "eu-west-1:123456789012"


@pytest.fixture(scope="module")
def stage() -> Iterator[Rehearsal]:
    with Rehearsal(scalable=False) as rehearsal:
        yield rehearsal


@pytest.fixture(scope="module")
def rollout(stage: Rehearsal) -> RolloutId:
    return swapped(stage, Ending.DELETE).id


def test_a_swap_gives_the_names_of_what_serves_in_texts_alone(
    terminal: Terminal, stage: Rehearsal, rollout: RolloutId
) -> None:
    terminal.keep(stage, rollout)
    row = stage.row(rollout)
    assert row.green is not None
    (group,) = [str(pair.green) for pair in row.pairs]
    found = terminal.json("outputs", "--service", "prod/checkout")
    assert found == {
        "service": "prod/checkout",
        "service_name": row.green.name,
        "service_arn": f"arn:aws:ecs:{ACCOUNT}:service/prod/{row.green.name}",
        "task_definition": row.green.task_definition,
        "target_group_arn": group,
        "target_group_arns": group,
        "former_service_name": "checkout",
        "former_service_kept": "false",
        "former_task_definition": stage.scenery.task_definition,
        "rollout": rollout,
    }
    lines = terminal.teal("outputs", "--service", "checkout").stdout.splitlines()
    assert f"service_name            {row.green.name}" in lines


def test_the_query_of_an_external_data_source_is_read_from_standard_input(
    terminal: Terminal, stage: Rehearsal, rollout: RolloutId
) -> None:
    terminal.keep(stage, rollout)
    result = terminal.teal("outputs", typed=json.dumps({"service": "prod/checkout"}))
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["service"] == "prod/checkout"
    given = terminal.teal(
        "outputs", "--service", "prod/checkout", "--json", typed='{"service": "prod/other"}'
    )
    assert json.loads(given.stdout)["service"] == "prod/checkout"


def test_after_settling_the_service_of_its_own_name_serves(terminal: Terminal, succeeded: str) -> None:
    found = terminal.json("outputs", "--service", "prod/checkout")
    assert (found["service_name"], found["former_service_name"]) == ("checkout", "")
    assert found["task_definition"].endswith("checkout:2")
    assert found["former_task_definition"].endswith("checkout:1")
    assert found["rollout"] == succeeded


@pytest.mark.parametrize(
    "query", ["[]", '{"service": 1}', "{", '"x"', '{"service": "prod/checkout"' + " " * 10_000 + "}"]
)
def test_a_query_that_is_none_is_refused_with_what_to_write(terminal: Terminal, query: str) -> None:
    result = terminal.teal("outputs", typed=query)
    assert result.exit_code == 2
    assert "no JSON object of texts" in result.stderr
    assert result.stdout == ""


def test_a_service_that_no_rollout_has_read_fails_unless_empty_values_are_wanted(terminal: Terminal) -> None:
    result = terminal.teal("outputs", "--service", "prod/search")
    assert result.exit_code == 1
    assert "it never had a rollout in this store" in result.stderr
    found = terminal.json("outputs", "--service", "prod/search", "--allow-unknown")
    assert set(found.values()) == {"prod/search", ""}
    query = json.dumps({"service": "prod/search", "allow_unknown": "true"})
    assert json.loads(terminal.teal("outputs", typed=query).stdout) == found


def test_without_any_name_it_is_said_how_to_give_one(terminal: Terminal) -> None:
    result = terminal.teal("outputs", typed="")
    assert result.exit_code == 2
    assert "--service cluster/service" in result.stderr
