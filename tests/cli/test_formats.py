"""`--output`: one value as JSON or YAML, and more columns for people."""

import json
from io import StringIO

import pytest
from ruamel.yaml import YAML

from tests.cli.terminal import Terminal


def read(text: str) -> object:
    return YAML(typ="safe", pure=True).load(StringIO(text))


@pytest.mark.parametrize(
    "words",
    [
        ("get", "checkout"),
        ("list",),
        ("services",),
        ("services", "checkout"),
        ("report", "checkout"),
        ("tokens", "list"),
    ],
)
def test_yaml_and_json_say_the_same(words: tuple[str, ...], terminal: Terminal, shifting: str) -> None:
    told = json.loads(terminal.teal(*words, "--json").stdout)
    assert json.loads(terminal.teal(*words, "--output", "json").stdout) == told
    shown = terminal.teal(*words, "-o", "yaml")
    assert shown.exit_code == 0
    assert read(shown.stdout) == told


def test_log_as_yaml_is_a_document_an_event(terminal: Terminal, rolled_back: str) -> None:
    lines = terminal.teal("events", rolled_back, "--json").stdout.splitlines()
    documents = list(
        YAML(typ="safe", pure=True).load_all(terminal.teal("events", rolled_back, "-o", "yaml").stdout)
    )
    assert documents == [json.loads(line) for line in lines]


def test_error_is_yaml_too_where_that_was_asked_for(terminal: Terminal) -> None:
    result = terminal.teal("get", "nobody\u202e", "--output", "yaml")
    told = read(result.stdout)
    assert isinstance(told, dict)
    assert told["error"]["code"] == "not-found"
    assert "\u202e" not in result.output
    assert "\u202e" in told["error"]["what"]


def test_wide_adds_who_started_it_whole_ids_and_rules(terminal: Terminal, shifting: str) -> None:
    view = terminal.json("get", shifting)
    whole = {view["author"], view["former"], view["revision"], view["green"], view["rules"][0]["arn"]}
    for words in (("list",), ("get", shifting)):
        shown = terminal.teal(*words, "--output", "wide").stdout
        assert [one for one in whole if one not in shown] == []
        assert view["rules"][0]["arn"] not in terminal.teal(*words).stdout
    services = terminal.teal("services", "-o", "wide").stdout
    assert "SERVICE OF RECORD" in services
    assert view["author"] in services
    terminal.teal("tokens", "create", "--name", "ci", "--role", "viewer", "--group", "release")
    assert "release" in terminal.teal("tokens", "list", "-o", "wide").stdout


def test_json_beside_another_format_is_a_usage_error(terminal: Terminal) -> None:
    for words in (("--json", "-o", "yaml"), ("-o", "wide", "--json")):
        result = terminal.teal("list", *words)
        assert (result.exit_code, "leave out one of them" in result.stderr) == (2, True)
