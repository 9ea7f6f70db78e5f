"""The settings file into `orchestrator.settings.Settings`, with the secrets it points to: every mistake at once."""

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from pydantic import ValidationError

from orchestrator.config.gates.window import build_freeze
from orchestrator.config.rollout_file.load import in_order
from orchestrator.config.rollout_file.mistakes import Vocabulary, translate
from orchestrator.config.settings_file.cross_checks import settings_relations
from orchestrator.config.settings_file.models import (
    BoundsModel,
    FreezeModel,
    HookModel,
    IssuerModel,
    PersonModel,
    PrometheusModel,
    SettingsFile,
    SlackModel,
)
from orchestrator.config.settings_file.secrets import Secrets, secrets_of
from orchestrator.config.text.versions import refuse_newer
from orchestrator.config.text.yaml_document import FileKind, read_file, read_text
from orchestrator.core.domain.calendar import Freeze
from orchestrator.core.domain.errors import Invalid
from orchestrator.settings import (
    Account,
    Bounds,
    Hook,
    Hosts,
    Issuer,
    JobRule,
    Person,
    Prometheus,
    Settings,
    Slack,
)

SETTINGS = FileKind(
    name="settings file", least="write at least one key, such as public_url", one="write one settings file"
)
VOCABULARY = Vocabulary(
    model=SettingsFile,
    elsewhere={
        "channel": "write it under slack",
        "groups": "write it under people, or under slack",
        "jobs": "write it under issuers",
        "freeze": "write freezes",
        "oidc": "write issuers",
        "roles": "write it under issuers",
        "tokens": "make tokens with `teal tokens create`: they are kept in the store",
        "token": "write it under slack",
        "users": "write people",
        "webhooks": "write hooks",
    },
    examples={
        "/freezes/0/from": "write from: 2026-12-19",
        "/freezes/0/to": "write to: 2027-01-03",
        "/slack/channel": 'write channel: "#deploys"',
        "/slack/token": "write token: {env: TEAL_SLACK_TOKEN}",
        "/slack/signing_secret": "write signing_secret: {env: TEAL_SLACK_SIGNING_SECRET}",
    },
    schema="teal schema --settings",
)


def load_settings(path: str | Path, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings in a file, with the secrets it points to. Raises Invalid with every mistake, each at its line.

    `environment` None: the process's.
    """
    return read_settings(read_file(Path(path), SETTINGS), str(path), environment)


def read_settings(
    text: str, source: str = "settings.yaml", environment: Mapping[str, str] | None = None
) -> Settings:
    """The settings in a YAML text. Raises Invalid with every mistake, each at its line of `source`."""
    document = read_text(text, source, SETTINGS)
    refuse_newer(document)
    secrets = secrets_of(document, os.environ if environment is None else environment)
    mistakes = [*secrets.mistakes, *settings_relations(document, secrets)]
    try:
        file = SettingsFile.model_validate(document.value)
    except ValidationError as error:
        # Not chained: pydantic's error quotes values, among which may be a secret.
        mistakes = [*translate(error, document, VOCABULARY), *mistakes]
        raise Invalid(source=source, mistakes=in_order(mistakes)) from None
    if mistakes:
        raise Invalid(source=source, mistakes=in_order(mistakes))
    return _settings(file, secrets)


def _settings(file: SettingsFile, secrets: Secrets) -> Settings:
    return Settings(
        public_url=file.public_url or "",
        trusted_proxies=tuple(file.trusted_proxies),
        bounds=Bounds(**{name: getattr(file.bounds, name) for name in BoundsModel.model_fields}),
        accounts=tuple(
            Account(
                alias=one.alias,
                role=one.role or "",
                external_id=one.external_id or "",
                region=one.region or "",
            )
            for one in file.accounts
        ),
        registries=tuple(file.registries),
        hosts=Hosts(allowed=tuple(file.hosts.allowed), private=tuple(file.hosts.private)),
        issuers=tuple(_issuer(one) for one in file.issuers),
        people=tuple(_person(one) for one in file.people),
        slack=_slack(file.slack, secrets) if file.slack else None,
        hooks=tuple(_hook(one, f"/hooks/{index}/secret", secrets) for index, one in enumerate(file.hooks)),
        prometheus=tuple(_prometheus(name, one, secrets) for name, one in file.prometheus.items()),
        retention=timedelta(days=file.retention_days),
        freezes=None if file.freezes is None else tuple(_freeze(one) for one in file.freezes),
    )


def _issuer(one: IssuerModel) -> Issuer:
    return Issuer(
        url=one.url,
        audience=one.audience,
        name_claim=one.name_claim,
        groups_claim=one.groups_claim,
        roles=tuple(one.roles.items()),
        actor_claim=one.actor_claim,
        jobs=tuple(
            JobRule(claims=tuple(job.claims.items()), role=job.role, services=tuple(job.services))
            for job in one.jobs
        ),
    )


def _person(one: PersonModel) -> Person:
    return Person(
        name=one.name,
        slack=one.slack or "",
        also=tuple(one.also),
        tokens=tuple(one.tokens),
        role=one.role,
        services=tuple(one.services),
        groups=tuple(one.groups),
    )


def _slack(one: SlackModel, secrets: Secrets) -> Slack:
    return Slack(
        token=secrets.found["/slack/token"],
        signing_secret=secrets.found["/slack/signing_secret"],
        channel=one.channel,
        team=one.team or "",
        groups=tuple(one.groups.items()),
        api=one.api,
    )


def _hook(one: HookModel, pointer: str, secrets: Secrets) -> Hook:
    return Hook(
        name=one.name,
        url=one.url,
        secret=secrets.found[pointer],
        events=frozenset(one.events),
        services=tuple(one.services),
    )


def _prometheus(name: str, one: PrometheusModel, secrets: Secrets) -> Prometheus:
    token = secrets.found[f"/prometheus/{name}/token"] if one.token else None
    return Prometheus(name=name, url=one.url, token=token)


def _freeze(one: FreezeModel) -> Freeze:
    return build_freeze(
        begins=one.begins, ends=one.ends, zone=one.zone, reason=one.reason, services=one.services
    )
