"""Slack's signature, checked on the raw bytes before anything is read out of them: the door's only authentication."""

import ipaddress
import urllib.parse

from fastapi import Request
from slack_sdk.signature import Clock as SignatureClock
from slack_sdk.signature import SignatureVerifier

from api.problems import Unauthenticated
from api.slack.slack_state import SlackDoor
from orchestrator.ports.clock import Clock

FIELDS_MAX = 50


class _Seconds(SignatureClock):
    """The engine's clock, as the SDK asks for the time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> float:
        """Seconds since 1970."""
        return self._clock.now().timestamp()


async def slack_door(request: Request) -> SlackDoor:
    """The door that a request came through."""
    door = request.app.state.slack
    assert isinstance(door, SlackDoor)
    return door


async def signed_form(request: Request) -> dict[str, str]:
    """The form that Slack sent. Raises Unauthenticated unless Slack signed these bytes within five minutes."""
    door = await slack_door(request)
    body = await request.body()
    if not is_signed(door, body, dict(request.headers)):
        raise Unauthenticated(
            what="this request is not signed by Slack, or was signed more than five minutes ago",
            next_step="check slack.signing_secret in the settings, and this machine's clock",
        )
    try:
        pairs = urllib.parse.parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError:
        return {}
    return dict(pairs)


def address_of(request: Request) -> str:
    """The client's address, for the audit log; a trusted proxy may have written something else than one."""
    try:
        return str(ipaddress.ip_address(request.client.host)) if request.client else ""
    except ValueError:
        return ""


def is_signed(door: SlackDoor, body: bytes, headers: dict[str, str]) -> bool:
    """True if Slack's signature is that of these bytes, and not older than five minutes."""
    verifier = SignatureVerifier(door.slack.signing_secret.reveal(), clock=_Seconds(door.engine.clock))
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) < 12):
        return False  # the SDK would fail on it
    if not headers.get("x-slack-signature", "").isascii():
        return False
    try:
        return verifier.is_valid_request(body, headers)
    except UnicodeDecodeError:
        return False
