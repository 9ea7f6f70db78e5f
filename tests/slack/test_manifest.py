"""The app manifest asks Slack for what the code uses, at the addresses it answers."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from api.slack.routes import ROUTERS

MANIFEST = Path(__file__).parents[2] / "helm-free" / "slack-manifest.yaml"


def manifest() -> dict[str, Any]:
    return dict(YAML(typ="safe").load(MANIFEST.read_text()))


def test_it_names_the_calls_that_the_door_answers() -> None:
    told = manifest()
    (command,) = told["features"]["slash_commands"]
    addresses = {command["url"], told["settings"]["interactivity"]["request_url"]}
    paths = {str(getattr(route, "path", "")) for router in ROUTERS for route in router.routes}
    assert {address.removeprefix("https://teal.example.com") for address in addresses} == paths
    assert command["command"] == "/teal"


def test_it_asks_for_the_scopes_that_are_used_and_no_other() -> None:
    scopes = manifest()["oauth_config"]["scopes"]["bot"]
    assert scopes == ["chat:write", "commands", "channels:history", "groups:history"]
