"""The pages that a stranger follows: their commands and options exist, their links lead somewhere, their messages are said."""

import ast
import re
import shlex
import sqlite3
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from api.cli.backend.profiles import profiles, target
from api.cli.main import ALIASES, COMMANDS, teal
from orchestrator.config.settings_file.load import load_settings
from orchestrator.core.domain.plan import NAMED_PLANS
from tests.docs.names import ROOT

NEW = ("install", "profiles", "server", "troubleshooting", "coming-from")
PAGES = sorted(path.name for path in (ROOT / "docs").glob("*.md"))


def page(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")


def blocks(name: str, kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", page(name), re.DOTALL)


def commands(name: str) -> list[str]:
    """Every `teal …` that a page names, in text, tables and blocks."""
    text = page(name)
    lines = [line for kind in ("sh", "console") for block in blocks(name, kind) for line in block.splitlines()]
    inline = re.findall(r"`(teal [^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    typed = [re.search(r"(?<![\w/.-])teal -?[-a-z].*", line) for line in lines]
    return [*inline, *(found[0] for found in typed if found)]


@pytest.mark.parametrize("name", NEW)
def test_every_command_and_option_that_it_names_exists(name: str) -> None:
    assert [wrong for command in commands(name) if (wrong := unknown(command))] == []


def unknown(command: str) -> str:
    """What a command names and `teal` does not have; empty if it has everything."""
    words = shlex.split(re.sub(r"\)\"$|[<>].*$", "", command.replace("…", "X")))[1:]
    known: click.Command = teal
    skips = False
    for word in words:
        if skips:
            skips = False
        elif word.startswith("-") and len(word) > 1:
            option = next((one for one in known.params if word in one.opts), None)
            if option is None:
                return f"{command}: {word}"
            skips = known is teal and isinstance(option, click.Option) and not option.is_flag
        elif isinstance(known, click.Group):
            context = click.Context(known)
            found = known.get_command(context, ALIASES.get(word, word) if known is teal else word)
            if found is None:
                return f"{command}: {word}"
            known = found
    return ""


def test_a_command_that_is_not_there_would_be_found() -> None:
    assert unknown("teal frobnicate x")
    assert unknown("teal deploy --frobnicate")
    assert unknown("teal tokens frobnicate")
    assert not unknown("teal -p store deploy -f rollout.yaml")


@pytest.mark.parametrize("name", PAGES)
def test_every_link_of_every_page_leads_to_a_file_and_its_heading(name: str) -> None:
    text = re.sub(r"```.*?```", "", (ROOT / "docs" / name).read_text(encoding="utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith(("http:", "https:")):
            continue
        file, _, anchor = link.partition("#")
        there = ROOT / "docs" / file if file else ROOT / "docs" / name
        assert there.exists(), link
        if anchor and there.suffix == ".md":
            assert anchor in anchors(there), link


def anchors(path: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


# Messages --------------------------------------------------------------------------------------------------------


def test_every_message_of_the_page_on_trouble_is_one_that_the_code_says() -> None:
    rows = [line for line in page("troubleshooting").splitlines() if line.startswith("| `")]
    quoted = [message for row in rows for message in re.findall(r"`([^`]+)`", row.split(" | ")[0])]
    assert len(quoted) > 30
    assert [message for message in quoted if not is_said(message)] == []


def test_a_message_that_nobody_says_would_be_found() -> None:
    assert not is_said("this was never … said")


def is_said(message: str) -> bool:
    pattern = re.compile(".*".join(re.escape(part.strip()) for part in message.split("…")))
    return any(pattern.search(text) for text in sentences())


@cache
def sentences() -> frozenset[str]:
    """Every text of the code, with `…` for what is put in."""
    found = set[str]()
    for folder in ("orchestrator", "api"):
        for path in (ROOT / folder).rglob("*.py"):
            found |= {text_of(node) for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))}
    return frozenset(found)


def text_of(node: ast.AST) -> str:
    match node:
        case ast.JoinedStr(values=values):
            return "".join(text_of(value) or "…" for value in values)
        case ast.Constant(value=str(text)):
            return text
        case _:
            return ""


# Each page's own claims ------------------------------------------------------------------------------------------


def test_the_file_of_profiles_that_it_shows_is_one_and_goes_where_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TEAL_SERVER", "TEAL_PROFILE", "TEAL_TOKEN", "TEAL_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (folder := tmp_path / "teal").mkdir()
    (text,) = blocks("profiles", "toml")
    (folder / "config.toml").write_text(text)
    (token := folder / "prod.token").write_text("teal_prod\n")
    token.chmod(0o600)
    assert {one.name for one in profiles()} == set(tomllib.loads(text)["profiles"])
    assert (target().server, target().token) == ("https://teal.example.com", "teal_prod")
    monkeypatch.setenv("STAGING_TEAL_TOKEN", "teal_staging")
    monkeypatch.setenv("TEAL_PROFILE", "staging")
    assert target().token == "teal_staging"
    monkeypatch.setenv("TEAL_TOKEN", "teal_mine")
    assert target().token == "teal_mine"
    monkeypatch.setenv("TEAL_SERVER", "https://teal.other.example")
    assert target().server == "https://teal.other.example", "TEAL_SERVER stands above TEAL_PROFILE"
    monkeypatch.delenv("TEAL_SERVER")
    monkeypatch.setenv("TEAL_PROFILE", "store")
    assert not target().server


def test_every_variable_that_the_code_reads_is_on_the_page_of_profiles() -> None:
    read = set[str]()
    for folder in ("orchestrator", "api/cli", "api/http", "api/auth"):
        for path in (ROOT / folder).rglob("*.py"):
            asked = r"environ(?:\.get\(|\[)\"(TEAL_\w+)\""
            read |= set(re.findall(asked, path.read_text(encoding="utf-8")))
    assert {"TEAL_STORE", "TEAL_SERVER", "TEAL_LOG"} <= read
    assert [name for name in sorted(read) if f"`{name}`" not in page("profiles")] == []


def test_the_servers_settings_are_right_and_check_says_what_the_page_says(tmp_path: Path) -> None:
    (text,) = blocks("server", "yaml")
    (path := tmp_path / "settings.yaml").write_text(text)
    assert load_settings(path).public_url
    checked = CliRunner().invoke(teal, ["serve", "--settings", str(path), "--check"])
    assert (checked.exit_code, checked.output.strip()) == (0, "the settings are right")
    assert f"`{checked.output.strip()}`" in page("server")


def test_the_backup_of_the_store_is_whole_while_somebody_writes(tmp_path: Path) -> None:
    (words,) = (
        found.split()
        for block in blocks("server", "console")
        for found in re.findall(r"^\$ teal (backup .+)$", block, re.MULTILINE)
    )
    source, kept = tmp_path / "teal.db", tmp_path / "backups" / Path(words[1]).name
    env = {"TEAL_STORE": str(source), "TEAL_PROFILE": "store"}
    made = CliRunner().invoke(teal, ["tokens", "create", "--name", "admin", "--role", "admin"], env=env)
    assert made.exit_code == 0, made.output
    with sqlite3.connect(source) as writer:
        writer.execute("begin immediate")
        done = CliRunner().invoke(teal, ["backup", str(kept)], env=env)
        writer.rollback()
    assert done.exit_code == 0, done.output
    listed = CliRunner().invoke(teal, ["tokens", "list"], env={**env, "TEAL_STORE": str(kept)})
    assert "admin" in listed.output


def test_the_words_of_other_tools_are_the_ones_that_teal_answers_to() -> None:
    words = " ".join(page("coming-from").split())
    assert dict(re.findall(r"`(?:teal )?(\w+)` is `(\w+)`", words)) == ALIASES
    assert all(f"`{name}`" in page("coming-from") for name in ("teal undo", "diff", "version"))
    assert {"undo", "diff", "version"} <= COMMANDS.keys()


def test_the_plans_that_it_names_are_plans() -> None:
    named = set(re.findall(r"`plan: (\w+)`", page("coming-from")))
    assert named == {"canary", "linear", "instant"}
    assert named <= NAMED_PLANS.keys()


def test_the_readme_links_every_one_of_them() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in NEW if f"(docs/{name}.md" not in readme] == []
