"""Both clients against a server that answers by script: retries, pages, streams, waits, and what is sent."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from api.client import (
    Conflict,
    GaveUp,
    Invalid,
    NoAnswer,
    NotFound,
    NotReached,
    Retries,
    ServerFault,
    Unavailable,
    Unreadable,
)
from tests.client.examples import event, rollout, stream
from tests.client.kinds import KINDS, client_of
from tests.client.scripted import Line, Script, scripted

pytestmark = pytest.mark.machine

QUICK = Retries(within=5, first=0.001, longest=0.002)
STREAM = {"Content-Type": "text/event-stream"}
BUSY = Line(status=503, body={"code": "busy", "detail": "busy"})
Make = Callable[..., Any]


@pytest.fixture(params=KINDS)
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    """Makes a client of a script's server."""
    open_clients = []

    def made(script: Script | str, **options: Any) -> Any:  # noqa: ANN401
        url = script if isinstance(script, str) else script.url
        context = client_of(request.param, url, **{"retries": QUICK, **options})
        open_clients.append(context)
        return context.__enter__()

    yield made
    for context in open_clients:
        context.__exit__(None, None, None)


def test_rollout_is_a_value_and_the_request_says_who_asks(make: Make) -> None:
    with scripted(Line(body=rollout(phase="shifting", future="a member of a newer server"))) as script:
        found = make(script, token="teal_x", user="operator").get("prod/checkout")
    assert (found.id, found.phase, found.steps[0].number) == ("r1", "shifting", 1)
    (asked,) = script.asked
    assert asked.path == "/v1/rollouts/prod%2Fcheckout"
    assert (asked.headers["Authorization"], asked.headers["X-Teal-User"]) == ("Bearer teal_x", "operator")
    assert asked.headers["X-Request-Id"]


def test_token_is_asked_for_again_with_every_request(make: Make) -> None:
    fresh = iter(["one", "two"])
    with scripted(Line(body=rollout())) as script:
        client = make(script, token=lambda: next(fresh))
        client.get("r1")
        client.get("r1")
    assert [asked.headers["Authorization"] for asked in script.asked] == ["Bearer one", "Bearer two"]


def test_file_goes_as_it_is_and_the_key_with_it(make: Make, tmp_path: Any) -> None:  # noqa: ANN401
    file = tmp_path / "rollout.yaml"
    file.write_text("service: prod/checkout\n")
    with scripted(Line(status=201, body=rollout())) as script:
        client = make(script)
        client.start(file, key="build-7")
        client.start({"service": "prod/checkout"}, key="build-7")
    yaml, dumped = script.asked
    assert (yaml.headers["Content-Type"], yaml.body) == ("application/yaml", b"service: prod/checkout\n")
    assert yaml.headers["Idempotency-Key"] == dumped.headers["Idempotency-Key"] == "build-7"
    assert json.loads(dumped.body) == {"service": "prod/checkout"}


def test_command_that_was_cut_off_is_sent_again_under_the_same_key(make: Make) -> None:
    answer = {"rollout": rollout(), "command": _command()}
    with scripted(Line(cut=True), BUSY, Line(body=answer)) as script:
        given = make(script).back("r1", to="10%", reason="odd", step=2)
    assert given.command.kind == "back"
    assert len({asked.headers["Idempotency-Key"] for asked in script.asked}) == 1
    assert [asked.path for asked in script.asked] == ["/v1/rollouts/r1/back"] * 3
    assert json.loads(script.asked[-1].body) == {"to": "10%", "reason": "odd", "step": 2}


@pytest.mark.parametrize("status", [429, 503])
def test_busy_server_is_asked_again_after_the_time_it_names(make: Make, status: int) -> None:
    busy = Line(status=status, body={"detail": "busy"}, headers={"Retry-After": "0"})
    with scripted(busy, busy, Line(body=rollout())) as script:
        assert make(script).get("r1").id == "r1"
    assert len(script.asked) == 3


def test_busy_for_longer_than_the_client_waits_is_told_at_once(make: Make) -> None:
    with (
        scripted(Line(status=503, body={"detail": "busy"}, headers={"Retry-After": "600"})) as script,
        pytest.raises(Unavailable) as told,
    ):
        make(script).get("r1")
    assert told.value.retry_after == 600
    assert len(script.asked) == 1


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (Line(status=404, body={"code": "not-found", "detail": "no rollout", "next_step": "look"}), NotFound),
        (Line(status=409, body={"code": "conflict", "detail": "held", "holder": "checkout-1"}), Conflict),
        (Line(status=422, body={"mistakes": [{"pointer": "/plan", "what": "x", "instead": "y"}]}), Invalid),
        (Line(status=500, body={"code": "internal", "detail": "broken"}), ServerFault),
        (Line(status=502, body=b"<html>Bad gateway</html>"), Exception),
        (Line(status=302, body=b"", headers={"Location": "https://elsewhere"}), Unreadable),
        (Line(body=b"<html>"), Unreadable),
        (Line(body={"id": "r1"}), Unreadable),
    ],
)
def test_what_would_not_pass_is_not_asked_again(make: Make, line: Line, kind: type[Exception]) -> None:
    with scripted(line) as script, pytest.raises(kind):
        make(script).get("r1")
    assert len(script.asked) == 1


def test_server_that_is_not_there_is_told_with_what_to_do(make: Make) -> None:
    client = make("http://127.0.0.1:1", retries=Retries(within=0.01, first=0.001))
    with pytest.raises(NoAnswer, match=r"the server at http://127.0.0.1:1 does not answer") as told:
        client.get("r1")
    assert not told.value.was_sent
    assert told.value.next_step


@pytest.mark.parametrize("wrong", ["", "a\r\nX-Evil: 1", "é", "x" * 201])
def test_key_that_no_header_can_hold_is_refused_before_anything_is_sent(make: Make, wrong: str) -> None:
    with scripted(Line(body=rollout())) as script, pytest.raises(ValueError, match="key"):
        make(script).start({}, key=wrong)
    assert script.asked == []


def test_pages_are_asked_for_as_they_are_needed(make: Make) -> None:
    first = {"rollouts": [rollout(id="a"), rollout(id="b")], "next": "cur/sor"}
    last = {"rollouts": [rollout(id="c")], "next": ""}
    with scripted(Line(body=first), Line(body=last)) as script:
        found = [one.id for one in make(script).list(service="prod/checkout", active=True)]
        assert found == ["a", "b", "c"]
        assert "cursor=cur%2Fsor" in script.asked[1].path
        assert "active=true" in script.asked[1].path


def test_list_stops_at_its_limit(make: Make) -> None:
    with scripted(Line(body={"rollouts": [rollout(id="a")], "next": "more"})) as script:
        assert [one.id for one in make(script).list(limit=2)] == ["a", "a"]
    assert [asked.path.partition("?")[2].split("&")[0] for asked in script.asked] == ["limit=2", "limit=1"]


def test_log_is_read_to_its_end(make: Make) -> None:
    page = {"events": [event(n) for n in range(1, 501)], "next": 500}
    with scripted(Line(body=page), Line(body={"events": [event(501)], "next": 501})) as script:
        numbers = [one.number for one in make(script).events("r1")]
    assert numbers == list(range(1, 502))
    assert "after=500" in script.asked[1].path


def test_stream_that_breaks_is_taken_up_after_its_last_whole_event(make: Make) -> None:
    half = stream(1, 2) + b'id: 3\nevent: held\ndata: {"number":'
    lines = (
        Line(body=rollout()),
        Line(body=b"retry: 1\n\n" + half, headers=STREAM, cut=True),
        BUSY,
        Line(cut=True),
        Line(body=b": still here\n\nretry: 1\n\n" + stream(2, 3, 4), headers=STREAM),
        Line(status=204),
    )
    with scripted(*lines) as script:
        client = make(script)
        _hurry(client)
        seen = [one.number for one in client.follow("prod/checkout")]
    assert seen == [1, 2, 3, 4]
    assert [asked.headers["Last-Event-ID"] for asked in script.asked[1:]] == ["0", "2", "2", "2", "4"]
    assert {asked.path for asked in script.asked[1:]} == {"/v1/rollouts/r1/events"}


def test_stream_to_somebody_who_may_not_see_it_is_told(make: Make) -> None:
    with (
        scripted(Line(body=rollout()), Line(status=404, body={"detail": "no rollout"})) as script,
        pytest.raises(NotFound, match="no rollout"),
    ):
        list(make(script).follow("r1"))


def test_page_in_the_place_of_a_stream_is_told(make: Make) -> None:
    with (
        scripted(Line(body=rollout()), Line(body={"events": []})) as script,
        pytest.raises(Unreadable, match="other than an event stream"),
    ):
        list(make(script).follow("r1"))


def test_wait_asks_for_the_next_version_until_the_goal_is_reached(make: Make) -> None:
    asks = [{"kind": "approval", "reason": "", "clears_when": "", "since": "2026-03-02T09:00:00Z"}]
    lines = (
        Line(body=rollout(version=1, phase="shifting")),
        Line(cut=True),
        Line(body=rollout(version=2, phase="shifting", holds=asks)),
    )
    with scripted(*lines) as script:
        client = make(script)
        _hurry(client)
        assert client.wait("prod/checkout", until="approval").version == 2
    assert script.asked[-1].path.startswith("/v1/rollouts/r1?wait=30&version=1")


def test_wait_for_what_cannot_come_any_more_ends_at_once(make: Make) -> None:
    with (
        scripted(Line(body=rollout(phase="rolling_back", reason="guard"))) as script,
        pytest.raises(NotReached, match=r"will not come to step:1: rolling_back: guard") as told,
    ):
        make(script).wait("r1", until="step:1")
    assert told.value.rollout.id == "r1"


def test_wait_for_the_end_returns_whatever_end_it_is(make: Make) -> None:
    with scripted(Line(body=rollout(phase="rolled_back", is_active=False))) as script:
        assert make(script).wait("r1").phase == "rolled_back"


def test_wait_gives_up_when_its_time_is_over(make: Make) -> None:
    with scripted(Line(body=rollout(phase="shifting"))) as script, pytest.raises(GaveUp, match="goes on"):
        make(script).wait("r1", timeout=0)


@pytest.mark.parametrize("until", ["soon", "step:0", "step:x", "done:1", "step:9"])
def test_what_cannot_be_waited_for_is_said(make: Make, until: str) -> None:
    with (
        scripted(Line(body=rollout(phase="shifting"))) as script,
        pytest.raises(ValueError, match=r"write step:2|never comes"),
    ):
        make(script).wait("r1", until=until)


def _hurry(client: Any) -> None:  # noqa: ANN401
    """Have a client's long waits be as quick as its short ones."""
    inner = getattr(client, "_client", client) if type(client).__name__ == "Waited" else client
    inner._patience = QUICK


def _command() -> dict[str, Any]:
    return {
        "key": "k",
        "kind": "back",
        "by": "operator",
        "source": "http",
        "at": "2026-03-02T09:00:00Z",
        "reason": "odd",
        "step": 2,
        "full": False,
        "to_percent": 10.0,
        "state": "accepted",
        "text": "",
    }
