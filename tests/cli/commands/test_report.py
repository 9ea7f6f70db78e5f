"""`report`, from the store and from a server."""

import json
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.cli.processes import environment, running
from tests.cli.schemas import hold_to_schema
from tests.cli.terminal import Terminal


def test_report_says_who_did_what_and_that_the_log_is_whole(terminal: Terminal, rolled_back: str) -> None:
    result = terminal.teal("report", rolled_back)
    shown = result.stdout
    assert result.exit_code == 0
    assert shown.startswith(f"prod/checkout  checkout:1 → checkout:2  {rolled_back}\n")
    assert "by author (cli)" in shown
    assert "rollback  operator (cli)" in shown
    assert "looks odd" in shown
    assert "turned back " in shown
    assert " events, whole\n" in shown
    last = terminal.json("report", rolled_back)["chain"]["last"]
    assert shown.rstrip().endswith(last)


@pytest.mark.machine
def test_report_as_json_is_the_same_from_the_store_and_from_a_server(
    terminal: Terminal, rolled_back: str, tmp_path: Path
) -> None:
    local = terminal.json("report", rolled_back)
    assert local["chain"]["is_whole"] is True
    assert local["turned_back"]["by"] == "operator"
    env = environment(tmp_path, AWS_REGION="eu-west-1")
    with running("serve", "--port", "0", env=env) as server:
        there = {"TEAL_SERVER": server.out.readline().strip()}
        assert json.loads(terminal.teal("report", rolled_back, "--json", **there).stdout) == local
        assert (
            terminal.teal("report", rolled_back, **there).stdout
            == terminal.teal("report", rolled_back).stdout
        )


def test_report_of_a_rollout_under_way_says_that_it_has_not_ended(terminal: Terminal, shifting: str) -> None:
    shown = terminal.teal("report", "prod/checkout").stdout
    assert shifting in shown
    assert "ended        not yet\n" in shown


def test_report_of_an_altered_log_names_the_event_and_exits_1(
    terminal: Terminal, rolled_back: str, tmp_path: Path
) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/teal.db")
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE events SET body = replace(body, 'author', 'nobody') WHERE number = 1")
        )
    engine.dispose()
    result = terminal.teal("report", rolled_back)
    assert result.exit_code == 1
    assert "BROKEN at event 1" in result.stdout
    assert "BROKEN at event 1" in result.stderr
    chain = json.loads(terminal.teal("report", rolled_back, "--json").stdout)["chain"]
    assert (chain["is_whole"], chain["first_broken"]) == (False, 1)


def test_report_of_a_log_that_was_cut_off_says_how_many_events_are_missing(
    terminal: Terminal, rolled_back: str, tmp_path: Path
) -> None:
    whole = terminal.json("report", rolled_back)["chain"]["events"]
    engine = create_engine(f"sqlite:///{tmp_path}/teal.db")
    with engine.begin() as connection:
        connection.execute(text(f"DELETE FROM events WHERE number > {whole - 2}"))
    engine.dispose()
    result = terminal.teal("report", rolled_back)
    assert result.exit_code == 1
    assert f"BROKEN, 2 events missing: event {whole - 1} is not there" in result.stderr
    chain = json.loads(terminal.teal("report", rolled_back, "--json").stdout)["chain"]
    assert (chain["is_whole"], chain["missing"], chain["first_broken"]) == (False, 2, whole - 1)


def test_exported_log_is_whole_up_to_its_end_and_says_what_it_cannot_know(
    terminal: Terminal, rolled_back: str, tmp_path: Path
) -> None:
    lines = terminal.teal("events", rolled_back, "--json").stdout.splitlines()
    file = tmp_path / "events.json"
    file.write_text("\n".join(lines[:-2]))
    result = terminal.teal("report", rolled_back, "--log", str(file), TEAL_STORE="sqlite:////nowhere/x.db")
    assert result.exit_code == 0
    assert f"whole up to event {len(lines) - 2}\n" in result.stdout
    assert "whether there were later ones cannot be known from the file alone" in result.stdout
    found = json.loads(terminal.teal("report", rolled_back, "--log", str(file), "--json").stdout)
    hold_to_schema("report --log", found)
    assert found["last"] == json.loads(lines[-3])["chain"]
    file.write_text("\n".join([*lines[:3], *lines[4:]]))
    broken = terminal.teal("report", rolled_back, "--log", str(file))
    assert (broken.exit_code, "BROKEN at event 4" in broken.stdout) == (1, True)
    file.write_text("{}")
    assert terminal.teal("report", rolled_back, "--log", str(file)).exit_code == 2
