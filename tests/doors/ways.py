"""The doors, each as the same few calls: what a person or a program does there, and what they get to see."""

import json
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Protocol

from tests.client.kinds import client_of
from tests.doors.house import House

REASON = "because"
EXTRA: dict[str, dict[str, Any]] = {"promote": {"full": True}, "back": {"to": "10%"}}


class Way(Protocol):
    """One door."""

    def give(self, command: str, rollout: str) -> None:
        """Give a command with REASON, and whatever else it needs."""
        ...

    def start(self, file: str, key: str) -> str:
        """Start a rollout; its id."""
        ...

    def get(self, rollout: str) -> str:
        """The phase that is shown."""
        ...

    def listed(self, service: str) -> list[str]:
        """The ids that are listed."""
        ...

    def events(self, rollout: str) -> list[int]:
        """The numbers of the log."""
        ...


class ByHttp:
    """Plain requests."""

    def __init__(self, house: House) -> None:
        self._host = house.url.removeprefix("http://")

    def _ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Any:  # noqa: ANN401
        connection = HTTPConnection(self._host, timeout=30)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): v for name, v in headers.items()})
            answer = connection.getresponse()
            text = answer.read()
            assert answer.status < 300, text
            return json.loads(text)
        finally:
            connection.close()

    def give(self, command: str, rollout: str) -> None:
        body = json.dumps({"reason": REASON, **EXTRA.get(command, {})}).encode()
        self._ask("POST", f"/v1/rollouts/{rollout}/{command}", body, Content_Type="application/json")

    def start(self, file: str, key: str) -> str:
        head = {"Content_Type": "application/yaml", "Idempotency_Key": key}
        return str(self._ask("POST", "/v1/rollouts", file.encode(), **head)["id"])

    def get(self, rollout: str) -> str:
        return str(self._ask("GET", f"/v1/rollouts/{rollout}")["phase"])

    def listed(self, service: str) -> list[str]:
        return [one["id"] for one in self._ask("GET", f"/v1/rollouts?service={service}")["rollouts"]]

    def events(self, rollout: str) -> list[int]:
        return [one["number"] for one in self._ask("GET", f"/v1/rollouts/{rollout}/events")["events"]]


class ByTerminal:
    """`teal`, on the store or through the server."""

    def __init__(self, house: House, *, is_far: bool) -> None:
        self._house = house
        self._env = {"AWS_ENDPOINT_URL": house.aws, "AWS_REGION": "eu-west-1"}
        self._env |= {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}
        if is_far:
            self._env = {"TEAL_SERVER": house.url}

    def _teal(self, *words: str) -> list[Any]:
        result = self._house.terminal.teal(*words, "--json", **self._env)
        assert result.exit_code == 0, result.output
        return [json.loads(line) for line in result.stdout.splitlines()]

    def give(self, command: str, rollout: str) -> None:
        more = {"promote": ["--full"], "back": ["--to", "10%"], "abandon": ["--yes"]}.get(command, [])
        self._teal(command, rollout, "--reason", REASON, *more)

    def start(self, file: str, key: str) -> str:
        path = Path(self._house.terminal.folder) / f"{key}.yaml"
        path.write_text(file)
        return str(self._teal("start", "-f", str(path), "--key", key)[0]["id"])

    def get(self, rollout: str) -> str:
        return str(self._teal("get", rollout)[0]["phase"])

    def listed(self, service: str) -> list[str]:
        return [one["id"] for one in self._teal("list", "--service", service)[0]["rollouts"]]

    def events(self, rollout: str) -> list[int]:
        return [one["number"] for one in self._teal("events", rollout)]


class ByClient:
    """The Python client, sync or async."""

    def __init__(self, house: House, kind: str) -> None:
        self._url, self._kind = house.url, kind

    def give(self, command: str, rollout: str) -> None:
        with client_of(self._kind, self._url) as client:
            getattr(client, command)(rollout, reason=REASON, **EXTRA.get(command, {}))

    def start(self, file: str, key: str) -> str:
        with client_of(self._kind, self._url) as client:
            return str(client.start(file.encode(), key=key).id)

    def get(self, rollout: str) -> str:
        with client_of(self._kind, self._url) as client:
            return str(client.get(rollout).phase)

    def listed(self, service: str) -> list[str]:
        with client_of(self._kind, self._url) as client:
            return [one.id for one in client.list(service=service)]

    def events(self, rollout: str) -> list[int]:
        with client_of(self._kind, self._url) as client:
            return [one.number for one in client.events(rollout)]


def ways(house: House) -> dict[str, Way]:
    """Every door by its name in the table; Slack has a stage of its own (tests/slack/room.py)."""
    return {
        "HTTP": ByHttp(house),
        "CLI on the store": ByTerminal(house, is_far=False),
        "CLI on a server": ByTerminal(house, is_far=True),
        "client, sync": ByClient(house, "sync"),
        "client, async": ByClient(house, "async"),
    }
