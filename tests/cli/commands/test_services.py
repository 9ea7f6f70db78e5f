"""What serves now, from the terminal."""

from tests.cli.terminal import Terminal


def test_service_shows_what_it_serves_and_its_history(terminal: Terminal, succeeded: str) -> None:
    shown = terminal.teal("services").stdout.splitlines()
    assert shown[0].startswith("SERVICE")
    assert shown[1].startswith("prod/checkout  checkout:2  checkout:2    –")
    assert shown[1].endswith("succeeded")
    one = terminal.teal("services", "checkout").stdout
    assert "serves   checkout:2" in one
    assert f"{succeeded}  succeeded" in one


def test_service_that_moves_names_its_rollout(terminal: Terminal, shifting: str) -> None:
    assert f"{shifting} (shifting)" in terminal.teal("services").stdout
    found = terminal.json("services", "prod/checkout")
    assert (found["active"], found["active_phase"]) == (shifting, "shifting")
    assert terminal.json("services") == {"services": [found]}


def test_service_that_never_moved_is_not_found(terminal: Terminal) -> None:
    result = terminal.teal("services", "prod/search")
    assert result.exit_code == 1
    assert "it never had a rollout in this store" in result.stderr
    assert "no services yet" in terminal.teal("services").stdout
