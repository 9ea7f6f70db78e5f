"""A server whose disk is full: it says so, still takes traffic back, and tells of it once there is room."""

import json
import os
import resource
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import boto3
import pytest

from api.client import Client, Unavailable
from tests.cli.processes import environment, run, running
from tests.docs.pipelines.plant import running_to
from tests.serving.test_processes import answers, children_of, until

pytestmark = pytest.mark.machine(seconds=60)

FILE = {
    "service": "prod/checkout",
    "revision": {"task_definition": "checkout:2"},
    "plan": [{"weight": 50, "bake": "1h"}, {"weight": 100, "bake": "1h"}],
    "metrics": {"period": "1s", "lag": "2 periods"},
}


class Site:
    """A server over a store on a disk that can be filled, and the load balancer beside it."""

    def __init__(self, server: Any, url: str, token: str, aws: dict[str, str]) -> None:  # noqa: ANN401 - a process
        self.server, self.url, self.client = server, url, Client(url, token=token)
        region, endpoint = aws["AWS_REGION"], aws["AWS_ENDPOINT_URL"]
        keys = {"aws_access_key_id": "none", "aws_secret_access_key": "none"}
        self.balancers = boto3.client("elbv2", region_name=region, endpoint_url=endpoint, **keys)

    def fill(self, *, is_full: bool) -> None:
        """Let no process of the server write to a file, its log among them; or let them all."""
        for process in (self.server.pid, *children_of(self.server.pid)):
            _, hard = resource.prlimit(process, resource.RLIMIT_FSIZE)
            resource.prlimit(process, resource.RLIMIT_FSIZE, (1 if is_full else hard, hard))

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


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = run("tokens", "create", "--name", "operations", "--role", "admin", env=environment(tmp_path))
    assert made.returncode == 0, made.stderr
    with running("sandbox", "--minute", "1s", "--load", "5", "--json", env=environment(tmp_path)) as sandbox:
        aws = sandbox.json()["environment"]
        serve = ("serve", "--port", "0", "--require-auth")
        log = (tmp_path / "log").open("w")
        with log, running_to(log, *serve, env=environment(tmp_path, **aws)) as server:
            yield Site(server, server.stdout.readline().strip(), made.stdout.strip(), aws)


def test_a_rollback_is_done_and_answered_while_the_disk_is_full_and_told_afterwards(site: Site) -> None:
    rollout = site.client.start(FILE, key="one").id
    site.client.wait(rollout, until="step:1", timeout=60)
    assert 0 not in site.weights()
    site.fill(is_full=True)
    until("the server says what is wrong", lambda: answers(site.url, "/readyz") == 503)
    told = site.readiness()
    assert (told["store"], told["worker"]) == ("unwritable", "running"), told
    assert answers(site.url, "/healthz") == 200, "a new one in its place could do nothing"
    with pytest.raises(Unavailable, match="cannot be written"):
        site.client.pause(rollout)
    assert 0 not in site.weights()
    given = site.client.rollback(rollout, reason="looks odd")
    assert (given.recorded, given.command.state) == (False, "applied")
    assert site.weights()[0] == 0
    assert site.client.get(rollout).phase == "shifting", "nothing could be kept"
    site.fill(is_full=False)
    until("the rollout ends", lambda: not site.client.get(rollout).is_active)
    assert site.client.get(rollout).phase == "rolled_back"
    events = [(event.kind, event.message) for event in site.client.events(rollout)]
    kinds = [kind for kind, _ in events]
    assert kinds.index("acted_unrecorded") < kinds.index("rollback_decided")
    assert "rollback by operations: looks odd" in dict(events)["acted_unrecorded"]
    assert answers(site.url, "/readyz") == 200
    assert os.waitpid(site.server.pid, os.WNOHANG) == (0, 0)
