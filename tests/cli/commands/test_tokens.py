"""Tokens from the terminal: made once, shown once, and revoked, on the store and through a server."""

import json
from pathlib import Path

import pytest

from api.auth.tokens import digest_of, is_token
from api.cli.backend.profiles import token_in
from tests.cli.processes import environment, running
from tests.cli.terminal import Terminal

CREATE = ("tokens", "create", "--name", "ci checkout", "--role", "operator")


def test_token_alone_goes_to_standard_output_and_only_its_digest_is_kept(terminal: Terminal) -> None:
    result = terminal.teal(*CREATE, "--service", "prod/*", "--group", "release", "--expires", "30d")
    assert result.exit_code == 0
    text = result.stdout.strip()
    assert is_token(text)
    assert text not in result.stderr
    assert "ci checkout has access as operator until" in result.stderr

    async def find(store):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
        return await store.token_by_digest(digest_of(text)), await store.calls()

    token, (calls, _) = terminal.in_store(find)
    assert (token.role, token.services, token.groups) == ("operator", ("prod/*",), ("release",))
    assert [(call.call, call.source, call.target, call.outcome) for call in calls] == [
        ("tokens create", "cli", token.id, "ok")
    ]
    assert text not in (terminal.folder / "teal.db").read_bytes().decode("latin-1")


def test_token_is_listed_revoked_and_listed_as_revoked(terminal: Terminal) -> None:
    made = terminal.json(*CREATE)
    assert terminal.json("tokens", "list") == {"tokens": [made["token"]]}
    assert "valid" in terminal.teal("tokens", "list").stdout
    revoked = terminal.teal("tokens", "revoke", made["token"]["id"])
    assert (revoked.exit_code, revoked.stdout) == (0, f"{made['token']['id']} (ci checkout) is revoked\n")
    (after,) = terminal.json("tokens", "list")["tokens"]
    assert not after["is_valid"]
    assert "revoked" in terminal.teal("tokens", "list").stdout


def test_token_that_is_not_there_cannot_be_revoked(terminal: Terminal) -> None:
    assert terminal.teal("tokens", "revoke", "t-0").exit_code == 1
    by_text = terminal.teal("tokens", "revoke", "teal_abc")
    assert (by_text.exit_code, "by its id, not by its text" in by_text.stderr) == (2, True)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--expires", "soon"), "write 30d, 12h or 2027-01-31T12:00:00Z"),
        (("--expires", "2020-01-01T00:00:00Z"), "name a moment from now on"),
        (("--expires", "2099-01-01T00:00:00Z"), "within ten years"),
        (("--expires", "2027-01-01T00:00:00"), "has no time zone"),
        (("--service", "a/b/c"), "write cluster/service"),
        (("--group", ""), "write 1 to 100 characters"),
        (("--name", " x"), "without spaces at its ends"),
    ],
)
def test_mistake_is_told_before_anything_is_made(
    terminal: Terminal, more: tuple[str, ...], words: str
) -> None:
    result = terminal.teal(*CREATE, *more)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr
    assert terminal.json("tokens", "list") == {"tokens": []}


def test_store_without_tokens_says_how_to_make_one(terminal: Terminal) -> None:
    assert "`teal tokens create` makes one" in terminal.teal("tokens", "list").stdout


@pytest.mark.machine
def test_server_makes_lists_and_revokes_tokens_as_the_store_does(terminal: Terminal, tmp_path: Path) -> None:
    admin = terminal.json("tokens", "create", "--name", "operations", "--role", "admin")
    env = environment(tmp_path, AWS_REGION="eu-west-1", AWS_ENDPOINT_URL="http://127.0.0.1:1")
    with running("serve", "--port", "0", env=env) as server:
        there = {"TEAL_SERVER": server.out.readline().strip()}
        refused = terminal.teal("tokens", "list", **there)
        assert (refused.exit_code, refused.stdout) == (1, "")
        there["TEAL_TOKEN"] = admin["text"]
        made = json.loads(terminal.teal(*CREATE, "--expires", "30d", "--json", **there).stdout)
        assert is_token(made["text"])
        assert made["token"]["created_by"] == "operations"
        listed = json.loads(terminal.teal("tokens", "list", "--json", **there).stdout)["tokens"]
        assert [token["name"] for token in listed] == ["ci checkout", "operations"]
        theirs = {**there, "TEAL_TOKEN": made["text"]}
        assert terminal.teal("list", **theirs).exit_code == 0
        forbidden = terminal.teal("tokens", "list", **theirs)
        assert forbidden.exit_code == 1
        assert terminal.teal("tokens", "revoke", made["token"]["id"], **there).exit_code == 0
        assert terminal.teal("list", **theirs).exit_code == 1
        assert made["text"] not in forbidden.output


def test_token_in_a_file_is_one_that_teal_takes_and_stands_nowhere_else(terminal: Terminal) -> None:
    path = terminal.folder / "ci.token"
    result = terminal.teal(*CREATE, "--output", str(path))
    text = token_in(path, "x")
    assert (result.exit_code, result.stdout, is_token(text)) == (0, "", True)
    assert (path.stat().st_mode & 0o777, text in result.output) == (0o600, False)
    refused = terminal.teal(*CREATE, "--output", str(path))
    assert (refused.exit_code, "--force" in refused.stderr, token_in(path, "x")) == (5, True, text)
    assert len(terminal.json("tokens", "list")["tokens"]) == 1, "none is made that could not be kept"
    path.chmod(0o644)
    made = json.loads(terminal.teal(*CREATE, "--output", str(path), "--force", "--json").stdout)
    assert (made["text"], is_token(token_in(path, "x"))) == ("", True)
    nowhere = terminal.teal(*CREATE, "--output", "/dev/null/x")
    assert (nowhere.exit_code, "cannot be written" in nowhere.stderr) == (5, True)
    assert sorted(one.name for one in terminal.folder.iterdir() if "token" in one.name) == ["ci.token"]
