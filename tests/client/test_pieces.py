"""The client's parts that touch nothing: addresses, problem documents, pauses, streams byte by byte, values."""

import json
import socket
import ssl
import subprocess
import sys
from dataclasses import fields, is_dataclass
from email.utils import formatdate
from http.client import RemoteDisconnected
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from api.client import Failure, NoAnswer, Retries, Unavailable, Unreadable, answers, reading, requests, values
from api.client.answers import Answer, no_answer, problem_of, read, reason_of, seconds_in
from api.client.failures import Forbidden, Told
from api.client.retries import Outage
from api.client.stream import Following
from docs.pages import client_values
from tests.cli.processes import ROOT
from tests.client.examples import event, rollout, stream

HEAVY = ("fastapi", "uvicorn", "sqlalchemy", "aiobotocore", "boto3", "pydantic", "aiohttp", "orchestrator")
LOADED = f"import sys, api.client; print([name for name in {HEAVY!r} if name in sys.modules])"
ADDRESS = requests.address_of("http://teal.example")
ASYNC = f"import sys; from api.client import AsyncClient; print([n for n in {HEAVY!r} if n in sys.modules])"


@pytest.mark.machine
@pytest.mark.parametrize(("code", "loaded"), [(LOADED, "[]"), (ASYNC, "['aiohttp']")])
def test_importing_the_client_imports_nothing_of_the_server(code: str, loaded: str) -> None:
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ran.stdout.strip() == loaded


def test_value_classes_are_as_the_calls_have_them() -> None:
    assert (ROOT / "api/client/values.py").read_text() == client_values.module(), "run `make docs`"


def test_value_of_every_class_is_read_from_what_its_schema_names() -> None:
    found = reading.read(values.Rollout, rollout())
    assert is_dataclass(found)
    assert set(rollout()) == {one.name for one in fields(found)}


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("https://teal.example/base/ ", "https://teal.example/base"),
        ("http://[::1]:80", "http://[::1]:80"),
    ],
)
def test_address_is_read_as_people_write_it(url: str, shown: str) -> None:
    assert requests.address_of(url).url == shown


@pytest.mark.parametrize(
    "url", ["", "teal.example", "ftp://x", "http://", "http://x:99999", "http://[::1", "https://u:p@x"]
)
def test_address_that_is_none_is_refused_with_what_to_write(url: str) -> None:
    with pytest.raises(ValueError, match="write http://host:port"):
        requests.address_of(url)


@pytest.mark.parametrize(("token", "user"), [("a\nb", ""), ("é", ""), ("", "a\rb")])
def test_header_that_cannot_be_one_is_refused(token: str, user: str) -> None:
    with pytest.raises(ValueError, match="printable ASCII"):
        requests.head(token=token, user=user)


def test_name_that_is_empty_is_refused() -> None:
    with pytest.raises(ValueError, match="name a rollout"):
        requests.get("")


def test_problem_document_keeps_all_it_says() -> None:
    mistake = {"where": "body", "pointer": "/plan/0", "what": "too much", "instead": "100", "line": 3}
    document = {"code": "invalid", "detail": "bad", "next_step": "Fix it.", "mistakes": [mistake]}
    headers = {"x-request-id": "abc", "retry-after": "7"}
    told = problem_of(Answer(status=422, headers=headers, body=b""), document)
    assert (told.code, told.status, told.request_id, told.retry_after) == ("invalid", 422, "abc", 7.0)
    assert (told.mistakes[0].pointer, told.mistakes[0].line) == ("/plan/0", 3)
    assert str(told) == "bad. Fix it."


@pytest.mark.long
@given(
    some.recursive(some.none() | some.booleans() | some.integers() | some.text(), some.lists, max_leaves=5)
)
def test_members_of_any_kind_make_a_problem_all_the_same(member: Any) -> None:  # noqa: ANN401
    names = ("code", "title", "detail", "next_step", "mistakes", "findings", "holder")
    body = json.dumps(dict.fromkeys(names, member)).encode()
    with pytest.raises(Failure):
        answers.read(Answer(status=409, headers={}, body=body), url="http://x")


def test_retry_after_may_be_seconds_or_a_date() -> None:
    assert seconds_in("12") == 12
    assert 50 < (seconds_in(formatdate(usegmt=True, timeval=None)) or 0.0) + 60 <= 61
    assert seconds_in("soon") is None
    assert seconds_in("") is None


def test_pauses_grow_and_end_with_the_time() -> None:
    retries, lost = Retries(within=10, first=1, longest=4), NoAnswer("gone", was_sent=True)
    pauses = [retries.pause(lost, attempt=n, elapsed=0) or 0.0 for n in (1, 2, 3, 9)]
    assert all(0.75 * most <= pause <= most for pause, most in zip(pauses, (1, 2, 4, 4), strict=True))
    assert retries.pause(lost, attempt=1, elapsed=9.9) is None
    assert retries.pause(ValueError("x"), attempt=1, elapsed=0) is None  # type: ignore[arg-type] # what is no failure


def test_where_nothing_listens_may_be_told_at_once() -> None:
    once = Retries(if_refused=False)
    assert once.pause(NoAnswer("gone", was_sent=False), attempt=1, elapsed=0) is None
    assert once.pause(NoAnswer("gone", was_sent=True), attempt=1, elapsed=0) is not None


def test_time_for_sending_again_begins_with_the_first_failure_not_with_the_request() -> None:
    clock = 0.0
    outage, lost = Outage(Retries(within=15), now=lambda: clock), NoAnswer("timed out", was_sent=True)
    clock = 30.0  # as long as a start waits for its answer
    assert outage.pause_after(lost) < 1
    clock = 60.0
    with pytest.raises(NoAnswer):
        outage.pause_after(lost)
    outage.over()
    clock = 1000.0
    assert outage.pause_after(lost) < 1


def test_server_that_names_a_time_is_given_it() -> None:
    busy = Unavailable(Told(status=429, retry_after=6))
    assert Retries().pause(busy, attempt=1, elapsed=0) == 6


@settings(deadline=None)
@given(some.data())
def test_stream_says_the_same_however_its_bytes_are_cut(data: Any) -> None:  # noqa: ANN401
    text = "\ufeffretry: 5\r\n\r\n: hello\n\nevent: server_closing\ndata: {}\n\n".encode() + stream(1, 2)
    text = data.draw(some.sampled_from([text, text.replace(b"\n", b"\r\n"), text.replace(b"\n", b"\r")]))
    text += (
        b"id: 3\ndata: "
        + json.dumps({**event(3), "message": "größer"}, ensure_ascii=False).encode()
        + b"\n\n"
    )
    following = Following("r1")
    seen = []
    while text:
        size = data.draw(some.integers(1, len(text)))
        seen += following.feed(text[:size])
        text = text[size:]
    assert [one["number"] for one in seen] == [1, 2, 3]
    assert seen[-1]["message"] == "größer"
    assert following.last == 3


def test_stream_of_something_else_is_told() -> None:
    with pytest.raises(Unreadable, match="event 1 of r1 is no JSON object"):
        Following("r1").feed(b"id: 1\ndata: hello\n\n")
    with pytest.raises(Unreadable, match="larger than"):
        Following("r1").feed(b"data: " + b"x" * 5_000_000)


@pytest.mark.machine
def test_everything_is_imported_by_its_star_also_where_aiohttp_is_not_installed() -> None:
    script = (
        "import sys\n"
        "sys.modules['aiohttp'] = None\n"  # as if it were not installed
        "from api.client import *\n"
        "print(Client.__name__, 'AsyncClient' in globals())\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout.strip()) == (0, "Client False"), ran.stderr


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused"),
        (socket.gaierror(-2, "Name or service not known"), "Name or service not known"),
        (TimeoutError("timed out"), "timed out"),
        (RemoteDisconnected("the server closed the connection"), "the server closed the connection"),
        (OSError(), "OSError"),
    ],
)
def test_why_a_server_does_not_answer_is_said_in_the_systems_words(error: Exception, why: str) -> None:
    told = no_answer(ADDRESS, error, was_sent=False)
    assert told.what == f"the server at {ADDRESS.url} does not answer: {why}"


def test_what_tls_says_is_told_without_the_place_of_its_source() -> None:
    context = ssl.create_default_context()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    incoming.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    tls = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLError) as caught:
        tls.do_handshake()
    assert reason_of(caught.value) == "TLS failed: wrong version number"


def test_what_a_proxy_answers_says_whose_address_to_look_at() -> None:
    page = Answer(status=403, headers={"content-type": "text/html"}, body=b"<html>no</html>")
    with pytest.raises(Forbidden) as caught:
        read(page, url="http://proxy")
    assert caught.value.what == "http://proxy answered 403 without a problem document"
    assert "address of a Teal server" in caught.value.next_step
