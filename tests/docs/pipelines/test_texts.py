"""The page's texts and the action's are of one another."""

import re
from pathlib import Path

from orchestrator.config.settings_file.load import load_settings
from tests.docs.pipelines.plant import ACTION, PAGE, blocks, yaml


def test_the_actions_key_changes_with_a_re_run_and_with_nothing_else() -> None:
    """The run's attempt is in it, and nothing that differs between two requests of one attempt."""
    key = yaml((ACTION / "action.yml").read_text())["inputs"]["key"]["default"]
    parts = re.findall(r"\$\{\{ ([\w.]+) \}\}", key)
    assert parts == ["github.repository", "github.run_id", "github.run_attempt", "github.job"]


def test_workflow_gives_the_action_inputs_that_it_has() -> None:
    action = yaml((ACTION / "action.yml").read_text())
    (workflow,) = (document for document in map(yaml, blocks("yaml")) if "jobs" in document)
    (step,) = (one for one in workflow["jobs"]["rollout"]["steps"] if one.get("id") == "teal")
    assert set(step["with"]) <= set(action["inputs"])
    assert workflow["permissions"]["id-token"] == "write"
    used = set(re.findall(r"steps\.teal\.outputs\.(\w+)", PAGE))
    assert used <= set(action["outputs"])


def test_action_hands_every_input_to_its_script() -> None:
    action = yaml((ACTION / "action.yml").read_text())
    (step,) = action["runs"]["steps"]
    handed = {name.removeprefix("TEAL_").lower().replace("_", "-") for name in step["env"]}
    assert handed == set(action["inputs"])
    assert "${{" not in step["run"], "an input in a script could be a command"


def test_settings_of_the_page_are_settings(tmp_path: Path) -> None:
    (text,) = (block for block in blocks("yaml") if "issuers:" in block)
    path = tmp_path / "settings.yaml"
    path.write_text(text)
    assert [issuer.audience for issuer in load_settings(path).issuers] == ["teal", "teal"]
