"""`diff` and the short form of it, as people read them."""

import json
from typing import Any

import pytest

from api.cli.following.event_lines import line_of
from api.cli.output.differences import whole
from orchestrator.core.cloud.definition_differences import Difference
from orchestrator.core.domain.events import Event, EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.ports.rollouts import EventSeen
from tests.builders import NOON
from tests.cli.schemas import hold_to_schema
from tests.cli.terminal import Terminal
from tests.client.scripted import Line, scripted

ASKED = ("--service", "prod/checkout", "--task-definition", "checkout:43")
FOUND = [
    {"container": "app", "field": "image", "name": "", "before": "a:1", "after": "a:2"},
    {"container": "app", "field": "environment", "name": "LEVEL", "before": None, "after": "debug"},
    {"container": "app", "field": "environment", "name": "TOKEN", "before": "(hidden)", "after": "(hidden)"},
    {"container": "", "field": "memory", "name": "", "before": "512", "after": None},
]


def page(differences: Any, *findings: dict[str, Any]) -> Line:  # noqa: ANN401 - JSON
    """A server's answer to a preflight."""
    return Line(
        body={
            "service": "prod/checkout",
            "task_definition": "checkout:43",
            "account": "111122223333",
            "region": "eu-west-1",
            "is_fit": not findings,
            "findings": list(findings),
            "plan": [],
            "rules": [],
            "target_groups": [],
            "former": "arn:aws:ecs:eu-west-1:111122223333:task-definition/checkout:42",
            **({"differences": differences} if differences != "older" else {}),
        }
    )


@pytest.mark.machine
def test_diff_shows_each_container_with_what_was_and_will_be(terminal: Terminal) -> None:
    with scripted(page(FOUND)) as server:
        result = terminal.teal("diff", *ASKED, TEAL_SERVER=server.url)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "prod/checkout  checkout:42 → checkout:43",
        "task",
        "  - memory             512",
        "app",
        "  ~ image              a:1 → a:2",
        "  + environment LEVEL  debug",
        "  ~ environment TOKEN  (hidden) changes",
    ]


@pytest.mark.machine
def test_diff_as_json_is_as_documented(terminal: Terminal) -> None:
    with scripted(page(FOUND)) as server:
        told = json.loads(terminal.teal("diff", *ASKED, "--json", TEAL_SERVER=server.url).stdout)
    hold_to_schema("diff", told)
    assert told["differences"] == FOUND


@pytest.mark.machine
def test_preflight_has_the_difference_in_one_line(terminal: Terminal) -> None:
    with scripted(page(FOUND)) as server:
        shown = terminal.teal("preflight", *ASKED, TEAL_SERVER=server.url).stdout
    assert (
        "differs from what blue runs: app: image, environment LEVEL, environment TOKEN; task: memory" in shown
    )


@pytest.mark.machine
def test_definitions_that_do_the_same_are_said_to(terminal: Terminal) -> None:
    with scripted(page([])) as server:
        result = terminal.teal("diff", *ASKED, TEAL_SERVER=server.url)
    assert (result.exit_code, "run the same" in result.stdout) == (0, True)


@pytest.mark.machine
@pytest.mark.parametrize("differences", [None, "older"])
def test_what_is_not_known_is_said_and_is_no_equality(terminal: Terminal, differences: object) -> None:
    error = {"severity": "error", "code": "x", "what": "no such revision", "why": "", "next_step": "name one"}
    with scripted(page(differences, {**error, "passes": False})) as server:
        result = terminal.teal("diff", *ASKED, TEAL_SERVER=server.url)
    assert result.exit_code == 2
    assert "is not known" in result.stdout
    assert "no such revision" in result.stdout


def test_first_line_of_a_rollout_says_what_it_changes() -> None:
    event = Event(
        kind=EventKind.STARTED,
        at=NOON,
        message="me starts prod/checkout",
        facts=(("differences", "app: image"),),
    )
    seen = EventSeen(rollout=RolloutId("checkout-1"), number=1, event=event, chain="")
    assert line_of(seen).endswith("me starts prod/checkout; it changes app: image")


def test_value_of_several_lines_stays_on_one_and_moves_no_cursor() -> None:
    one = Difference(container="app", field="environment", name="X", after="a\n\x1b[2J")
    assert list(whole([one])) == ["app", r"  + environment X  a\n\x1b[2J"]
