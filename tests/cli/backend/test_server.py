"""The same commands through a server: same answers, same exit codes."""

import json
from pathlib import Path

import pytest

from api.cli.backend.server_reads import error_of
from api.client.answers import Answer, problem_of
from orchestrator.core.domain.errors import (
    Conflict,
    Denied,
    Invalid,
    NotFound,
    Refused,
    TealError,
    Unfit,
    Unreachable,
)
from tests.cli.processes import environment, running
from tests.cli.terminal import Terminal
from tests.client.examples import rollout
from tests.client.scripted import Line, scripted

NOWHERE = "http://127.0.0.1:1"


@pytest.mark.machine
def test_server_gives_the_views_and_takes_the_commands_of_its_store(
    terminal: Terminal, rolled_back: str, tmp_path: Path
) -> None:
    local = terminal.json("get", rolled_back)
    log = terminal.teal("events", rolled_back).stdout
    env = environment(tmp_path, AWS_REGION="eu-west-1")
    with running("serve", "--port", "0", env=env) as server:
        there = {"TEAL_SERVER": server.out.readline().strip()}
        assert json.loads(terminal.teal("get", rolled_back, "--json", **there).stdout) == local
        listed = terminal.teal(
            "list", "--phase", "rolled_back", "--service", "prod/checkout", "--json", **there
        )
        assert json.loads(listed.stdout) == {"rollouts": [local]}
        assert terminal.teal("events", rolled_back, **there).stdout == log
        assert terminal.teal("watch", rolled_back, **there).exit_code == 3
        refused = terminal.teal("pause", rolled_back, "-r", "why", **there)
        assert refused.exit_code == 5
        assert "while the rollout is rolled_back" in refused.stderr
        unknown = terminal.teal("get", "nobody/at all", **there)
        assert (unknown.exit_code, unknown.stdout) == (1, "")
        assert "nobody/at all" in unknown.stderr


@pytest.mark.machine
def test_server_that_does_not_answer_is_one_sentence_with_what_to_do(terminal: Terminal) -> None:
    result = terminal.teal("list", TEAL_SERVER=NOWHERE)
    assert result.exit_code == 1
    assert f"the server at {NOWHERE} does not answer" in result.stderr
    assert "unset TEAL_SERVER" in result.stderr
    assert "teal rollback CLUSTER/SERVICE --direct" in result.stderr


@pytest.mark.parametrize("url", ["prod.example.com", "ftp://host", "http://"])
def test_address_that_is_none_is_refused_before_anything_is_sent(terminal: Terminal, url: str) -> None:
    result = terminal.teal("list", TEAL_SERVER=url)
    assert result.exit_code == 2
    assert "write http://host:port" in result.stderr


@pytest.mark.parametrize(
    ("status", "problem", "kind", "code"),
    [
        (401, {"detail": "no token"}, Denied, 1),
        (404, {"detail": "no rollout"}, NotFound, 1),
        (409, {"detail": "busy", "holder": "checkout-1"}, Conflict, 5),
        (409, {"detail": "not now"}, Refused, 5),
        (
            422,
            {"detail": "bad", "mistakes": [{"pointer": "/plan", "what": "no plan", "instead": "x"}]},
            Invalid,
            2,
        ),
        (422, {"detail": "bad", "findings": ["no such revision"]}, Unfit, 2),
        (400, {"detail": "bad"}, Invalid, 2),
        (500, {"detail": "broken"}, TealError, 1),
        (503, {"detail": "the store does not answer"}, Unreachable, 1),
    ],
)
def test_problem_becomes_the_error_that_the_store_would_have_raised(
    status: int, problem: dict[str, object], kind: type[TealError], code: int
) -> None:
    error = error_of(problem_of(Answer(status=status, headers={}, body=b""), dict(problem)))
    assert type(error) is kind
    assert error.exit_code == code
    assert str(error)


def test_mistakes_of_a_file_keep_their_place() -> None:
    mistake = {
        "where": "body",
        "pointer": "/plan/0",
        "what": "too much",
        "instead": "write 100",
        "line": None,
    }
    told = problem_of(Answer(status=422, headers={}, body=b""), {"mistakes": [mistake]})
    assert str(error_of(told)) == "/plan/0: too much: write 100"


@pytest.mark.machine
def test_answer_that_is_no_json_is_called_what_it_is(terminal: Terminal) -> None:
    with scripted(Line(body=b"<html>")) as script:
        result = terminal.teal("list", TEAL_SERVER=script.url)
    assert result.exit_code == 1
    assert "answered 200 with something other than JSON. See that TEAL_SERVER is the address" in result.stderr


@pytest.mark.machine
def test_command_that_was_cut_off_is_sent_again_as_the_same_command(terminal: Terminal) -> None:
    with scripted(Line(cut=True), Line(body={"rollout": rollout()})) as script:
        assert terminal.teal("pause", "r1", TEAL_SERVER=script.url).exit_code == 0
    assert len({asked.headers["Idempotency-Key"] for asked in script.asked}) == 1
    assert len(script.asked) == 2
