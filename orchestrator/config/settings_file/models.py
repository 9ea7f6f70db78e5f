"""The shape of a settings file. Every default is that of `orchestrator.settings`, so that each is written once."""

from datetime import timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from orchestrator.config.gates.window import Reason, Wall, Zone
from orchestrator.config.settings_file.secrets import ENV_NAME, POINT_TO_IT
from orchestrator.config.text.fields import Alias, Channel, Region, SomeTime, refusal
from orchestrator.config.text.json_schema import described
from orchestrator.config.text.quantities import duration_text
from orchestrator.config.text.settings_fields import (
    Bound,
    Claim,
    EventWord,
    ExternalId,
    HookName,
    HookUrl,
    Host,
    Line,
    OwnUrl,
    PrivateHost,
    Proxy,
    PublicUrl,
    Registry,
    RetentionDays,
    RoleArn,
    RoleWord,
    Services,
    SlackGroup,
    SlackTeam,
    SlackUser,
    SourceName,
)
from orchestrator.config.text.versions import FORMAT, FileVersion
from orchestrator.core.domain.calendar import WindowSpec
from orchestrator.settings import RETENTION, Bounds

FREEZES_MAX = 500


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _pointer(value: object) -> object:
    """One of the two ways to a secret. No message quotes what stands here: it may be the secret itself."""
    if not isinstance(value, dict):
        raise refusal("a secret is written into the file", POINT_TO_IT)
    if len(value) != 1 or not value.keys() <= {"env", "file"}:
        raise refusal("a secret is named in another way than env or file", POINT_TO_IT)
    ((kind, target),) = value.items()
    if kind == "env" and not (isinstance(target, str) and ENV_NAME.fullmatch(target)):
        raise refusal("env does not name an environment variable", "write capitals: {env: TEAL_SLACK_TOKEN}")
    if kind == "file" and not (isinstance(target, str) and target.startswith("/") and "\0" not in target):
        raise refusal("file does not name a file by its whole path", "write {file: /run/secrets/slack-token}")
    return value


class SecretModel(_Model):
    """Where a secret is: the file never holds it."""

    env: str | None = Field(default=None, description="Name of an environment variable that holds it.")
    file: str | None = Field(
        default=None,
        description="Path of a file that holds it, which other users may not read; its last newline is left out.",
    )


Pointer = Annotated[SecretModel, BeforeValidator(_pointer)]


class AccountModel(_Model):
    """An AWS account that rollout files name by its alias."""

    alias: Alias = Field(description="What rollout files write as account.")
    role: RoleArn | None = Field(
        default=None, description="ARN of the role to assume. Default: the server's own credentials."
    )
    external_id: ExternalId | None = Field(
        default=None, description="The external id that the role asks for."
    )
    region: Region | None = Field(default=None, description="Default: the environment's.")


class HostsModel(_Model):
    """Where Teal may send requests that somebody else named."""

    allowed: list[Host] = Field(
        default=[], description="Public hosts, * for any part. Default: every public host."
    )
    private: list[PrivateHost] = Field(
        default=[],
        description="Hosts that may have private, loopback or link-local addresses, and be reached without TLS.",
    )


class JobModel(_Model):
    """What a CI job may do whose token carries all these claims."""

    claims: dict[Line, Claim] = Field(
        description="Claim and value, * for any part; at least one must name a repository or project.",
        examples=[{"repository": "example-org/checkout", "ref": "refs/heads/main"}],
    )
    role: RoleWord = Field(description="What the job may do.")
    services: list[Services] = Field(
        default=[], description="Only with these services. Default: every service."
    )


class IssuerModel(_Model):
    """An OpenID Connect issuer whose tokens are accepted."""

    url: OwnUrl = Field(description="The issuer, to the letter as its tokens' iss says it.")
    audience: Line = Field(description="What the tokens' aud must hold.")
    name_claim: Line = Field(default="email", description="People: the claim that names the person.")
    groups_claim: Line = Field(default="groups", description="People: the claim that lists groups.")
    roles: dict[Line, RoleWord] = Field(
        default={}, description="People: group and the role it gives; the highest counts."
    )
    actor_claim: Line = Field(default="actor", description="Jobs: the claim that names who set the job off.")
    jobs: list[JobModel] = Field(
        default=[], description="Rules for CI jobs. With any, every token of this issuer is a job's."
    )


class PersonModel(_Model):
    """One person at every door."""

    name: Line = Field(
        description="As rollouts, approvals and the audit log name them. Names differ by more than their case."
    )
    slack: SlackUser | None = Field(default=None, description="Slack's user id.")
    also: list[Line] = Field(default=[], description="Names by which issuers and CI know the same person.")
    tokens: list[Line] = Field(
        default=[],
        description="Names of the tokens that this person carries: what comes by one is theirs. No token may have a "
        "person's own name.",
    )
    role: RoleWord | None = Field(default=None, description="Default: what the door's own evidence gives.")
    services: list[Services] = Field(default=[], description="Only these services. Default: every service.")
    groups: list[Line] = Field(default=[], description="Groups, as approvers name them: group:release.")


class SlackModel(_Model):
    """Teal's app in a Slack workspace."""

    token: Pointer = Field(description="The bot's token, xoxb-….")
    signing_secret: Pointer = Field(description="The app's signing secret.")
    channel: Channel = Field(description="The channel of rollouts whose file names none.")
    team: SlackTeam | None = Field(default=None, description="Requests of other workspaces are refused.")
    groups: dict[Line, SlackGroup] = Field(
        default={}, description="Group of people and Slack's user group id, for mentions."
    )
    api: OwnUrl = Field(default="https://slack.com/api/", description="Slack's API, for tests.")


class HookModel(_Model):
    """An address that events are sent to, as signed CloudEvents."""

    name: HookName = Field(description="Its name in logs, and in Teal's record of what was delivered to it.")
    url: HookUrl = Field(description="Where to POST. Without TLS only to hosts.private.")
    secret: Pointer = Field(description="The key of the signature: whsec_ and base64 of 24 to 64 bytes.")
    events: list[EventWord] = Field(default=[], description="Default: every event that concerns people.")
    services: list[Services] = Field(
        default=[], description="Only of these services. Default: every service."
    )


class PrometheusModel(_Model):
    """A Prometheus server, or another that speaks its HTTP API."""

    url: HookUrl = Field(
        description="Its address, without /api/v1. It may be private; without TLS no token is sent.",
        examples=["http://prometheus.internal:9090"],
    )
    token: Pointer | None = Field(default=None, description="A bearer token. Default: none is sent.")


def _time(value: timedelta, description: str) -> Any:  # noqa: ANN401 - as pydantic's Field
    return Field(default=value, description=description, json_schema_extra={"default": duration_text(value)})


class BoundsModel(_Model):
    """What the server's doors may be asked at most."""

    connections: Bound = Field(
        default=Bounds().connections,
        description="Connections at a time; fewer where the process may not open so many files.",
    )
    per_address: Bound = Field(
        default=Bounds().per_address,
        description="Of them, of one address; a trusted proxy's do not count.",
    )
    per_caller: Bound = Field(
        default=Bounds().per_caller,
        description="Requests of one caller at a time, commands not counted; half as many may wait for news.",
    )
    head: SomeTime = _time(Bounds().head, "From a connection, or a request's first byte, to its last header.")
    body: SomeTime = _time(Bounds().body, "From there to the body's last byte.")
    unread: SomeTime = _time(Bounds().unread, "How long a client may leave unread what was sent to it.")


class FreezeModel(_Model):
    """A time in which no rollout starts and no green grows."""

    begins: Wall = Field(alias="from", description="A date, or a date and a time.")
    ends: Wall = Field(alias="to", description="The same; a date alone means the end of that day.")
    zone: Zone = Field(default=WindowSpec().zone, description="Whose clock is meant.")
    reason: Reason = Field(description="Why, as people read it.", examples=["year's end"])
    services: list[Services] = Field(default=[], description="Only these services. Default: every service.")


class SettingsFile(_Model):
    """Everything a server needs beside its environment."""

    public_url: PublicUrl | None = Field(
        default=None, description="Where people reach the server, for links."
    )
    trusted_proxies: list[Proxy] = Field(
        default=[],
        description="Proxies whose word on a client's address counts (X-Forwarded-For). Default: those that "
        "FORWARDED_ALLOW_IPS names, else none.",
    )
    bounds: BoundsModel = BoundsModel()
    accounts: list[AccountModel] = Field(default=[], description="AWS accounts by alias.")
    registries: list[Registry] = Field(
        default=[],
        description="Images that revisions may run, * for any part (before the first slash: of the registry's name "
        "alone). Default: any.",
    )
    hosts: HostsModel = HostsModel()
    issuers: list[IssuerModel] = Field(
        default=[], description="OpenID Connect issuers of people and of CI jobs."
    )
    people: list[PersonModel] = Field(
        default=[], description="People, where a door alone does not know enough."
    )
    slack: SlackModel | None = None
    hooks: list[HookModel] = Field(default=[], description="Addresses that events are sent to.")
    prometheus: dict[SourceName, PrometheusModel] = Field(
        default={}, description="Servers by the name that rollout files say as metrics.source."
    )
    freezes: list[FreezeModel] | None = Field(
        default=None,
        max_length=FREEZES_MAX,
        description="The calendar of freezes, which `teal serve` keeps in the store for every engine of it. "
        "Default: what the store has.",
    )
    retention_days: RetentionDays = Field(
        default=RETENTION.days,
        description="How long rollouts that have ended, with their logs, and the log of calls stay in the store. What "
        "serves now, and what `--undo` needs, stays for ever.",
    )
    version: FileVersion = Field(default=FORMAT, description="Of this file's format.")


def settings_schema() -> dict[str, Any]:
    """The JSON Schema of a settings file, as ``teal schema --settings`` publishes it for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **described(SettingsFile.model_json_schema()),
        "title": "Teal settings file",
    }
