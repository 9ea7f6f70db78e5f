"""A server as a process of its own tells what it commits, also after it was killed between telling and noting it."""

import json
import queue
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from tests.cli.processes import environment, running
from tests.cli.terminal import Terminal
from tests.http.process import PATIENCE, fill
from tests.notify.receiver import SECRET, sample

pytestmark = pytest.mark.machine(seconds=20)

Heard = tuple[dict[str, str], bytes]


class Held:
    """A receiver that answers only while it may."""

    def __init__(self) -> None:
        self.heard: queue.Queue[Heard] = queue.Queue()
        self.may_answer = threading.Event()
        self.may_answer.set()
        held = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                held.heard.put(({name.lower(): value for name, value in self.headers.items()}, body))
                held.may_answer.wait(PATIENCE)
                try:
                    self.send_response(204)
                    self.end_headers()
                except OSError:
                    pass  # whoever asked was killed

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def next(self) -> dict[str, Any]:
        """The next event that is told, once its signature was checked."""
        headers, body = self.heard.get(timeout=PATIENCE)
        sample("verify")(SECRET, headers, body)
        return dict(json.loads(body))


@pytest.fixture
def receiver() -> Iterator[Held]:
    held = Held()
    thread = threading.Thread(target=held.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield held
    finally:
        held.may_answer.set()
        held.server.shutdown()
        thread.join()
        held.server.server_close()


@pytest.fixture
def env(tmp_path: Path, receiver: Held) -> dict[str, str]:
    """A store with one rollout, settings with one hook, and no AWS that answers."""
    fill(tmp_path / "teal.db")
    settings = tmp_path / "settings.yaml"
    host, port = receiver.server.server_address[:2]
    settings.write_text(
        f"hooks: [{{name: chat, url: 'http://{host!s}:{port}/', secret: {{env: HOOK}}, events: [command_applied]}}]\n"
        "hosts: {private: [127.0.0.1]}\n"
    )
    return environment(
        tmp_path,
        TEAL_SETTINGS=str(settings),
        HOOK=SECRET,
        AWS_ENDPOINT_URL="http://127.0.0.1:1",
        AWS_REGION="eu-west-1",
        AWS_ACCESS_KEY_ID="none",
        AWS_SECRET_ACCESS_KEY="none",
    )


@contextmanager
def serving(env: dict[str, str]) -> Iterator[Any]:
    with running("serve", "--port", "0", env=env) as server:
        assert server.out.readline().startswith("http://")
        yield server


def say(folder: Path, *words: str) -> None:
    done = Terminal(folder).teal(*words)
    assert done.exit_code == 0, done.output


def test_a_server_tells_what_it_commits_to_the_hooks_of_its_settings(
    env: dict[str, str], receiver: Held, tmp_path: Path
) -> None:
    with serving(env) as server:
        say(tmp_path, "pause", "r1", "--reason", "lunch")
        told = receiver.next()
        assert (told["type"], told["subject"]) == ("teal.rollout.command_applied", "prod/checkout")
        assert told["data"]["event"]["facts"]["reason"] == "lunch"
        assert server.stop(signal.SIGTERM)[0] == 0


def test_a_server_killed_between_telling_and_noting_it_tells_again_with_the_same_id_and_skips_nothing(
    env: dict[str, str], receiver: Held, tmp_path: Path
) -> None:
    receiver.may_answer.clear()
    with serving(env) as server:
        say(tmp_path, "pause", "r1", "--reason", "lunch")
        first = receiver.next()
        server.process.kill()
        server.process.wait(PATIENCE)
    say(tmp_path, "resume", "r1")
    receiver.may_answer.set()
    lease_is_over(tmp_path)
    with serving(env):
        again, after = receiver.next(), receiver.next()
    assert again["id"] == first["id"]
    assert [event["data"]["event"]["facts"]["command"] for event in (first, after)] == ["pause", "resume"]


def lease_is_over(folder: Path) -> None:
    """What a minute does: whoever was killed holds nothing any more."""
    engine = create_engine(f"sqlite:///{folder}/teal.db")
    with engine.begin() as connection:
        for table in ("deliveries", "rollouts"):
            connection.execute(text(f"UPDATE {table} SET lease_until = NULL, owner = NULL"))
    engine.dispose()
