"""Writes the pages that are made from code, so that they cannot say anything else than the code does.

``python docs/generate.py`` writes them; with ``--check`` it writes nothing, names every file that differs on standard
error and exits with 1.
"""

import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # run as a file, Python would look for modules beside it only

from docs.pages import (  # noqa: E402
    architecture,
    aws_cases,
    cli_json,
    client_values,
    cloning,
    commands,
    errors,
    events,
    gates,
    permissions,
    permissions_http,
    published,
    rollout_file,
    settings,
    slack,
    states,
    verify_account,
)


@cache
def pages() -> Mapping[str, str]:
    """Every generated file: its name in docs/ and its text."""
    return {
        "architecture.md": architecture.page(),
        "aws-cases.md": aws_cases.page(),
        "states.md": states.page(),
        "verify-account.md": verify_account.page(),
        "commands.md": commands.page(),
        "errors.md": errors.page(),
        "cloning.md": cloning.page(),
        "events.md": events.page(),
        "gates.md": gates.page(),
        "rollout-file.md": rollout_file.page(),
        "rollout.schema.json": published.schema(),
        "settings.md": settings.page(),
        "settings.schema.json": published.settings_schema(),
        "slack.md": slack.page(),
        "openapi.json": published.openapi(),
        "cli.md": published.cli(),
        "cli-json.md": cli_json.page(),
        "permissions.md": permissions.page(),
        "permissions-http.md": permissions_http.page(),
        **permissions.policies(),
    }


def modules() -> dict[str, str]:
    """Every generated file of code: its name in the project and its text."""
    return {"api/client/values.py": client_values.module()}


def differing(folder: Path) -> list[str]:
    """The files in a folder that are missing or differ from what the code says."""
    wrong = []
    for name, text in pages().items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            wrong.append(name)
    return wrong


def main(arguments: Sequence[str]) -> int:
    """Write the pages, or check them; the exit code."""
    folder = ROOT / "docs"
    if "--check" not in arguments:
        for name, text in pages().items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        for name, text in modules().items():
            (ROOT / name).write_text(text, encoding="utf-8")
        return 0
    wrong = [f"docs/{name}" for name in differing(folder)]
    wrong += [name for name, text in modules().items() if (ROOT / name).read_text(encoding="utf-8") != text]
    for name in wrong:
        print(f"{name} differs from the code; run `make docs`", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
