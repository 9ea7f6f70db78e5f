"""A server whose disk is full: it says so, still takes traffic back, and tells of it once there is room."""

import json
import resource
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import boto3
import pytest

from api.client import Client, Unavailable
from api.client.values import Event
from tests.cli.processes import environment, run, running
from tests.docs.pipelines.plant import running_to
from tests.serving.test_processes import answers, children_of, until

pytestmark = pytest.mark.machine(seconds=60)

INDEX_BYTES = 32 * 1024  # of SQLite's wal-index, https://sqlite.org/walformat.html
FILE = {
    "service": "prod/checkout",
    "revision": {"task_definition": "checkout:2"},
    "plan": [{"weight": 50, "bake": "1h"}, {"weight": 100, "bake": "1h"}],
    "metrics": {"period": "1s", "lag": "2 periods"},
}


class Site:
    """A server over a store on a disk that can be filled, and the load balancer beside it."""

    def __init__(self, folder: Path, token: str, aws: dict[str, str]) -> None:
        self._folder, self._token, self._aws = folder, token, aws
        region, endpoint = aws["AWS_REGION"], aws["AWS_ENDPOINT_URL"]
        keys = {"aws_access_key_id": "none", "aws_secret_access_key": "none"}
        self.balancers = boto3.client("elbv2", region_name=region, endpoint_url=endpoint, **keys)

    @contextmanager
    def serving(self, *, is_full: bool = False) -> Iterator[None]:
        """A server, with room on its disk or without from its beginning."""
        serve = ("serve", "--port", "0", "--require-auth")
        log = (self._folder / "log").open("a")
        with log, running_to(log, *serve, env=environment(self._folder, **self._aws)) as self.server:
            if is_full:
                self.fill(
                    room=INDEX_BYTES
                )  # what is built anew whenever the store is opened, in the room it had
            self.url = self.server.stdout.readline().strip()
            self.client = Client(self.url, token=self._token)
            yield

    def fill(self, *, room: int = 1) -> None:
        """Let no process of the server write further into a file than so many bytes, its own log among them."""
        self._bound(room)

    def make_room(self) -> None:
        """Let them write again."""
        self._bound(None)

    def _bound(self, room: int | None) -> None:
        for process in (self.server.pid, *children_of(self.server.pid)):
            _, hard = resource.prlimit(process, resource.RLIMIT_FSIZE)
            resource.prlimit(process, resource.RLIMIT_FSIZE, (hard if room is None else room, hard))

    def readiness(self) -> dict[str, Any]:
        with closing(HTTPConnection(self.url.removeprefix("http://"))) as connection:
            connection.request("GET", "/readyz")
            found: dict[str, Any] = json.load(connection.getresponse())
            return found

    def weights(self) -> list[int]:
        """Of every target group in the rules of the service's listener, the smallest first."""
        found = []
        for balancer in self.balancers.describe_load_balancers()["LoadBalancers"]:
            listeners = self.balancers.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])
            for listener in listeners["Listeners"]:
                rules = self.balancers.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
                forwards = [action.get("ForwardConfig", {}) for rule in rules for action in rule["Actions"]]
                found += [group.get("Weight", 1) for one in forwards for group in one.get("TargetGroups", [])]
        return sorted(found)

    def at_first_weight(self) -> str:
        """A rollout with half of the traffic on green."""
        rollout = self.client.start(FILE, key="one").id
        self.client.wait(rollout, until="step:1", timeout=60)
        assert 0 not in self.weights()
        return rollout

    def ended(self, rollout: str) -> list[Event]:
        """What a rollout that is rolled back has told, once it has ended."""
        until("the rollout ends", lambda: not self.client.get(rollout).is_active)
        assert self.client.get(rollout).phase == "rolled_back"
        return list(self.client.events(rollout))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = run("tokens", "create", "--name", "operations", "--role", "admin", env=environment(tmp_path))
    assert made.returncode == 0, made.stderr
    with running("sandbox", "--minute", "1s", "--load", "5", "--json", env=environment(tmp_path)) as sandbox:
        yield Site(tmp_path, made.stdout.strip(), sandbox.json()["environment"])


def test_a_rollback_is_done_and_answered_while_the_disk_is_full_and_told_afterwards(site: Site) -> None:
    with site.serving():
        rollout = site.at_first_weight()
        site.fill()
        until("the server says what is wrong", lambda: answers(site.url, "/readyz") == 503)
        told = site.readiness()
        assert (told["store"], told["worker"]) == ("unwritable", "running"), told
        assert answers(site.url, "/healthz") == 200, "a new one in its place could do less"
        with pytest.raises(Unavailable, match="cannot be written"):
            site.client.pause(rollout)
        assert 0 not in site.weights()
        given = site.client.rollback(rollout, reason="looks odd")
        assert (given.recorded, given.command.state) == (False, "applied")
        assert site.weights()[0] == 0
        assert site.client.get(rollout).phase == "shifting", "nothing could be kept"
        site.make_room()
        events = site.ended(rollout)
        kinds = [event.kind for event in events]
        assert kinds.index("acted_unrecorded") < kinds.index("rollback_decided")
        (acted,) = [event.message for event in events if event.kind == "acted_unrecorded"]
        assert "rollback by operations: looks odd" in acted
        assert answers(site.url, "/readyz") == 200


def test_a_server_that_begins_on_a_full_disk_takes_back_what_the_killed_one_left(site: Site) -> None:
    with site.serving():
        rollout = site.at_first_weight()
        site.server.kill()
    with site.serving(is_full=True):
        assert site.client.rollback(rollout).recorded is False
        assert site.weights()[0] == 0
        site.make_room()
        assert "acted_unrecorded" in [event.kind for event in site.ended(rollout)]
