"""What a short command imports is what it waits for: what it has no use for stays out."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.processes import environment

PROGRAM = """
import sys
from api.cli.main import teal
try:
    teal.main(["list"], standalone_mode=False)
except SystemExit:
    pass
print(*sorted(sys.modules), file=sys.stderr)
"""
NEVER = {
    *("alembic", "rich", "structlog", "fastapi", "starlette", "botocore", "aiobotocore", "ruamel"),
    *("api.http", "orchestrator.aws", "orchestrator.preflight", "orchestrator.core.phases"),
}
BY_SERVER = NEVER | {
    *("sqlalchemy", "pydantic", "orchestrator.store", "orchestrator.bootstrap", "orchestrator.config"),
    *("orchestrator.core.rollout", "orchestrator.core.cloud", "orchestrator.core.gates"),
}


def imported(folder: Path, **more: str) -> set[str]:
    """The modules that are loaded once `teal list` has run in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment(folder, **more),
        cwd=os.getcwd(),
        capture_output=True,
        text=True,
        check=False,
    )
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.machine
def test_list_on_a_store_imports_no_migrations_console_log_or_aws(tmp_path: Path) -> None:
    imported(tmp_path)  # the first one makes the store
    assert imported(tmp_path) & NEVER == set()


@pytest.mark.machine
def test_list_through_a_server_imports_neither_store_nor_core(tmp_path: Path) -> None:
    assert imported(tmp_path, TEAL_SERVER="http://127.0.0.1:1") & BY_SERVER == set()
