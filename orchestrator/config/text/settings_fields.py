"""The kinds of value in a settings file: how each is read, and how the published schema describes it."""

import ipaddress
import re
from typing import Annotated

from pydantic import WithJsonSchema

from orchestrator.config.text.fields import choice, one_word, reader, written_as
from orchestrator.config.text.quantities import shown
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.roles import Role
from orchestrator.outbound.targets import Target, target_of

_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]{1,512}", re.ASCII)
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)  # AWS STS, AssumeRole
_HOOK_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}", re.ASCII)
_CLAIM = re.compile(r"[\x21-\x7e]{1,200}")
_HOST = re.compile(r"[a-z0-9_*-]+(\.[a-z0-9_*-]+)*|\[?[0-9a-f:.]*:[0-9a-f:.]*\]?", re.ASCII)
_USER = re.compile(r"[UW][A-Z0-9]{6,20}")
_GROUP = re.compile(r"S[A-Z0-9]{6,20}")
_TEAM = re.compile(r"T[A-Z0-9]{6,20}")
_SERVICES = re.compile(r"\*|([A-Za-z0-9._-]+:)?[\w*?-]+/[\w*?-]+", re.ASCII)
NAME_MAX = 200


def _line(value: object) -> str:
    if (
        isinstance(value, str)
        and value.isprintable()
        and value == value.strip()
        and 0 < len(value) <= NAME_MAX
    ):
        return value
    raise ValueError(f"{shown(value)} is not a name", f"write one line of at most {NAME_MAX} characters")


def _role_arn(value: object) -> str:
    if isinstance(value, str) and _ROLE.fullmatch(value):
        return value
    raise ValueError(
        f"{shown(value)} is no role", "write its ARN, such as arn:aws:iam::123456789012:role/teal"
    )


def _external_id(value: object) -> str:
    if isinstance(value, str) and _EXTERNAL_ID.fullmatch(value):
        return value
    raise ValueError(
        "not an external id of AWS",
        "write 2 to 1224 letters, digits and +=,.@:/-, in quotes if it is a number",
    )


def _hook_name(value: object) -> str:
    if isinstance(value, str) and _HOOK_NAME.fullmatch(value):
        return value
    raise ValueError(
        f"{shown(value)} is no name of a hook", "write small letters, digits and dashes: pagerduty"
    )


def _source_name(value: object) -> str:
    if isinstance(value, str) and _HOOK_NAME.fullmatch(value):
        return value
    raise ValueError(
        f"{shown(value)} is no name of a metric source", "write small letters, digits and dashes: prometheus"
    )


def _claim(value: object) -> str:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(text, str) and _CLAIM.fullmatch(text):
        return text
    raise ValueError(
        f"{shown(value)} is no claim's value", "write a text without spaces; * stands for any part"
    )


def _host(value: object) -> str:
    if isinstance(value, str) and _HOST.fullmatch(value.lower()):
        return value.lower()
    instead = "write a host's name or address alone, such as hooks.example.com or *.example.com"
    raise ValueError(f"{shown(value)} is no host", instead)


def _private_host(value: object) -> str:
    host = _host(value)
    if not re.search(r"[a-z0-9]", host.replace("*", "")) and ":" not in host:
        raise ValueError(
            f"{shown(value)} would open every address", "name the private hosts that Teal may reach"
        )
    return host


def _proxy(value: object) -> str:
    try:
        return str(ipaddress.ip_network(value if isinstance(value, str) else ""))
    except ValueError:
        instead = "write an address or a network, such as 10.0.0.7 or 10.0.0.0/24"
        raise ValueError(f"{shown(value)} is no address of a proxy", instead) from None


def _retention_days(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 30 <= value <= 10_000:
        raise ValueError(f"{shown(value)} is no number of days to keep what has ended", "write 30 to 10000")
    return value


def _bound(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 16 <= value <= 10_000:
        raise ValueError(f"{shown(value)} is no such number", "write a whole number from 16 to 10000")
    return value


def _registry(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[\w.:/@*-]{1,255}", value, re.ASCII):
        raise ValueError(
            f"{shown(value)} is no pattern of images",
            "write one such as 123456789012.dkr.ecr.eu-west-1.amazonaws.com/*",
        )
    if value.endswith("/"):
        raise ValueError(f"{shown(value)} is no image's name", f"write {value}*")
    if "*" in value and "/" not in value and value != "*":
        # registry.example.com* would also let registry.example.com.elsewhere.net/… through.
        raise ValueError(
            f"{shown(value)} leaves open where the registry's name ends", f"write {value.strip('*')}/*"
        )
    return value


def _services(value: object) -> str:
    if isinstance(value, str) and _SERVICES.fullmatch(value):
        return value
    raise ValueError(
        f"{shown(value)} is no pattern of services",
        "write cluster/service, such as prod/*, or with an account before it: production:prod/*",
    )


def _slack_id(pattern: re.Pattern[str], what: str, example: str) -> object:
    def read(value: object) -> str:
        if isinstance(value, str) and pattern.fullmatch(value):
            return value
        raise ValueError(f"{shown(value)} is no {what}", f"write its id in Slack, such as {example}")

    return reader(read)


def _url(value: object) -> str:
    _web(value)
    assert isinstance(value, str)
    return value


def _own_url(value: object) -> str:
    """The address of a server that operators name: https, or this machine."""
    target = _web(value)
    if target.scheme != "https" and not target.is_loopback:
        raise ValueError(f"{target.host} is addressed without TLS", "write https")
    assert isinstance(value, str)
    return value


def _plain_url(value: object) -> str:
    text = _own_url(value)
    if "?" in text:
        raise ValueError("the address has a query (?…)", "remove it")
    return text


def _public_url(value: object) -> str:
    return _plain_url(value).rstrip("/")


def _web(value: object) -> Target:
    if not isinstance(value, str):
        raise ValueError("the address is no URL", "write https://host/path")
    return target_of(value)


_WEB = WithJsonSchema({"type": "string", "format": "uri", "pattern": "^https?://"})

Line = Annotated[str, reader(_line)]
RoleArn = Annotated[str, reader(_role_arn), written_as(_ROLE.pattern, "arn:aws:iam::123456789012:role/teal")]
ExternalId = Annotated[str, reader(_external_id)]
SourceName = Annotated[str, reader(_source_name), written_as(_HOOK_NAME.pattern, "prometheus")]
HookName = Annotated[str, reader(_hook_name), written_as(_HOOK_NAME.pattern, "pagerduty")]
Claim = Annotated[
    str,
    reader(_claim),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "examples": ["example-org/checkout"]}, {"type": "integer"}]}
    ),
]
Host = Annotated[str, reader(_host), WithJsonSchema({"type": "string", "examples": ["*.example.com"]})]
PrivateHost = Annotated[
    str, reader(_private_host), WithJsonSchema({"type": "string", "examples": ["smoke.internal"]})
]
Proxy = Annotated[str, reader(_proxy), WithJsonSchema({"type": "string", "examples": ["10.0.0.0/24"]})]
Bound = Annotated[int, reader(_bound), WithJsonSchema({"type": "integer", "minimum": 16, "maximum": 10_000})]
Registry = Annotated[
    str,
    reader(_registry),
    WithJsonSchema({"type": "string", "examples": ["123456789012.dkr.ecr.eu-west-1.amazonaws.com/*"]}),
]
Services = Annotated[str, reader(_services), WithJsonSchema({"type": "string", "examples": ["prod/*"]})]
SlackUser = Annotated[
    str, _slack_id(_USER, "user of Slack", "U024BE7LH"), written_as(_USER.pattern, "U024BE7LH")
]
SlackGroup = Annotated[
    str, _slack_id(_GROUP, "user group of Slack", "S0615G0KT"), written_as(_GROUP.pattern, "S0615G0KT")
]
SlackTeam = Annotated[
    str, _slack_id(_TEAM, "workspace of Slack", "T1H9RESGL"), written_as(_TEAM.pattern, "T1H9RESGL")
]
HookUrl = Annotated[str, reader(_url), _WEB]
OwnUrl = Annotated[str, reader(_plain_url), _WEB]
PublicUrl = Annotated[str, reader(_public_url), _WEB]
RoleWord = Annotated[Role, choice(Role), one_word(Role)]
EventWord = Annotated[EventKind, choice(EventKind), one_word(EventKind)]
RetentionDays = Annotated[
    int, reader(_retention_days), WithJsonSchema({"type": "integer", "minimum": 30, "maximum": 10_000})
]
