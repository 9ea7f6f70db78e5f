"""One rollout from a GitHub job: start, follow, summarise. Needs Python 3.11 or newer, and nothing installed.

Exit codes are those of `teal`: 0 as wanted, 1 error, 2 invalid, 3 rolled back, 4 gave up waiting, 5 refused,
130 cancelled.
"""

import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from urllib.error import URLError
from urllib.request import Request, urlopen

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the client comes with the action

from summary import summary

from api.client import Client, Failure, GaveUp, Invalid, NotReached, Refused
from api.client.goals import goal_of
from api.client.requests import File
from api.client.values import Event, Rollout

FRESH_SECONDS = 120.0  # GitHub's tokens live for five minutes or more
SPANS = {"s": 1, "m": 60, "h": 3600}
ROLLED_BACK, GAVE_UP, REFUSED, CANCELLED = 3, 4, 5, 130


class Wrong(Exception):
    """An input of the action is wrong, or the runner lacks something; says what to write."""


class Cancelled(Exception):
    """The job was cancelled."""


def given(name: str) -> str:
    """An input of the action."""
    return os.environ.get(f"TEAL_{name}", "").strip()


def file_of() -> File:
    """The rollout file, or the least of one from the inputs."""
    path, service, revision = given("FILE"), given("SERVICE"), given("TASK_DEFINITION")
    if path and not (service or revision):
        if not Path(path).is_file():
            raise Wrong(f"there is no file {path}: check the repository out before this step")
        return path
    if path or not (service and revision):
        raise Wrong("name either file, or service and task-definition")
    plan = {"plan": given("PLAN")} if given("PLAN") else {}
    return {"service": service, "revision": {"task_definition": revision}, **plan}


def seconds_of(text: str) -> float:
    """``90s``, ``30m``, ``2h``."""
    found = re.fullmatch(r"(\d{1,6})([smh])", text)
    if not found:
        raise Wrong(f"timeout {text!r}: write 90s, 30m or 2h")
    return float(int(found[1]) * SPANS[found[2]])


def token_source() -> Callable[[], str]:
    """Gets the input's token, or GitHub's own for this job, a fresh one whenever the last is old."""
    if given("TOKEN"):
        return lambda: given("TOKEN")
    url, bearer = (
        os.environ.get("ACTIONS_ID_TOKEN_REQUEST_URL"),
        os.environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN"),
    )
    if not url or not bearer:
        raise Wrong("there is no token: give the job `permissions: {id-token: write}`, or the input token")
    asked = Request(f"{url}&audience={given('AUDIENCE')}", headers={"Authorization": f"bearer {bearer}"})
    kept: list[tuple[float, str]] = []

    def fresh() -> str:
        if not kept or time.monotonic() - kept[-1][0] > FRESH_SECONDS:
            try:
                with urlopen(asked, timeout=20) as answer:
                    token = str(json.load(answer)["value"])
            except (URLError, OSError, ValueError, KeyError) as error:
                raise Wrong(f"GitHub gave no OIDC token: {error}") from error
            print(f"::add-mask::{token}")
            kept[:] = [(time.monotonic(), token)]
        return kept[-1][1]

    return fresh


class Job:
    """The rollout of this job, as far as it came."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.rollout: Rollout | None = None
        self.events: list[Event] = []

    def run(self) -> int:
        """Start, wait; the exit code."""
        # Every input is read before anything is started.
        file, until, limit = file_of(), given("UNTIL") or "done", seconds_of(given("TIMEOUT") or "6h")
        goal_of(until)
        self.rollout = self._client.start(file, key=given("KEY"))
        print(f"{self.rollout.id}: {self.rollout.service} to {self.rollout.revision}", flush=True)
        self.rollout = self._client.wait(self.rollout.id, until=until, timeout=limit, seen=self.seen)
        if self.rollout.phase == "succeeded" or until != "done":
            return 0
        return ROLLED_BACK if self.rollout.phase == "rolled_back" else 1

    def seen(self, rollout: Rollout) -> None:
        """Print what happened since the last look."""
        self.rollout = rollout
        for event in self._client.events(rollout.id, after=self.events[-1].number if self.events else 0):
            self.events.append(event)
            # A time first: no line of ours is ever taken for a command of the runner's.
            print(f"{event.at:%H:%M:%S}Z  {one_line(event.message)}", flush=True)

    def cancelled(self) -> int:
        """What a cancelled job does with its rollout."""
        if self.rollout is None:
            return CANCELLED
        if given("ON_CANCEL") == "rollback":
            self._client.rollback(self.rollout.id, reason="the job that started it was cancelled")
            print(f"{self.rollout.id} is rolled back, since this job was cancelled")
        else:
            print(f"{self.rollout.id} goes on: this job has only stopped looking")
        return CANCELLED


def one_line(text: str) -> str:
    """Text without line breaks and other control characters."""
    return re.sub(r"[\x00-\x1f\x7f\u2028\u2029]+", " ", text)


def append(variable: str, text: str) -> None:
    """Add text to one of the runner's files."""
    path = os.environ.get(variable)
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.write(text)


def told(error: Exception) -> int:
    """Say what went wrong, as an annotation of the job; the exit code."""
    words = str(error).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    print(f"::error title=Teal::{words}", flush=True)
    match error:
        case GaveUp():
            return GAVE_UP
        case NotReached():
            return ROLLED_BACK if error.rollout.phase.startswith("roll") else 1
        case Refused():
            return REFUSED
        case Invalid() | Wrong() | ValueError():
            return 2
        case _:
            return 1


def main() -> int:
    """The whole action."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Cancelled

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    job: Job | None = None
    try:
        job = Job(Client(given("SERVER"), token=token_source()))
        code = job.run()
    except Cancelled:
        code = job.cancelled() if job else CANCELLED
    except (Failure, Wrong, ValueError) as error:
        code = told(error)
    if job and job.rollout:
        shown = job.rollout
        append("GITHUB_STEP_SUMMARY", summary(shown, job.events))
        members = {"id": shown.id, "phase": shown.phase, "revision": shown.revision}
        append("GITHUB_OUTPUT", "".join(f"{name}={one_line(value)}\n" for name, value in members.items()))
    return code


if __name__ == "__main__":
    sys.exit(main())
