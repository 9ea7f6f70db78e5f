"""Only Slack gets in: the signature on the raw bytes, and its five minutes."""

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.slack.room import OPERATOR, Room

pytestmark = pytest.mark.machine

PATHS = ("/slack/actions", "/slack/commands")
FORM = {"command": "/teal", "text": "help", "user_id": OPERATOR, "team_id": "T1", "trigger_id": "1"}


def is_refused(answer: httpx.Response) -> bool:
    return (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "headers",
    [
        {"X-Slack-Signature": ""},
        {"X-Slack-Signature": "v0=" + "0" * 64},
        {"X-Slack-Signature": "v0=é".encode("latin-1")},
        {"X-Slack-Request-Timestamp": ""},
        {"X-Slack-Request-Timestamp": "now"},
        {"X-Slack-Request-Timestamp": "-1"},
        {"X-Slack-Request-Timestamp": "9" * 400},
        {"X-Slack-Request-Timestamp": "1772442118.5"},
    ],
)
def test_a_forged_signature_is_refused(room: Room, path: str, headers: dict[str, Any]) -> None:
    body, signed = room.slack.signed(FORM)
    assert is_refused(room.post_raw(path, body, {**signed, **headers}))


@pytest.mark.parametrize("path", PATHS)
def test_a_request_without_a_signature_is_refused(room: Room, path: str) -> None:
    assert is_refused(room.post_raw(path, b"", {}))


def test_another_secret_is_refused(room: Room) -> None:
    assert is_refused(room.post("/slack/commands", FORM, secret="another"))


@pytest.mark.parametrize("change", [b"&text=list", b" ", b"\xff"])
def test_bytes_that_were_changed_are_refused(room: Room, change: bytes) -> None:
    body, signed = room.slack.signed(FORM)
    assert is_refused(room.post_raw("/slack/commands", body + change, signed))


def test_a_request_is_good_for_five_minutes_and_no_longer(room: Room) -> None:
    body, signed = room.slack.signed(FORM)
    room.stage.let_run(timedelta(minutes=4, seconds=59))
    assert room.post_raw("/slack/commands", body, signed).status_code == 200
    room.stage.let_run(timedelta(seconds=2))
    assert is_refused(room.post_raw("/slack/commands", body, signed))


def test_a_request_replayed_within_its_time_gives_nothing_twice(room: Room) -> None:
    rollout = room.waiting()
    body, signed = room.slack.signed({"payload": json.dumps(room.click("Pause", OPERATOR))})
    for _ in range(3):
        assert room.post_raw("/slack/actions", body, signed).status_code == 200
        room.tick(4)
    assert room.commands(rollout) == ["pause by operator"]


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"payload": ""},
        {"payload": "{"},
        {"payload": "[]"},
        {"payload": '{"type": "shortcut"}'},
        {"payload": '{"type": "block_actions", "user": {"id": "U"}, "actions": []}'},
        {"payload": '{"type": "view_submission"}'},
    ],
)
def test_a_signed_payload_that_teal_does_not_know_is_told_so(room: Room, form: dict[str, str]) -> None:
    answer = room.post("/slack/actions", form)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_a_command_from_nobody_is_told_so(room: Room) -> None:
    assert room.post("/slack/commands", {"text": "list"}).status_code == 422
