"""`list`, `get` and `events` on a store."""

import json
from datetime import datetime

import pytest

from tests.cli.terminal import Terminal


def test_empty_store_says_how_to_begin(terminal: Terminal) -> None:
    result = terminal.teal("list")
    assert (result.exit_code, result.stdout) == (0, "no rollouts yet: `teal deploy` starts one\n")
    assert terminal.json("list") == {"rollouts": []}


def test_list_shows_one_aligned_line_a_rollout(terminal: Terminal, shifting: str) -> None:
    head, row = terminal.teal("list").stdout.splitlines()
    assert row.startswith(f"{shifting}  prod/checkout  shifting")
    assert head.index("PHASE") == row.index("shifting")


def test_list_filters_by_phase_and_activity(terminal: Terminal, rolled_back: str) -> None:
    assert [view["id"] for view in terminal.json("list")["rollouts"]] == [rolled_back]
    assert terminal.json("list", "--active")["rollouts"] == []
    assert terminal.json("list", "--phase", "succeeded")["rollouts"] == []
    assert len(terminal.json("list", "--phase", "rolled_back")["rollouts"]) == 1


@pytest.mark.parametrize("name", ["checkout", "prod/checkout"])
def test_services_name_stands_for_its_active_rollout(terminal: Terminal, shifting: str, name: str) -> None:
    assert terminal.json("get", name)["id"] == shifting


def test_get_shows_revisions_weights_plan_and_what_it_accepts(terminal: Terminal, shifting: str) -> None:
    lines = terminal.teal("get", shifting).stdout.splitlines()
    assert lines[0] == f"prod/checkout  checkout:1 → checkout:2  {shifting}"
    assert lines[1].startswith("shifting · step 1 of 2")
    assert any(line.startswith("traffic  ████") for line in lines)
    assert any(line.startswith("plan     ") and "100 %" in line for line in lines)
    assert lines[-1] == "accepts  reject, pause, promote, rollback, abandon", "nothing else is wanted now"


def test_get_says_why_a_rollout_was_taken_back(terminal: Terminal, rolled_back: str) -> None:
    shown = terminal.teal("get", rolled_back).stdout
    assert "because  rollback by operator: looks odd\n" in shown
    assert "all traffic on blue since " in shown


def test_get_as_json_is_the_view_with_times_of_rfc_3339(terminal: Terminal, shifting: str) -> None:
    view = terminal.json("get", shifting)
    assert (view["phase"], view["plan"], view["is_active"]) == ("shifting", "canary", True)
    assert view["created_at"].endswith("Z")
    assert datetime.fromisoformat(view["created_at"]).tzinfo is not None


def test_unknown_rollout_is_an_error_that_says_where_to_look(terminal: Terminal) -> None:
    result = terminal.teal("get", "nobody")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "no rollout `nobody`" in result.stderr
    assert "teal list" in result.stderr


def test_error_is_one_line_of_json_too_where_json_was_asked_for(terminal: Terminal) -> None:
    told = terminal.json("get", "nobody")
    assert (told["exit_code"], told["error"]["code"]) == (1, "not-found")


def test_events_are_the_whole_log_in_order(terminal: Terminal, rolled_back: str) -> None:
    result = terminal.teal("events", rolled_back, "--json")
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert [event["number"] for event in events] == list(range(1, len(events) + 1))
    assert (events[0]["kind"], events[-1]["kind"]) == ("started", "ended")
    plain = terminal.teal("events", rolled_back).stdout.splitlines()
    assert len(plain) == len(events)
    assert "command_applied" in "\n".join(plain)


def test_events_after_a_number_are_the_rest(terminal: Terminal, rolled_back: str) -> None:
    every = terminal.teal("events", rolled_back).stdout.splitlines()
    assert terminal.teal("events", rolled_back, "--after", "3").stdout.splitlines() == every[3:]


def test_following_the_log_of_an_ended_rollout_ends(terminal: Terminal, rolled_back: str) -> None:
    assert terminal.teal("events", rolled_back, "-f").stdout == terminal.teal("events", rolled_back).stdout


def test_store_that_cannot_be_opened_is_one_sentence(terminal: Terminal) -> None:
    result = terminal.teal("list", TEAL_STORE="postgresql://user:secret@db/teal")
    assert result.exit_code == 2
    assert "SQLite" in result.stderr
    assert "secret" not in result.stderr
