"""What --json prints is what docs/cli-json.md says."""

import json
from pathlib import Path

import jsonschema_rs
import pytest

from api.cli.json_types import OUTPUTS, WITHOUT
from api.cli.main import COMMANDS
from tests.cli.commands.test_evidence import SERIES
from tests.cli.schemas import hold_to_schema
from tests.cli.terminal import Terminal


def test_every_command_is_in_the_table_or_prints_no_value() -> None:
    assert {name.partition(" ")[0] for name in OUTPUTS} | WITHOUT == set(COMMANDS)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("get", ("get", "checkout")),
        ("list", ("list",)),
        ("services", ("services",)),
        ("services NAME", ("services", "checkout")),
        ("report", ("report", "checkout")),
        ("pause", ("pause", "checkout")),
        ("reject", ("reject", "checkout")),
        ("promote", ("promote", "checkout")),
        ("rollback", ("rollback", "checkout")),
        ("abandon", ("abandon", "checkout", "--yes")),
        ("wait", ("wait", "checkout", "--until", "step:1")),
        ("migrate", ("migrate",)),
        ("check-store", ("check-store",)),
        ("tokens list", ("tokens", "list")),
        ("tokens create", ("tokens", "create", "--name", "ci", "--role", "viewer")),
    ],
)
def test_line_is_as_documented(name: str, words: tuple[str, ...], terminal: Terminal, shifting: str) -> None:
    hold_to_schema(name, terminal.json(*words))


def test_lines_of_the_log_are_as_documented(terminal: Terminal, rolled_back: str) -> None:
    lines = terminal.teal("events", rolled_back, "--json").stdout.splitlines()
    assert len(lines) > 5
    for line in lines:
        hold_to_schema("events", json.loads(line))


def test_ended_rollout_is_as_documented_too(terminal: Terminal, rolled_back: str) -> None:
    hold_to_schema("get", terminal.json("get", rolled_back))
    hold_to_schema("watch", json.loads(terminal.teal("watch", rolled_back, "--json").stdout))
    hold_to_schema("report", terminal.json("report", rolled_back))


def test_revoked_token_is_as_documented(terminal: Terminal) -> None:
    made = terminal.json("tokens", "create", "--name", "ci", "--role", "viewer", "--expires", "30d")
    hold_to_schema("tokens create", made)
    hold_to_schema("tokens revoke", terminal.json("tokens", "revoke", made["token"]["id"]))


@pytest.mark.parametrize("words", [("get", "nobody"), ("approve", "checkout")])
def test_error_is_as_documented(words: tuple[str, ...], terminal: Terminal, shifting: str) -> None:
    hold_to_schema("error", terminal.json(*words))


def test_evidence_is_as_documented(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "events.json"
    file.write_text(json.dumps(SERIES))
    hold_to_schema("evidence", json.loads(terminal.teal("evidence", str(file), "--json").stdout))


def test_member_that_is_not_documented_is_found() -> None:
    with pytest.raises(jsonschema_rs.ValidationError):
        hold_to_schema("migrate", {"store": "x", "more": 1})


def test_mistakes_of_a_file_are_a_list_with_file_line_and_pointer(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "rollout.yaml"
    file.write_text(
        "service: prod/checkout\nrevision: {task_definition: 'checkout:2'}\nplan:\n  - wait: 5\nforce: 7\n"
    )
    told = terminal.json("start", "-f", str(file))
    hold_to_schema("error", told)
    mistakes = told["error"]["mistakes"]
    assert {(one["source"], one["line"], one["pointer"]) for one in mistakes} >= {
        (str(file), 4, "/plan/0/wait"),
        (str(file), 5, "/force"),
    }
    assert told["error"]["what"] == f"{len(mistakes)} mistakes in {file}"
    assert all(one["what"] and one["instead"] and "\n" not in one["what"] for one in mistakes)
