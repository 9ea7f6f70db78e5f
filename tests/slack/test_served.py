"""The Slack door of a server as it is run: over a real store and a socket, beside a worker whose AWS is away."""

import json
import os
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.http.process import address_of, fill, log_of
from tests.slack.fake import SECRET, TOKEN, FakeSlack

pytestmark = pytest.mark.machine

SETTINGS = """
people:
  - {{name: operator, slack: U024BE7LH, role: operator}}
slack:
  token: {{env: TEAL_SLACK_TOKEN}}
  signing_secret: {{env: TEAL_SLACK_SIGNING_SECRET}}
  channel: "#releases"
  team: T1H9RESGL
  api: {api}
"""
SERVE = """
from api.serving.engine import run
from orchestrator.bootstrap import open_settings
run(port=0, settings=open_settings(), announce=lambda address: print(address, flush=True))
"""
Send = Callable[[str, dict[str, str]], tuple[int, str, float]]


@pytest.fixture
def outside() -> Iterator[FakeSlack]:
    fake = FakeSlack(lambda: datetime.now(UTC))
    fake.open()
    yield fake
    fake.close()


@pytest.fixture
def server(tmp_path: Path, outside: FakeSlack) -> Iterator[subprocess.Popen[str]]:
    store, settings = tmp_path / "teal.db", tmp_path / "settings.yaml"
    fill(store)
    settings.write_text(SETTINGS.format(api=outside.url))
    environment = {
        **os.environ,
        "TEAL_STORE": str(store),
        "TEAL_SETTINGS": str(settings),
        "TEAL_SLACK_TOKEN": TOKEN,
        "TEAL_SLACK_SIGNING_SECRET": SECRET,
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
    }
    with log_of(store).open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE], env=environment, stdout=subprocess.PIPE, stderr=log, text=True
        )
    with process:
        yield process
        process.kill()


@pytest.fixture
def send(server: subprocess.Popen[str], outside: FakeSlack) -> Send:
    address = address_of(server).removeprefix("http://")

    def post(path: str, form: dict[str, str]) -> tuple[int, str, float]:
        body, headers = outside.signed(form)
        connection = HTTPConnection(address, timeout=20)
        began = time.perf_counter()
        connection.request("POST", path, body, {**headers, "Host": "teal.example.com"})
        answer = connection.getresponse()
        text = answer.read().decode()
        took = time.perf_counter() - began
        connection.close()
        return answer.status, text, took

    return post


def form(text: str, number: int = 0) -> dict[str, str]:
    return {"text": text, "user_id": "U024BE7LH", "team_id": "T1H9RESGL", "trigger_id": str(number)}


def test_a_server_answers_slack_by_any_name_and_in_time_though_aws_is_away(
    send: Send, tmp_path: Path, outside: FakeSlack
) -> None:
    status, text, took = send("/slack/commands", form("list"))
    assert status == 200, text
    assert "prod/checkout" in json.loads(text)["text"]
    assert took < 3
    for number in range(5):
        status, text, took = send("/slack/commands", form("pause r1", number))
        assert (status, took < 3) == (200, True)
    assert send("/slack/actions", {"payload": "{"})[0] == 422
    log = log_of(tmp_path / "teal.db").read_text()
    assert SECRET not in log
    assert TOKEN not in log
    assert urllib.parse.quote(SECRET) not in log
