"""Completion, as a shell asks for it."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.processes import LONGEST_SECONDS, ROOT, environment, run
from tests.cli.terminal import Terminal

pytestmark = pytest.mark.machine(seconds=20)


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH on which `teal` is this one."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "teal"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m api.cli.main "$@"\n')
    program.chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


def offered(path: str, folder: Path, *words: str, **more: str) -> list[str]:
    """What bash offers for the last of these words, with the script that `teal completion bash` prints."""
    number = len(words)
    line = " ".join(f"'{word}'" for word in ("teal", *words))
    script = (
        f'eval "$(teal completion bash)"; COMP_WORDS=({line}); COMP_CWORD={number}; '
        '_teal_completion teal; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    ran = subprocess.run(
        ["bash", "--norc", "-c", script],
        env={**environment(folder, **more), "PATH": path},
        capture_output=True,
        text=True,
        check=True,
        timeout=LONGEST_SECONDS,
    )
    assert ran.stderr == ""
    return ran.stdout.split()


def test_bash_completes_commands_options_and_choices(path: str, tmp_path: Path) -> None:
    assert offered(path, tmp_path, "pre") == ["preflight"]
    assert offered(path, tmp_path, "list", "--ph") == ["--phase"]
    assert offered(path, tmp_path, "list", "--phase", "roll") == ["rolling_back", "rolled_back"]
    assert offered(path, tmp_path, "tokens", "re") == ["revoke"]
    assert not (tmp_path / "teal.db").exists()


def test_bash_completes_rollouts_and_services_of_the_store(
    path: str, terminal: Terminal, shifting: str, tmp_path: Path
) -> None:
    assert offered(path, tmp_path, "approve", "") == [shifting, "prod/checkout"]
    assert offered(path, tmp_path, "get", "checkout-") == [shifting]
    assert offered(path, tmp_path, "services", "p") == ["prod/checkout"]


def test_rollout_that_has_ended_is_offered_to_reads_alone(
    path: str, terminal: Terminal, rolled_back: str, tmp_path: Path
) -> None:
    assert offered(path, tmp_path, "get", "") == [rolled_back]
    assert offered(path, tmp_path, "approve", "") == []


def test_store_that_is_not_there_is_not_made_by_a_tab(path: str, tmp_path: Path) -> None:
    assert offered(path, tmp_path, "get", "") == []
    assert not (tmp_path / "teal.db").exists()


def test_profiles_are_completed_and_the_chosen_one_is_asked(path: str, tmp_path: Path) -> None:
    (tmp_path / "teal").mkdir()
    config = tmp_path / "teal" / "config.toml"
    config.write_text('[profiles.prod]\nserver = "http://127.0.0.1:1"\n')
    home = {"XDG_CONFIG_HOME": str(tmp_path)}
    assert offered(path, tmp_path, "-p", "", **home) == ["prod", "store"]
    assert offered(path, tmp_path, "-p", "prod", "get", "", **home) == []
    config.write_text("broken")
    assert offered(path, tmp_path, "-p", "", **home) == ["store"]


def test_server_that_is_silent_keeps_nobody_waiting(path: str, tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:  # it takes connections and never answers
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        env = environment(tmp_path, TEAL_SERVER=url, COMP_WORDS="teal get ", COMP_CWORD="2")
        began = time.monotonic()
        ran = run(env={**env, "_TEAL_COMPLETE": "bash_complete"})
    assert (ran.returncode, ran.stdout.strip(), ran.stderr) == (0, "", "")
    assert time.monotonic() - began < 8  # 1.5 s, and a slow machine's start


@pytest.mark.parametrize(("shell", "words"), [("zsh", "compdef"), ("fish", "complete --no-files")])
def test_other_shells_get_their_script_and_their_answers(
    shell: str, words: str, terminal: Terminal, shifting: str, tmp_path: Path
) -> None:
    assert words in terminal.teal("completion", shell).stdout
    asked = {
        "COMP_WORDS": "teal get" if shell == "fish" else "teal get ",
        "COMP_CWORD": "" if shell == "fish" else "2",
    }
    ran = run(env=environment(tmp_path, _TEAL_COMPLETE=f"{shell}_complete", **asked))
    assert shifting in ran.stdout
    assert "prod/checkout shifting" in ran.stdout
