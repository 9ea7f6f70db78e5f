"""The kinds of value in a rollout file: how each is read, and how the published schema describes it.

Each reader raises a pydantic error of type ``teal`` whose context says what is wrong and what to write instead.
"""

import difflib
import re
from collections.abc import Callable, Iterable
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from orchestrator.config.text.quantities import (
    Periods,
    parse_duration,
    parse_lag,
    parse_share,
    parse_weight,
    shown,
)
from orchestrator.core.domain.ids import RuleArn, Tenths
from orchestrator.core.gates.gate import NoData
from orchestrator.core.rollout.spec import (
    Background,
    Capacity,
    Discovery,
    LimitThen,
    OnDrift,
    OnFailure,
    ServiceName,
    Sticky,
)

E = TypeVar("E", bound=StrEnum)

_NAME = r"[A-Za-z0-9_-]{1,255}"
_ELB = r"arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:\d{12}:"
_SERVICE = re.compile(rf"({_NAME})/({_NAME})", re.ASCII)
_REVISION = re.compile(
    rf"(arn:aws[a-z-]*:ecs:[a-z0-9-]+:\d{{12}}:task-definition/)?{_NAME}:\d{{1,9}}", re.ASCII
)
_FAMILY = re.compile(rf"(arn:aws[a-z-]*:ecs:[a-z0-9-]+:\d{{12}}:task-definition/)?{_NAME}", re.ASCII)
_RULE = re.compile(_ELB + r"listener-rule/(app|net)/[^/\s]+/\w+/\w+/\w+", re.ASCII)
_LISTENER = re.compile(_ELB + r"listener/(app|net)/[^/\s]+/\w+/\w+", re.ASCII)
_ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", re.ASCII)
_CHANNEL = re.compile(
    r"#[^\s#@,:<>&A-Z]{1,80}|[CG][A-Z0-9]{6,20}"
)  # Slack's: a name in small letters, or its id
_REGION = re.compile(r"[a-z]{2}(-[a-z]{2,})+-\d", re.ASCII)


def refusal(what: str, instead: str) -> PydanticCustomError:
    """A pydantic error that carries a mistake's two sentences."""
    return PydanticCustomError("teal", "{what}: {instead}", {"what": what, "instead": instead})


def near(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant, or nothing."""
    return next(iter(difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)), "")


def one_of(word: object, known: Iterable[str], *, or_else: str = "") -> str:
    """What to write instead of an unknown word: the near one if there is one, else all of them."""
    known = tuple(known)
    meant = near(word, known) if isinstance(word, str) else ""
    return f"did you mean {meant}?" if meant else "write " + _either((*known, or_else) if or_else else known)


def _either(words: tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def reader(parse: Callable[[object], object]) -> BeforeValidator:
    """Reads a value by a parser that raises ValueError with what is wrong and what to write instead."""

    def read(value: Any) -> object:  # noqa: ANN401 - pydantic hands over what the file holds
        try:
            return parse(value)
        except ValueError as error:
            what, instead = error.args
            raise refusal(what, instead) from None

    return BeforeValidator(read)


def choice(kind: type[E]) -> BeforeValidator:
    """Reads one of a closed set's words."""

    def read(value: object) -> E:
        words = tuple(member.value for member in kind)
        if isinstance(value, str) and value in words:
            return kind(value)
        raise ValueError(f"{shown(value)} is not known here", one_of(value, words))

    return reader(read)


def one_word(kind: type[StrEnum]) -> WithJsonSchema:
    """The published schema of one of a closed set's words."""
    return WithJsonSchema({"type": "string", "enum": [member.value for member in kind]})


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(
            f"{shown(value)} is not a name", 'write a text, in quotes if it looks like a number: "43"'
        )
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{shown(value)} is neither true nor false", "write true or false")
    return value


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 100:
        raise ValueError(f"{shown(value)} is not a number of people", "write a whole number from 1 to 100")
    return value


def _some_time(value: object) -> timedelta:
    duration = parse_duration(value)
    if duration == timedelta(0):
        raise ValueError(f"{shown(value)} leaves no time at all", "write more than 0s")
    return duration


def _period(value: object) -> timedelta:
    period = parse_duration(value)
    seconds = period / timedelta(seconds=1)
    if seconds not in (1, 5, 10, 20, 30) and (seconds == 0 or seconds % 60 or seconds > 3600):
        raise ValueError(
            f"{shown(value)} is no period of CloudWatch",
            "write 1s, 5s, 10s, 20s, 30s, or whole minutes up to 60m",
        )
    return period


def _lag(value: object) -> timedelta | Periods:
    lag = parse_lag(value)
    if isinstance(lag, Periods) and not 1 <= lag.count <= 60:
        raise ValueError(f"{shown(value)} is out of range", "write 1 to 60 periods")
    if isinstance(lag, timedelta) and lag > timedelta(hours=1):
        raise ValueError(f"{shown(value)} is too long a lag", "write at most 1h")
    return lag


def _service(value: object) -> ServiceName:
    found = _SERVICE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        name = value if isinstance(value, str) and re.fullmatch(_NAME, value, re.ASCII) else "checkout"
        raise ValueError(
            f"{shown(value)} does not name a service", f"write cluster/service, such as prod/{name}"
        )
    return ServiceName(cluster=found.group(1), service=found.group(2))


def _revision(value: object) -> str:
    if isinstance(value, str) and _REVISION.fullmatch(value):
        return value
    if isinstance(value, str) and _FAMILY.fullmatch(value):
        # A bare family means whatever is newest when it is read: not the same thing twice.
        raise ValueError(f"{shown(value)} has no revision", f"write family:revision, such as {value[:60]}:43")
    raise ValueError(
        f"{shown(value)} is no task definition", "write family:revision or its ARN, such as checkout:43"
    )


def _rule(value: object) -> str:
    if isinstance(value, str) and _RULE.fullmatch(value):
        return RuleArn(value)
    if isinstance(value, str) and _LISTENER.fullmatch(value):
        raise ValueError("a listener's ARN where a rule's is due", "write {listener: …} around it")
    raise ValueError(f"{shown(value)} is no listener rule", "write a rule's ARN, arn:…:listener-rule/…")


def _listener(value: object) -> str:
    if isinstance(value, str) and _LISTENER.fullmatch(value):
        return value
    raise ValueError(f"{shown(value)} is no listener", "write a listener's ARN, arn:…:listener/…")


def _region(value: object) -> str:
    if isinstance(value, str) and _REGION.fullmatch(value):
        return value
    raise ValueError(f"{shown(value)} is no AWS region", "write one such as eu-west-1")


def _alias(value: object) -> str:
    if isinstance(value, str) and _ALIAS.fullmatch(value):
        return value
    raise ValueError(
        f"{shown(value)} is no alias of an account", "write letters, digits, dots, dashes: production"
    )


def _channel(value: object) -> str:
    if isinstance(value, str) and _CHANNEL.fullmatch(value):
        return value
    raise ValueError(
        f"{shown(value)} is no Slack channel", 'write its name, in quotes: "#deploys", or its id, C…'
    )


def written_as(pattern: str, *examples: str) -> WithJsonSchema:
    """The published schema of a text of a certain form."""
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern}$", "examples": list(examples)})


_DURATION = r"(\d+(\.\d+)?(ms|[dhms]) ?)+"

Text = Annotated[str, reader(_text)]
Flag = Annotated[bool, reader(_flag)]
Count = Annotated[int, reader(_count), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 100})]
Service = Annotated[ServiceName, reader(_service), written_as(f"{_NAME}/{_NAME}", "prod/checkout")]
Revision = Annotated[str, reader(_revision), written_as(r"\S+:\d+", "checkout:43")]
Rule = Annotated[str, reader(_rule), written_as(r"arn:\S+:listener-rule/\S+")]
Listener = Annotated[str, reader(_listener), written_as(r"arn:\S+:listener/\S+")]
Region = Annotated[str, reader(_region), written_as(_REGION.pattern, "eu-west-1")]
Bake = Annotated[timedelta, reader(parse_duration), written_as(_DURATION, "0s", "5m", "1h30m")]
SomeTime = Annotated[timedelta, reader(_some_time), written_as(_DURATION, "15m", "2h")]
Period = Annotated[timedelta, reader(_period), written_as(_DURATION, "60s", "5s")]
Lag = Annotated[
    timedelta | Periods,
    reader(_lag),
    written_as(rf"({_DURATION}|\d+ ?periods?)", "2 periods", "90s"),
]
Weight = Annotated[
    Tenths,
    reader(parse_weight),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0, "maximum": 100, "multipleOf": 0.1},
                {"type": "string", "pattern": r"^\d+(\.\d)? ?%$"},
            ],
            "examples": [1, 0.5, "10%"],
        }
    ),
]
Share = Annotated[float, reader(parse_share), written_as(r"\d+(\.\d+)? ?%", "5%")]
Alias = Annotated[str, reader(_alias), written_as(_ALIAS.pattern, "production")]
Channel = Annotated[str, reader(_channel), written_as(_CHANNEL.pattern, "#deploys")]
NoDataWord = Annotated[NoData, choice(NoData), one_word(NoData)]
ThenWord = Annotated[LimitThen, choice(LimitThen), one_word(LimitThen)]
OnFailureWord = Annotated[OnFailure, choice(OnFailure), one_word(OnFailure)]
CapacityWord = Annotated[Capacity, choice(Capacity), one_word(Capacity)]
BackgroundWord = Annotated[Background, choice(Background), one_word(Background)]
DiscoveryWord = Annotated[Discovery, choice(Discovery), one_word(Discovery)]
StickyWord = Annotated[Sticky, choice(Sticky), one_word(Sticky)]
OnDriftWord = Annotated[OnDrift, choice(OnDrift), one_word(OnDrift)]
