"""Where commands go, and which token goes with them."""

from pathlib import Path

import pytest
from click.testing import Result

from api.cli.backend import profiles
from orchestrator.core.domain.errors import Invalid
from tests.cli.terminal import Terminal
from tests.client.scripted import Line, Script, scripted

PAGE = Line(body={"rollouts": [], "next": ""})


class Home:
    """A user's configuration, and a terminal that uses it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.terminal = Terminal(folder)

    def write(self, text: str) -> None:
        (self.folder / "teal").mkdir(exist_ok=True)
        (self.folder / "teal" / "config.toml").write_text(text)

    def token(self, name: str, text: str, mode: int = 0o600) -> Path:
        (self.folder / "teal").mkdir(exist_ok=True)
        path = self.folder / "teal" / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def teal(self, *args: str, **environment: str) -> Result:
        return self.terminal.teal(*args, **{"PROD_TOKEN": "", **environment})


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def carried(script: Script) -> str | None:
    """The token that came with the last request."""
    found: str | None = script.asked[-1].headers["Authorization"]
    return found.removeprefix("Bearer ") if found else found


def test_without_any_profile_commands_go_to_the_store(home: Home) -> None:
    result = home.teal("list")
    assert (result.exit_code, result.stdout) == (0, "no rollouts yet: `teal deploy` starts one\n")


@pytest.mark.machine
def test_profile_is_chosen_by_option_environment_or_default(home: Home) -> None:
    home.token("prod.token", "teal_prod\n")
    with scripted(PAGE) as prod, scripted(PAGE) as staging:
        home.write(
            f'[profiles.prod]\nserver = "{prod.url}"\ntoken_file = "prod.token"\n'
            f'[profiles.staging]\nserver = "{staging.url}"\ntoken_env = "PROD_TOKEN"\ndefault = true\n'
        )
        assert home.teal("list", PROD_TOKEN="teal_env").exit_code == 0
        assert (carried(staging), prod.asked) == ("teal_env", [])
        assert home.teal("list", TEAL_PROFILE="prod").exit_code == 0
        assert carried(prod) == "teal_prod"
        assert home.teal("-p", "prod", "list", TEAL_PROFILE="staging").exit_code == 0
        assert (len(prod.asked), len(staging.asked)) == (2, 1)
        assert "no rollouts yet" in home.teal("-p", "store", "list").stdout
        assert len(prod.asked) + len(staging.asked) == 3


@pytest.mark.machine
def test_server_in_the_environment_stands_above_profiles_and_gets_none_of_their_tokens(home: Home) -> None:
    home.token("prod.token", "teal_prod")
    with scripted(PAGE) as prod, scripted(PAGE) as other:
        home.write(f'[profiles.prod]\nserver = "{prod.url}"\ntoken_file = "prod.token"\ndefault = true\n')
        assert home.teal("list", TEAL_SERVER=other.url).exit_code == 0
        assert carried(other) is None
        assert home.teal("list", TEAL_SERVER=other.url, TEAL_TOKEN="teal_x").exit_code == 0
        assert carried(other) == "teal_x"
        assert home.teal("-p", "prod", "list", TEAL_SERVER=other.url).exit_code == 0
        assert carried(prod) == "teal_prod"


@pytest.mark.machine
def test_token_of_the_environment_stands_above_the_profiles(home: Home) -> None:
    path = home.token("mine", "teal_file")
    with scripted(PAGE) as prod:
        home.write(f'[profiles.prod]\nserver = "{prod.url}"\ntoken_env = "PROD_TOKEN"\n')
        assert home.teal("-p", "prod", "list", TEAL_TOKEN_FILE=str(path)).exit_code == 0
        assert carried(prod) == "teal_file"


@pytest.mark.machine
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_token_file_that_others_reach_is_refused(home: Home, mode: int) -> None:
    path = home.token("mine", "teal_secret", mode)
    with scripted(PAGE) as server:
        result = home.teal("list", TEAL_SERVER=server.url, TEAL_TOKEN_FILE=str(path))
    assert (result.exit_code, server.asked) == (2, [])
    assert f"chmod 600 {path}" in result.stderr
    assert "teal_secret" not in result.output


@pytest.mark.parametrize("text", ["", "two words", "a\nb", "é"])
def test_token_file_that_holds_none_is_refused(home: Home, text: str) -> None:
    path = home.token("mine", text)
    result = home.teal("list", TEAL_SERVER="http://127.0.0.1:1", TEAL_TOKEN_FILE=str(path))
    assert result.exit_code == 2
    assert "holds no token: write the token alone" in result.stderr


def test_token_that_is_named_and_not_there_is_said(home: Home) -> None:
    home.write('[profiles.prod]\nserver = "http://127.0.0.1:1"\ntoken_env = "PROD_TOKEN"\n')
    result = home.teal("-p", "prod", "list")
    assert result.exit_code == 2
    assert "PROD_TOKEN is not set: export PROD_TOKEN=…" in result.stderr
    missing = home.teal("list", TEAL_SERVER="http://127.0.0.1:1", TEAL_TOKEN_FILE="/nowhere")
    assert "/nowhere cannot be read: No such file or directory" in missing.stderr


def test_profile_that_is_not_there_is_answered_with_those_that_are(home: Home) -> None:
    home.write('[profiles.prod]\nserver = "http://127.0.0.1:1"\n')
    result = home.teal("-p", "prd", "list")
    assert result.exit_code == 2
    assert "there is no profile `prd`: name one of: prod, store" in result.stderr


def test_every_mistake_in_the_file_is_told_at_once(home: Home) -> None:
    home.write(
        'server = "x"\n[profiles.a]\ntoken = "teal_secret"\n[profiles.b]\nserver = 7\ndefault = "yes"\n'
        '[profiles.store]\nserver = "http://x"\ntoken_file = "a"\ntoken_env = "b"\n'
    )
    result = home.teal("list")
    assert result.exit_code == 2
    for words in (
        "unknown key `server`",
        "the token itself does not belong here",
        "names no server",
        "/profiles/b/server: is of the wrong kind",
        "/profiles/b/default: is of the wrong kind: write true or false",
        "`store` always means the store",
        "names both token_file and token_env",
    ):
        assert words in result.stderr
    assert "teal_secret" not in result.output


def test_two_defaults_and_text_that_is_no_toml_are_told(home: Home) -> None:
    home.write(
        '[profiles.a]\nserver = "http://x"\ndefault = true\n[profiles.b]\nserver = "http://x"\ndefault = true\n'
    )
    assert "a and b are both the default" in home.teal("list").stderr
    home.write("profiles: {}")
    assert "is no TOML" in home.teal("list").stderr


def test_target_never_shows_its_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAL_SERVER", "http://127.0.0.1:1")
    monkeypatch.setenv("TEAL_TOKEN", "teal_secret")
    assert "teal_secret" not in repr(profiles.target())
    monkeypatch.setenv("TEAL_TOKEN", "two words")
    with pytest.raises(Invalid, match="TEAL_TOKEN: holds no token"):
        profiles.target()


def test_deploy_says_whose_server_stands_in_its_way(home: Home) -> None:
    home.write('[profiles.prod]\nserver = "http://127.0.0.1:1"\ndefault = true\n')
    result = home.teal("deploy", "--service", "prod/checkout", "--task-definition", "checkout:2")
    assert result.exit_code == 5
    assert "profile prod of" in result.stderr
    assert "`teal -p store deploy`" in result.stderr
