"""The cookie that keeps a user on a target group, where a forward action has group stickiness.

Sources: "Sticky sessions for your Application Load Balancer" of the Elastic Load Balancing guide and
TargetGroupStickinessConfig of the API reference: AWSALBTG, and AWSALBTGCORS beside it; a request that brings one goes
to its group, whatever the weights are now, until the duration is over or the group is in the action no more. Whether
an answer begins the duration anew is not said; here it does not. What is in the cookie is the load balancer's affair.
"""

import base64
import json
from binascii import Error as NoBase64
from dataclasses import dataclass
from email.utils import formatdate

NAMES = (b"AWSALBTG", b"AWSALBTGCORS")
KEPT_SECONDS = 7 * 24 * 3600  # how long clients keep it: the duration is in the cookie itself


@dataclass(frozen=True, slots=True)
class Pin:
    """The group that a user is kept on, and until when in seconds since the epoch."""

    group: str
    until: float


def pin_of(cookies: bytes, now: float) -> Pin | None:
    """The pin in a Cookie header; None if there is none that still counts, or it is not the load balancer's."""
    for pair in cookies.split(b";"):
        name, _, value = pair.strip().partition(b"=")
        if name in NAMES:
            pin = _decoded(value)
            if pin is not None and now < pin.until:
                return pin
    return None


def headers_of(pin: Pin, now: float) -> tuple[bytes, ...]:
    """The Set-Cookie lines of an answer."""
    value = base64.urlsafe_b64encode(json.dumps([pin.group, pin.until]).encode()).decode()
    common = f"{value}; Expires={formatdate(now + KEPT_SECONDS, usegmt=True)}; Path=/"
    plain, cors = (name.decode() for name in NAMES)
    return (
        f"Set-Cookie: {plain}={common}".encode(),
        f"Set-Cookie: {cors}={common}; SameSite=None; Secure".encode(),
    )


def _decoded(value: bytes) -> Pin | None:
    try:
        match json.loads(base64.urlsafe_b64decode(value)):
            case [str() as group, int() | float() as until]:
                return Pin(group, until)
    except (NoBase64, ValueError):
        pass
    return None
