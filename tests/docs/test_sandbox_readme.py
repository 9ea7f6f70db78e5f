"""The sandbox's own README does what it says: its Python runs, its paths answer, its rooms are there."""

import ast
import asyncio
import json
import re
import shlex
import subprocess
import sys
import urllib.request

import pytest

from sandbox.sandbox import Sandbox
from tests.cli.processes import ROOT

pytestmark = pytest.mark.machine

FOLDER = ROOT / "sandbox"
README = (FOLDER / "README.md").read_text()
PYTHON = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
CURLS = [shlex.split(line) for line in re.findall(r"^\$ (curl .+)$", README, flags=re.MULTILINE)]


@pytest.mark.parametrize("block", PYTHON, ids=range(len(PYTHON)))
def test_python_of_the_readme_runs(block: str) -> None:
    ast.parse(block)
    done = subprocess.run(
        [sys.executable, "-c", block], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_paths_of_the_sandboxs_own_answer_as_the_readme_asks_them() -> None:
    def ask(endpoint: str, words: list[str]) -> object:
        body = words[words.index("-d") + 1].encode() if "-d" in words else None
        url = next(word for word in words if "$AWS_ENDPOINT_URL" in word)
        with urllib.request.urlopen(url.replace("$AWS_ENDPOINT_URL", endpoint), data=body) as answer:
            return json.loads(answer.read())

    async def scene() -> list[object]:
        async with Sandbox(empty=True) as sandbox:
            return [await asyncio.to_thread(ask, sandbox.endpoint, words) for words in CURLS]

    state, *granted = asyncio.run(scene())
    assert isinstance(state, dict)
    assert state["faults"] == []
    assert granted == [
        {"faults": ["errors:checkout:2"]},
        {"faults": ["errors:checkout:2", "outage"]},
        {"faults": []},
    ]


def test_every_room_is_in_the_readme() -> None:
    rooms = {one.name for one in FOLDER.iterdir() if one.is_dir() and one.name != "__pycache__"}
    told = set(re.findall(r"^\| `(\w+)/", README, flags=re.MULTILINE))
    assert told == rooms
