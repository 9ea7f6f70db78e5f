"""The settings file: what it says as values, and each mistake at its line, without ever showing a secret."""

import base64
import json
from pathlib import Path

import jsonschema_rs
import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML

from api.cli.main import teal
from docs.pages.settings import EXAMPLE
from orchestrator.bootstrap import open_settings
from orchestrator.config.settings_file.load import load_settings, read_settings
from orchestrator.config.settings_file.models import settings_schema
from orchestrator.core.domain.errors import Invalid
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.roles import Role
from orchestrator.settings import Account, Hosts, JobRule, Settings

KEY = "whsec_" + base64.b64encode(bytes(range(32))).decode()
ENVIRONMENT = {"SLACK_TOKEN": "xoxb-1-2", "SLACK_SIGNING": "8f742231b10e", "HOOK": KEY}
WHOLE = """\
public_url: https://teal.example.com/
accounts:
  - {alias: production, role: "arn:aws:iam::123456789012:role/teal", external_id: "x-1", region: eu-west-1}
registries: ["123456789012.dkr.ecr.eu-west-1.amazonaws.com/*"]
hosts: {allowed: ["*.example.com"], private: [smoke.internal]}
issuers:
  - {url: "https://login.example.com", audience: teal, roles: {release: approver}}
  - url: https://token.actions.githubusercontent.com
    audience: teal
    jobs:
      - {claims: {repository: example-org/*, repository_id: 12}, role: operator, services: [prod/checkout]}
people:
  - {name: author, slack: U024BE7LH, also: [author@example.com], role: approver, groups: [release]}
slack:
  token: {env: SLACK_TOKEN}
  signing_secret: {env: SLACK_SIGNING}
  channel: "#deploys"
  team: T1H9RESGL
  groups: {release: S0615G0KT}
hooks:
  - {name: pager, url: "https://hooks.example.com/x", secret: {env: HOOK}, events: [held], services: [prod/*]}
"""


def mistakes_in(text: str, environment: dict[str, str] | None = None) -> list[str]:
    """The mistakes of a settings file, each as ``line: what: instead``."""
    with pytest.raises(Invalid) as caught:
        read_settings(text, "s", ENVIRONMENT if environment is None else environment)
    return [line.removeprefix("s:") for line in str(caught.value).splitlines()]


def test_every_key_becomes_a_value() -> None:
    settings = read_settings(WHOLE, environment=ENVIRONMENT)
    assert settings.public_url == "https://teal.example.com"
    assert settings.account("production") == Account(
        alias="production",
        role="arn:aws:iam::123456789012:role/teal",
        external_id="x-1",
        region="eu-west-1",
    )
    assert settings.registries == ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/*",)
    assert settings.hosts == Hosts(allowed=("*.example.com",), private=("smoke.internal",))
    assert settings.issuers[0].roles == (("release", Role.APPROVER),)
    assert settings.issuers[1].jobs == (
        JobRule(
            claims=(("repository", "example-org/*"), ("repository_id", "12")),
            role=Role.OPERATOR,
            services=("prod/checkout",),
        ),
    )
    assert settings.person_named("author@example.com") == settings.person_by_slack("U024BE7LH")
    assert settings.slack is not None
    assert settings.slack.token.reveal() == "xoxb-1-2"
    assert settings.slack.groups == (("release", "S0615G0KT"),)
    assert settings.hooks[0].secret.reveal() == KEY
    assert settings.hooks[0].events == frozenset({EventKind.HELD})


def test_nothing_prints_a_secret() -> None:
    settings = read_settings(WHOLE, environment=ENVIRONMENT)
    for secret in ENVIRONMENT.values():
        assert secret not in repr(settings)
        assert secret not in str(settings.slack)


def test_the_published_schema_takes_the_whole_file() -> None:
    jsonschema_rs.validate(settings_schema(), YAML(typ="safe").load(WHOLE))


def test_the_documented_file_is_right() -> None:
    text = EXAMPLE.replace("{file: /run/secrets/slack-signing}", "{env: TEAL_SLACK_SIGNING}")
    keys = {"TEAL_SLACK_TOKEN": "xoxb-1", "TEAL_SLACK_SIGNING": "8f74", "TEAL_PAGER_KEY": KEY}
    settings = read_settings(text, environment=keys)
    assert settings.accounts
    assert settings.slack
    assert settings.hooks


def test_without_a_file_everything_has_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEAL_SETTINGS", raising=False)
    assert open_settings() == Settings()


def test_the_environment_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text("public_url: https://teal.example.com")
    monkeypatch.setenv("TEAL_SETTINGS", str(path))
    assert open_settings().public_url == "https://teal.example.com"


def test_a_file_that_is_named_and_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="the file cannot be read: No such file or directory"):
        load_settings(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("public_ur: x", '"public_ur" is not a known key: did you mean public_url?'),
        ("hosts: {alowed: []}", '"hosts.alowed" is not a known key: did you mean allowed?'),
        ("webhooks: []", '"webhooks" is not a known key: write hooks'),
        ("people: x", 'people is the value "x", not a list: write a list: [ … ]'),
        (
            "public_url: http://teal.example.com",
            "public_url: teal.example.com is addressed without TLS: write https",
        ),
        ("public_url: https://teal.example.com?x=1", "public_url: the address has a query (?…): remove it"),
        (
            "accounts: [{alias: a, role: teal}]",
            'accounts[1].role: "teal" is no role: write its ARN, such as arn:aws:iam::123456789012:role/teal',
        ),
        (
            "accounts: [{alias: a b}]",
            'accounts[1].alias: "a b" is no alias of an account: write letters, digits, dots, dashes: production',
        ),
        (
            "accounts: [{alias: a, external_id: x-1}]",
            "accounts[1].external_id: there is no role that could ask for it: write the role's ARN as role",
        ),
        (
            "accounts: [{alias: a}, {alias: a}]",
            'accounts[2].alias: "a" is also that of accounts[1]: give each its own',
        ),
        (
            "issuers: [{url: 'http://login.example.com', audience: teal}]",
            "issuers[1].url: login.example.com is addressed without TLS: write https",
        ),
        ("issuers: [{url: 'https://x.example'}]", "issuers[1].audience is missing: write audience: …"),
        (
            "issuers: [{url: 'https://x.example', audience: a}, {url: 'https://x.example', audience: a}]",
            "issuers[2]: the same issuer and audience as issuers[1]: write both as one",
        ),
        (
            "people: [{name: a, slack: U024BE7LH}, {name: b, slack: U024BE7LH}]",
            'people[2].slack: "U024BE7LH" is also that of people[1]: give each its own',
        ),
        (
            "people: [{name: a, also: [b]}, {name: b}]",
            'people[2]: "b" is also a name of people[1]: let each name be one person\'s',
        ),
        (
            "people: [{name: a@x.example}, {name: A@x.example}]",
            'people[2]: "A@x.example" is also a name of people[1], as "a@x.example": case makes nobody another '
            "person: let each name be one person's",
        ),
        (
            "people: [{name: a, tokens: [A]}]",
            'people[1]: "A" is the name of a person and of a token: give the token a name of its own',
        ),
        (
            "people: [{name: a, slack: a}]",
            'people[1].slack: "a" is no user of Slack: write its id in Slack, such as U024BE7LH',
        ),
        (
            "people: [{name: a, services: [prod]}]",
            'people[1].services[1]: "prod" is no pattern of services: write cluster/service, such as prod/*, or with '
            "an account before it: production:prod/*",
        ),
        (
            'registries: ["registry.example.com*"]',
            'registries[1]: "registry.example.com*" leaves open where the registry\'s name ends: '
            "write registry.example.com/*",
        ),
        (
            'hosts: {private: ["*.*"]}',
            'hosts.private[1]: "*.*" would open every address: name the private hosts that Teal may reach',
        ),
    ],
)
def test_a_mistake_is_told_with_what_to_write_instead(text: str, expected: str) -> None:
    assert mistakes_in(text) == [f"1: {expected}"]


@pytest.mark.parametrize(
    "claims",
    [
        "{}",
        "{ref: refs/heads/main}",
        '{repository: "*"}',
        '{repository: "*/checkout"}',
        '{repository: "example-org*"}',
        '{sub: "repo:*"}',
        '{repository_owner: "example*", ref: main}',
        '{project_id: "1*"}',
    ],
)
def test_a_rule_that_strangers_jobs_would_match_is_refused(claims: str) -> None:
    issuer = f"{{url: 'https://ci.example', audience: t, jobs: [{{claims: {claims}, role: operator}}]}}"
    (line,) = mistakes_in(f"issuers: [{issuer}]")
    assert line.startswith("1: issuers[1].jobs[1].claims: ")


@pytest.mark.parametrize(
    "claims",
    [
        "{repository: example-org/checkout}",
        "{repository: example-org/*}",
        "{repository_owner: example-org}",
        "{project_path: group/*, ref_protected: 'true'}",
        "{project_id: 12}",
        '{sub: "repo:example-org/checkout:*"}',
        '{sub: "organization:acme:pipeline:*"}',
    ],
)
def test_a_rule_that_names_an_owner_is_taken(claims: str) -> None:
    issuer = f"{{url: 'https://ci.example', audience: t, jobs: [{{claims: {claims}, role: operator}}]}}"
    assert read_settings(f"issuers: [{issuer}]").issuers[0].jobs


@pytest.mark.parametrize(
    ("url", "hosts", "expected"),
    [
        ("http://smoke.internal/x", "{private: [smoke.internal]}", None),
        ("http://smoke.internal/x", "{}", "smoke.internal is addressed without TLS"),
        ("https://hooks.example.com/x", "{allowed: ['*.example.com']}", None),
        ("https://elsewhere.example/x", "{allowed: ['*.example.com']}", "is not among hosts.allowed"),
    ],
)
def test_a_hook_goes_only_where_the_hosts_let_it(url: str, hosts: str, expected: str | None) -> None:
    text = f"hosts: {hosts}\nhooks: [{{name: a, url: '{url}', secret: {{env: HOOK}}}}]"
    if expected is None:
        assert read_settings(text, environment=ENVIRONMENT).hooks
    else:
        (line,) = mistakes_in(text)
        assert line.startswith("2: hooks[1].url: ")
        assert expected in line


SECRET = "xoxb-this-is-secret"


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        f"[{SECRET}]",
        f"{{env: {SECRET}}}",
        f"{{file: {SECRET}}}",
        f"{{value: {SECRET}}}",
        f"{{env: A, file: {SECRET}}}",
    ],
)
def test_a_secret_in_the_file_is_refused_and_not_repeated(written: str) -> None:
    (line,) = mistakes_in(
        f"slack: {{token: {written}, signing_secret: {{env: SLACK_SIGNING}}, channel: '#deploys'}}"
    )
    assert line.startswith("1: slack.token: ")
    assert SECRET not in line


def slack(token: str) -> str:
    return f"slack: {{token: {token}, signing_secret: {{env: SLACK_SIGNING}}, channel: '#deploys'}}"


def test_a_secret_is_read_from_a_file_without_its_newline(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("xoxb-5\n")
    path.chmod(0o640)
    found = read_settings(slack(f"{{file: {path}}}"), environment=ENVIRONMENT).slack
    assert found is not None
    assert found.token.reveal() == "xoxb-5"


def test_a_secret_that_every_user_may_read_is_refused_with_the_command_that_closes_it(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("xoxb-5")
    path.chmod(0o644)
    assert mistakes_in(slack(f"{{file: {path}}}")) == [
        f"1: slack.token: {path} is open to every user of this machine: close it: chmod o-rwx {path}"
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"\xff", "is not UTF-8"),
        (b"x" * 70_000, "is larger than 64 KiB"),
        (b"xoxb-1\nX-Injected: 1", "is no secret: it has a space at an end, or a line break"),
        (b"no-token", "is no token of a bot: it does not begin with xoxb-"),
    ],
)
def test_an_unfit_file_of_a_secret_is_told(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "token"
    path.write_bytes(content)
    path.chmod(0o600)
    (line,) = mistakes_in(slack(f"{{file: {path}}}"))
    assert expected in line
    assert "no-token" not in line


def test_a_directory_and_a_missing_file_are_no_secrets(tmp_path: Path) -> None:
    assert "is no file" in mistakes_in(slack(f"{{file: {tmp_path}}}"))[0]
    assert "No such file" in mistakes_in(slack(f"{{file: {tmp_path}/none}}"))[0]


def test_a_variable_that_is_not_set_is_named() -> None:
    assert mistakes_in(slack("{env: SLACK_TOKEN}"), {"SLACK_SIGNING": "x"}) == [
        "1: slack.token: the environment has no SLACK_TOKEN: set SLACK_TOKEN where Teal is started"
    ]


@pytest.mark.parametrize("key", ["abc", "whsec_abc", "whsec_" + base64.b64encode(bytes(8)).decode()])
def test_a_hooks_key_has_the_form_that_receivers_expect(key: str) -> None:
    text = "hooks: [{name: a, url: 'https://hooks.example.com', secret: {env: HOOK}}]"
    (line,) = mistakes_in(text, {"HOOK": key})
    assert "what was found is not whsec_ and base64 of 24 to 64 bytes" in line
    assert key not in line


def test_every_mistake_is_told_at_once_from_the_top_down() -> None:
    text = (
        "public_ur: x\n"
        "accounts: [{alias: a}, {alias: a}]\n"
        "hosts: {private: ['*']}\n"
        "slack: {token: {env: MISSING}, signing_secret: s, channel: deploys}\n"
    )
    assert [line.partition(":")[0] for line in mistakes_in(text)] == ["1", "2", "3", "4", "4", "4"]


def test_serve_checks_the_settings_and_ends(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text("public_ur: x")
    wrong = CliRunner().invoke(teal, ["serve", "--check", "--settings", str(path)])
    assert wrong.exit_code == 2
    assert f'{path}:1: "public_ur" is not a known key: did you mean public_url?' in wrong.output
    path.write_text("public_url: https://teal.example.com")
    right = CliRunner().invoke(teal, ["serve", "--check", "--settings", str(path)])
    assert (right.exit_code, right.output) == (0, "the settings are right\n")


def test_the_schema_of_settings_is_printed() -> None:
    printed = CliRunner().invoke(teal, ["schema", "--settings"])
    assert json.loads(printed.output) == settings_schema()
