"""How far this machine's clock is from AWS's, by the `Date` of answers and of refusals, through the real clients."""

import asyncio
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.aws.client.botocore import open_wire
from orchestrator.aws.client.clock_skew import Skew
from orchestrator.core.domain.errors import Outside
from tests.support.loopback import listening

pytestmark = [pytest.mark.machine, pytest.mark.usefixtures("made_up_credentials")]

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ALARMS = b"<DescribeAlarmsResponse><DescribeAlarmsResult/></DescribeAlarmsResponse>"
TOO_SKEWED = b'{"__type":"InvalidSignatureException","message":"Signature not yet current"}'


def skew_after(status: str, body: bytes, date: str, service: str, operation: str) -> timedelta:
    """What is known after one call that was answered so."""
    skew = Skew(lambda: NOON)

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        await reader.readexactly(int(length[1]) if length else 0)
        head_lines = (
            f"HTTP/1.1 {status}\r\nDate: {date}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        writer.write(head_lines.encode() + body)
        await writer.drain()
        writer.close()

    async def ask() -> None:
        async with listening(reply) as port:
            with pytest.MonkeyPatch.context() as environment:
                environment.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
                async with open_wire("eu-west-1", heard=skew.hear) as transport:
                    with suppress(Outside):
                        await transport.call(service, operation, {})

    asyncio.run(ask())
    return skew.ahead


@pytest.mark.parametrize(
    ("status", "body", "service", "operation"),
    [
        ("200 OK", b'{"clusterArns":[]}', "ecs", "ListClusters"),
        ("400 Bad Request", TOO_SKEWED, "ecs", "ListClusters"),
        ("200 OK", ALARMS, "cloudwatch", "DescribeAlarms"),
    ],
    ids=["an answer", "a refused signature", "CloudWatch"],
)
def test_every_answer_and_refusal_says_what_time_it_is_there(
    status: str, body: bytes, service: str, operation: str
) -> None:
    date = "Mon, 02 Mar 2026 12:07:00 GMT"
    assert skew_after(status, body, date, service, operation) == timedelta(minutes=7)


@pytest.mark.parametrize("date", ["", "yesterday", "2026-03-02T12:07:00Z"])
def test_a_header_that_says_nothing_changes_nothing(date: str) -> None:
    assert skew_after("200 OK", b"{}", date, "ecs", "ListClusters") == timedelta(0)


def test_a_few_seconds_are_no_news() -> None:
    skew = Skew(lambda: NOON)
    for date in ("Mon, 02 Mar 2026 12:01:30 GMT", "Mon, 02 Mar 2026 12:01:32 GMT"):
        skew.hear({"ResponseMetadata": {"HTTPHeaders": {"date": date}}})
    assert skew.ahead == timedelta(seconds=90)
