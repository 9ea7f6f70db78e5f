"""The real clients where AWS does not answer as it should; ordinary answers are in ``tests/contract``."""

import asyncio
import re
import socket
from contextlib import closing

import pytest

from orchestrator.aws.client.botocore import open_wire
from orchestrator.aws.client.call import Caller, Patience
from orchestrator.aws.session import BOTOCORE_FLOOR, check_botocore, open_cloud
from orchestrator.core.cloud.resources import Unread
from orchestrator.core.domain.errors import Denied, Missing, Outside, Refused, Rejected, Unreachable
from orchestrator.core.tick.needs import Needs, SurveyNeed
from tests.support.loopback import listening

Call = tuple[str, str, dict[str, object]]

DESCRIBE: Call = ("ecs", "DescribeServices", {"services": ["checkout"]})
ALARMS: Call = ("cloudwatch", "DescribeAlarms", {"AlarmNames": ["a"]})


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No credentials, region or files of the machine's owner, and no instance metadata."""
    for name in (
        "AWS_PROFILE",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return monkeypatch


@pytest.fixture
def credentials(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("AWS_ACCESS_KEY_ID", "sandbox")
    environment.setenv("AWS_SECRET_ACCESS_KEY", "sandbox")


async def _ask(service: str, operation: str, params: dict[str, object], has: str = "") -> None:
    async with open_wire("eu-west-1") as transport:
        await Caller(transport, patience=Patience.once()).read(service, operation, params, has=has)


async def _ask_of(answer: bytes, environment: pytest.MonkeyPatch, call: Call, has: str) -> None:
    """Ask an endpoint that answers every request with these bytes."""

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        await reader.readexactly(int(length[1]) if length else 0)
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with listening(reply) as port:
        environment.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        await _ask(*call, has=has)


def error_of(call: Call) -> Outside:
    with pytest.raises(Outside) as raised:
        asyncio.run(_ask(*call))
    return raised.value


@pytest.mark.parametrize("call", [DESCRIBE, ALARMS])
def test_missing_credentials_are_denied_and_say_how_to_give_them(
    call: tuple[str, str, dict[str, object]],
) -> None:
    error = error_of(call)
    assert isinstance(error, Denied)
    assert "AWS_ACCESS_KEY_ID" in error.next_step
    assert error.__cause__ is not None


@pytest.mark.machine
@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("call", [DESCRIBE, ALARMS])
def test_nobody_at_the_endpoint_is_unreachable(environment: pytest.MonkeyPatch, call: Call) -> None:
    with closing(socket.socket()) as bound:  # bound and not listening: connections are refused
        bound.bind(("127.0.0.1", 0))
        environment.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{bound.getsockname()[1]}")
        error = error_of(call)
    assert isinstance(error, Unreachable)
    assert "127.0.0.1" in error.why


REFUSAL = b'{"__type":"com.amazonaws.ecs#ClusterNotFoundException","message":"None"}'


def http(status: str, body: bytes, *, says: int | None = None) -> bytes:
    """An answer that says to be `says` bytes long, or as long as it is."""
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body) if says is None else says}\r\n"
    return f"{head}Connection: close\r\n\r\n".encode() + body


@pytest.mark.machine
@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (http("200 OK", b"not it"), Unreachable),
        (http("502 Bad Gateway", b"<html>"), Unreachable),
        (http("200 OK", b"{", says=60), Unreachable),
        (b"", Unreachable),
        (http("400 Bad Request", REFUSAL), Missing),
    ],
    ids=["no json", "a proxy's page", "cut short", "nothing", "a refusal"],
)
def test_what_is_on_the_wire_becomes_an_error_of_teal(
    environment: pytest.MonkeyPatch, answer: bytes, kind: type[Outside]
) -> None:
    with pytest.raises(kind):
        asyncio.run(_ask_of(answer, environment, DESCRIBE, has="services"))


OPERATIONS: list[Call] = [
    DESCRIBE,
    ALARMS,
    ("elbv2", "DescribeRules", {"ListenerArn": "arn:x"}),
    ("sts", "GetCallerIdentity", {}),
    ("ec2", "DescribeSubnets", {}),
    ("application-autoscaling", "DescribeScalableTargets", {"ServiceNamespace": "ecs"}),
]
XHTML = b"<!DOCTYPE html>\n<html><head><title>No</title></head><body><h1>Blocked</h1></body></html>"


@pytest.mark.machine
@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("call", OPERATIONS, ids=lambda call: call[0])
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (http("502 Bad Gateway", b"<html><br>no XML</html>"), "a page instead of an AWS answer (HTTP 502)"),
        (http("403 Forbidden", XHTML), "a page instead of an AWS answer (HTTP 403)"),
        (http("200 OK", XHTML), "a page instead of an AWS answer (HTTP 200)"),
        (http("301 Moved", XHTML), "a page instead of an AWS answer (HTTP 301)"),
        (http("200 OK", b"<other/>"), "answer"),
        (http("500 Wrong", b"<broken><xml>"), "answer"),
    ],
    ids=["a proxy's", "a firewall's", "another site's", "a redirect's", "other xml", "broken xml"],
)
def test_an_answer_that_is_not_awss_is_unreachable_and_its_markup_is_never_shown(
    environment: pytest.MonkeyPatch, call: Call, answer: bytes, words: str
) -> None:
    with pytest.raises(Unreachable) as raised:
        asyncio.run(_ask_of(answer, environment, call, has="Whatever"))
    assert words in raised.value.why
    assert "<" not in str(raised.value)


@pytest.mark.usefixtures("credentials")
def test_parameters_that_aws_would_not_take_are_rejected_before_they_are_sent() -> None:
    error = error_of(("ecs", "DescribeServices", {"services": "checkout"}))
    assert isinstance(error, Rejected)
    assert "services" in error.why


def test_a_profile_that_does_not_exist_is_denied(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("AWS_PROFILE", "nowhere")
    error = error_of(DESCRIBE)
    assert isinstance(error, Denied)
    assert "nowhere" in error.why


async def _look() -> tuple[Needs, object]:
    async with open_cloud() as cloud:
        needs = Needs(cluster="prod", blue="checkout")
        return needs, (await cloud.observe(needs)).blue


def test_opening_calls_nothing_and_a_look_without_credentials_is_unread(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    _, blue = asyncio.run(_look())
    assert isinstance(blue, Unread)
    assert "AWS_ACCESS_KEY_ID" in blue.why


def test_a_survey_without_credentials_is_denied(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("AWS_REGION", "eu-west-1")

    async def survey() -> None:
        async with open_cloud() as cloud:
            need = SurveyNeed(
                cluster="prod", service="checkout", task_definition="checkout:1", rules=(), alarms=()
            )
            await cloud.survey(need)

    with pytest.raises(Denied, match="credentials"):
        asyncio.run(survey())


def test_no_region_is_denied_and_says_what_to_set() -> None:
    with pytest.raises(Denied, match="AWS_DEFAULT_REGION"):
        asyncio.run(_look())


def test_an_old_botocore_is_refused_since_it_drops_what_it_does_not_know() -> None:
    with pytest.raises(Refused, match=r"1\.43\.114 is too old"):
        check_botocore("1.43.114")
    check_botocore(".".join(str(part) for part in BOTOCORE_FLOOR))
    check_botocore("1.44.0")
