"""What a short command imports is what it waits for: what it has no use for stays out."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.processes import environment
from tests.http.process import address_of, fill, serving

PROGRAM = """
import sys
from api.cli.main import teal
for command in {commands!r}:
    try:
        teal.main(command, standalone_mode=False)
    except SystemExit:
        pass
print(*sorted(sys.modules), file=sys.stderr)
"""
READING = (
    ["list"],
    ["list", "--json"],
    ["get", "r1"],
    ["status", "r1", "--json"],
    ["events", "r1"],
    ["logs", "r1", "--json"],
    ["services"],
    ["history", "prod/checkout", "--json"],
    ["outputs", "--service", "prod/checkout", "--allow-unknown"],
)
NEVER = {
    *("alembic", "rich", "structlog", "fastapi", "starlette", "boto3", "botocore", "aiobotocore", "ruamel"),
    *("sqlalchemy", "pydantic", "asyncio", "aiohttp"),
    *(
        "api.http",
        "orchestrator.aws",
        "orchestrator.bootstrap",
        "orchestrator.config",
        "orchestrator.preflight",
    ),
    *("orchestrator.engine.commands", "orchestrator.engine.views.rollout", "orchestrator.store.sql"),
}
OF_THE_CORE = {  # words, and one value of a service's view
    *("orchestrator.core", "orchestrator.core.domain", "orchestrator.core.ownership"),
    "orchestrator.core.ownership.service_of_record",
}
BY_SERVER = NEVER | {"sqlite3", "orchestrator.store"}


def imported(folder: Path, *commands: list[str], **more: str) -> set[str]:
    """The modules that are loaded once these commands have run in one process of their own."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(commands=commands)],
        env=environment(folder, **more),
        cwd=os.getcwd(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return set(done.stderr.splitlines()[-1].split())


def beyond_words(loaded: set[str]) -> set[str]:
    """What of the core is among these modules that is more than words."""
    ours = {name for name in loaded if name.startswith("orchestrator.core")}
    return {name for name in ours - OF_THE_CORE if not name.startswith("orchestrator.core.domain.")}


@pytest.mark.machine
def test_commands_that_read_the_store_import_no_orm_no_validation_no_event_loop_and_no_core(
    tmp_path: Path,
) -> None:
    fill(tmp_path / "teal.db")
    loaded = imported(tmp_path, *READING)
    assert loaded & NEVER == set()
    assert beyond_words(loaded) == set()
    assert "sqlite3" in loaded  # it was read


@pytest.mark.machine
def test_commands_that_ask_a_server_import_neither_store_nor_core(tmp_path: Path) -> None:
    fill(tmp_path / "server.db")
    with serving(tmp_path / "server.db") as server:
        loaded = imported(tmp_path, *READING, TEAL_SERVER=address_of(server))
    assert loaded & BY_SERVER == set()
    assert beyond_words(loaded) == set()
    assert "http.client" in loaded
