"""The generated pages say what the code says, and the policy allows what is called."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from api.http.calls.commands import MEANINGS
from docs import generate
from docs.pages import cli_json
from docs.pages import commands
from docs.pages import events
from docs.pages import gates
from docs.pages import permissions
from docs.pages import rollout_file
from docs.pages import states
from orchestrator import config
from orchestrator.aws.client.transport import Answer
from orchestrator.aws.client.transport import Transport
from orchestrator.config.settings_file.models import settings_schema
from orchestrator.core.domain.commands import ACCEPTED
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.phases import Phase
from orchestrator.core.preflight.grants import GRANTS
from sandbox.world.kernel.errors import AwsRefusal
from sandbox.world.kernel.errors import CallLost
from tests.support.direct_transport import DirectTransport
from tests.support.rehearsal import Rehearsal


@pytest.mark.long
def test_every_generated_page_is_as_the_code_has_it(capsys: pytest.CaptureFixture[str]) -> None:
    code = generate.main(["--check"])
    assert (code, capsys.readouterr().err) == (0, "")


@pytest.mark.long
def test_check_names_a_page_that_differs_and_one_that_is_missing(tmp_path: Path) -> None:
    for name, text in generate.pages().items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert generate.differing(tmp_path) == []
    (tmp_path / "states.md").write_text("something else")
    (tmp_path / "events.md").unlink()
    assert generate.differing(tmp_path) == ["states.md", "events.md"]


def test_pages_name_every_phase_event_and_command() -> None:
    assert set(states.WANTED) == set(Phase)
    assert set(events.MEANINGS) == set(EventKind)
    assert set(MEANINGS) == set(CommandKind)


def test_table_of_commands_has_a_yes_for_each_that_is_accepted() -> None:
    row = next(line for line in commands.page().splitlines() if line.startswith("| `promote` |"))
    assert row.count("yes") == sum(CommandKind.PROMOTE in accepted for accepted in ACCEPTED.values())


def test_the_table_of_commands_has_a_column_for_every_phase_in_which_one_is_accepted() -> None:
    head = next(line for line in commands.page().splitlines() if line.startswith("| command | `"))
    assert [f"`{phase}`" for phase in Phase if ACCEPTED[phase]] == head.strip("| ").split(" | ")[1:]


def test_the_page_of_gates_says_what_promote_waives_as_their_holds_have_it() -> None:
    """A gate whose file marks its HOLDs as no evidence is one that promote does not waive."""
    marked = {name for name in gates.NAMES if "is_evidence=False" in source(gates.module_of(name))}
    assert set(gates.NEVER_WAIVED) == marked
    assert f"every HOLD that is for want of evidence, whichever of {gates.WAIVED} gave it" in gates.page()


def source(module: ModuleType) -> str:
    assert module.__file__ is not None
    return Path(module.__file__).read_text(encoding="utf-8")


def test_a_key_that_holds_things_by_name_says_so_and_lists_what_they_have() -> None:
    schema = settings_schema()
    told = {row[0]: row[1] for row in rollout_file.rows(schema, schema)}
    assert told["`prometheus`"] == "a mapping of names to: a mapping"
    assert "`prometheus.NAME.url`" in told
    assert "object" not in told.values()


def test_what_outputs_prints_is_described_as_what_it_is() -> None:
    assert "| `teal outputs` | [Names](#names) |" in cli_json.page()


def test_every_key_of_the_schema_has_a_row() -> None:
    schema = config.schema()
    told = {re.split(r"[.\]]", row[0].strip("`"))[-1] for row in rollout_file.rows(schema, schema)}
    assert {key for part in (schema, *schema["$defs"].values()) for key in part.get("properties", ())} == told


def test_every_gate_has_a_section_and_every_link_leads_to_one() -> None:
    page = gates.page()
    for link in re.findall(r"\]\(#([a-z_]+)\)", page):
        assert f"\n## {link}\n" in page


class Recorded:
    """A transport that remembers which actions went through it."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self.actions: set[str] = set()

    async def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Answer:
        self.actions.add(f"{permissions.PREFIXES[service]}:{operation}")
        return await self._inner.call(service, operation, params)


def recorded(stage: Rehearsal) -> Recorded:
    """Record what Teal calls on this stage from now on."""
    transport = Recorded(DirectTransport(stage.world.call, refusal=AwsRefusal, lost=CallLost))
    stage.cloud = stage.cloud_of(transport)
    return transport


def granted(prefix: str = "") -> set[str]:
    """What the statements whose names begin so allow."""
    return {action for grant in GRANTS if grant.sid.startswith(prefix) for action in grant.actions}


def test_policy_allows_what_a_whole_rollout_calls() -> None:
    with Rehearsal(requests_per_second=20) as stage:
        calls = recorded(stage)
        rollout = stage.start(stage.spec(stage.revision({"VERSION": "2"})))
        assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    assert {"ecs:CreateService", "elasticloadbalancing:ModifyRule"} <= calls.actions
    assert calls.actions <= granted() | permissions.WITHOUT_PERMISSION


def test_statements_named_read_allow_what_a_preflight_calls() -> None:
    with Rehearsal(requests_per_second=1) as stage:
        calls = recorded(stage)
        stage.start(stage.spec(stage.revision()))
    assert calls.actions <= granted("Read") | permissions.WITHOUT_PERMISSION


def test_source_is_read_for_every_call_that_a_rollout_makes() -> None:
    with Rehearsal(requests_per_second=20) as stage:
        calls = recorded(stage)
        rollout = stage.start(stage.spec(stage.revision({"VERSION": "2"})))
        stage.until(rollout, Phase.WATCHING)
        stage.command(rollout, CommandKind.ROLLBACK)
        assert stage.until(rollout).phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert calls.actions <= permissions.actions()


def without_words(node: Any, path: str = "") -> list[str]:  # noqa: ANN401 - a JSON document
    """The properties of a schema, wherever in it they are, that nothing describes."""
    if isinstance(node, list):
        return [found for index, one in enumerate(node) for found in without_words(one, f"{path}/{index}")]
    if not isinstance(node, dict):
        return []
    own = node.get("properties")
    bare = [
        f"{path}/{name}"
        for name, one in (own.items() if isinstance(own, dict) else ())
        if isinstance(one, dict) and not one.get("description") and "$ref" not in str(one)
    ]
    return bare + [found for key, one in node.items() for found in without_words(one, f"{path}/{key}")]


@pytest.mark.parametrize("page", ["openapi.json", "rollout.schema.json", "settings.schema.json"])
def test_every_property_of_a_published_schema_has_words(page: str) -> None:
    assert without_words(json.loads((generate.ROOT / "docs" / page).read_text(encoding="utf-8"))) == []
