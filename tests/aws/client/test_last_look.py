"""A call is not sent once the right to act has passed, however late that happens: the last look is after signing."""

import asyncio

import pytest
from botocore.auth import SigV4Auth

from orchestrator.aws.client.botocore import open_wire
from orchestrator.core.domain.errors import NotSent, Outside, Unreachable
from orchestrator.ports.right_to_act import acting_until, boot_seconds, has_passed
from tests.support.loopback import listening

pytestmark = [pytest.mark.machine, pytest.mark.usefixtures("made_up_credentials")]

UPDATE = ("ecs", "UpdateService", {"service": "checkout", "taskDefinition": "checkout:2"})
PUT_ALARM = (
    "cloudwatch",
    "PutMetricAlarm",
    {"AlarmName": "a", "EvaluationPeriods": 1, "ComparisonOperator": "LessThanThreshold"},
)
WRITES = pytest.mark.parametrize("write", [UPDATE, PUT_ALARM], ids=["aiobotocore", "boto3"])
Write = tuple[str, str, dict[str, object]]


class FrozenClock:
    """Stands still until the process wakes."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FrozenClock:
    """A clock that jumps by a minute while a call is being signed, as if the process had been frozen there."""
    made, sign = FrozenClock(), SigV4Auth.add_auth

    def frozen(auth: SigV4Auth, request: object) -> None:
        sign(auth, request)
        made.seconds += 60

    monkeypatch.setattr(SigV4Auth, "add_auth", frozen)
    return made


def error_of(
    write: Write, monkeypatch: pytest.MonkeyPatch, clock: FrozenClock, until: float
) -> tuple[Outside, int]:
    """The error of a write, and how many connections came to the endpoint."""
    connections = 0

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        writer.close()

    async def script() -> None:
        service, operation, params = write
        async with listening(hang_up) as port:
            monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
            async with open_wire("eu-west-1") as transport:
                with acting_until(until, clock=clock):
                    await transport.call(service, operation, params)

    with pytest.raises(Outside) as raised:
        asyncio.run(script())
    return raised.value, connections


@WRITES
def test_a_process_frozen_while_it_signs_sends_nothing_once_its_lease_has_ended(
    write: Write, monkeypatch: pytest.MonkeyPatch, clock: FrozenClock
) -> None:
    error, connections = error_of(write, monkeypatch, clock, until=30)
    assert isinstance(error, NotSent)
    assert connections == 0
    assert "was not sent" in str(error)


@WRITES
def test_within_the_lease_the_call_is_sent(
    write: Write, monkeypatch: pytest.MonkeyPatch, clock: FrozenClock
) -> None:
    error, connections = error_of(write, monkeypatch, clock, until=90)
    assert isinstance(error, Unreachable)
    assert connections > 0


def test_outside_of_a_lease_nothing_bounds_a_call() -> None:
    assert not has_passed()
    with acting_until(boot_seconds() - 1):
        assert has_passed()
    assert not has_passed()
