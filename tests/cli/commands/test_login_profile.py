"""`login` and `profile`: a token is kept once its server has said whose it is, and what people wrote stays."""

import json
from pathlib import Path
from typing import Any

import pytest

from api.cli.backend.profiles import Profile, profiles, token_in
from tests.cli.schemas import hold_to_schema
from tests.cli.terminal import Terminal
from tests.client.scripted import Line, scripted

ME: dict[str, Any] = {
    "name": "ci",
    "role": "operator",
    "services": [],
    "groups": [],
    "by": "token",
    "token": "t-1",
    "expires_at": None,
    "may": [],
}
TOKEN = "teal_abc"


def config(terminal: Terminal) -> Path:
    return terminal.folder / "teal" / "config.toml"


def known(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> dict[str, Profile]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(terminal.folder))
    return {one.name: one for one in profiles()}


@pytest.mark.machine
def test_token_is_kept_for_its_owner_alone_once_the_server_knows_it(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scripted(Line(body=ME), Line(body={"rollouts": [], "next": ""})) as script:
        result = terminal.teal("login", "prod", "--server", script.url, typed=f"{TOKEN}\n")
        assert result.exit_code == 0
        assert f"{script.url} takes you for ci, operator; kept as profile prod" in result.stdout
        assert TOKEN not in result.output
        path = terminal.folder / "teal" / "prod.token"
        assert (path.stat().st_mode & 0o777, token_in(path, "x")) == (0o600, TOKEN)
        assert known(terminal, monkeypatch) == {
            "prod": Profile(name="prod", server=script.url, token_file="prod.token")
        }
        assert TOKEN not in config(terminal).read_text()
        assert terminal.teal("-p", "prod", "list").exit_code == 0
    assert [(one.path.partition("?")[0], one.headers["Authorization"]) for one in script.asked] == [
        ("/v1/me", f"Bearer {TOKEN}"),
        ("/v1/rollouts", f"Bearer {TOKEN}"),
    ]


@pytest.mark.machine
@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        (Line(status=401, body={"detail": "this token is not known"}), 1, "this token is not known"),
        (Line(body={**ME, "by": "local"}), 5, "asks nobody for a token"),
        (Line(body=b"<html>"), 1, "other than JSON"),
    ],
)
def test_nothing_is_kept_of_a_token_that_the_server_does_not_know(
    line: Line, code: int, words: str, terminal: Terminal
) -> None:
    with scripted(line) as script:
        result = terminal.teal("login", "prod", "--server", script.url, typed=TOKEN)
    assert (result.exit_code, words in result.stderr) == (code, True)
    assert not (terminal.folder / "teal").exists()


def test_login_says_what_it_lacks_before_it_asks(terminal: Terminal) -> None:
    assert "Say under which name" in terminal.teal("login", typed=TOKEN).stderr
    assert "say --server" in terminal.teal("login", "prod", typed=TOKEN).stderr
    assert (
        "is no name of a profile"
        in terminal.teal("login", "store", "--server", "http://x", typed=TOKEN).stderr
    )
    for typed in ("", "two words", "x" * 20_000):
        result = terminal.teal("login", "prod", "--server", "http://127.0.0.1:1", typed=typed)
        assert (result.exit_code, "write the token alone" in result.stderr) == (2, True)


@pytest.mark.machine
def test_login_again_takes_the_place_of_the_token_and_keeps_the_server(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scripted(Line(body=ME)) as script:
        terminal.teal("profile", "set", "prod", "--server", script.url, "--token-env", "PROD", "--default")
        found = terminal.teal("login", "--json", typed="teal_new")
        hold_to_schema("login", json.loads(found.stdout))
    assert token_in(terminal.folder / "teal" / "prod.token", "x") == "teal_new"
    assert known(terminal, monkeypatch)["prod"] == Profile(
        name="prod", server=script.url, token_file="prod.token", is_default=True
    )


def test_profiles_are_set_listed_shown_used_and_removed(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "no profiles yet" in terminal.teal("profile", "list").stdout
    terminal.teal("profile", "set", "prod", "--server", "https://teal.example.com/", "--token-file", "mine")
    terminal.teal("profile", "set", "ci", "--server", "https://ci.example.com", "--token-env", "CI_TOKEN")
    assert "in CI_TOKEN" in terminal.teal("profile", "show", "ci").stdout
    assert terminal.teal("profile", "use", "ci").exit_code == 0
    assert known(terminal, monkeypatch)["ci"].is_default
    hold_to_schema("profile list", terminal.json("profile", "list"))
    hold_to_schema("profile show", terminal.json("profile", "show", "prod"))
    hold_to_schema("profile use", terminal.json("profile", "use", "store"))
    assert not any(one.is_default for one in known(terminal, monkeypatch).values())
    hold_to_schema("profile set", terminal.json("profile", "set", "prod", "--default"))
    assert known(terminal, monkeypatch)["prod"].server == "https://teal.example.com"
    hold_to_schema("profile remove", terminal.json("profile", "remove", "ci"))
    assert list(known(terminal, monkeypatch)) == ["prod"]
    assert terminal.teal("profile", "show", "ci").exit_code == 1
    assert "say --server" in terminal.teal("profile", "set", "new").stderr


def test_what_people_wrote_beside_the_keys_stays(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    path = config(terminal)
    path.parent.mkdir()
    written = '# mine\n[profiles.prod] # the shop\nserver   = "https://a"  # behind the VPN\n\n[profiles.b]\nserver = "https://b"\n'
    path.write_text(written)
    assert terminal.teal("profile", "use", "prod").exit_code == 0
    assert path.read_text() == written.replace("VPN\n", "VPN\ndefault = true\n")
    assert terminal.teal("profile", "use", "store").exit_code == 0
    assert path.read_text() == written
    path.write_text('profiles.x = {server = "https://x"}\n')
    assert terminal.teal("profile", "set", "y", "--server", "https://y").exit_code == 0
    assert list(known(terminal, monkeypatch)) == ["x", "y"]


@pytest.mark.machine
def test_removed_profile_takes_the_token_that_login_kept_with_it_and_no_other(terminal: Terminal) -> None:
    with scripted(Line(body=ME)) as script:
        terminal.teal("login", "prod", "--server", script.url, typed=TOKEN)
    other = terminal.folder / "teal" / "mine"
    other.write_text(TOKEN)
    terminal.teal("profile", "set", "own", "--server", "https://x", "--token-file", "mine")
    assert terminal.teal("profile", "remove", "prod").exit_code == 0
    assert terminal.teal("profile", "remove", "own").exit_code == 0
    assert not (terminal.folder / "teal" / "prod.token").exists()
    assert other.exists()
