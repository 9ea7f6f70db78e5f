"""Signatures by the Standard Webhooks specification (standardwebhooks.com), for which receivers have libraries.

What is signed is ``id.timestamp.body`` with HMAC-SHA256; the id stays the same however often a request is repeated,
the timestamp is the attempt's own.
"""

import base64
import binascii
import hashlib
import hmac
from datetime import datetime

from orchestrator.settings import Secret

PREFIX = "whsec_"
KEY_BYTES = range(24, 65)


def key_of(secret: Secret) -> bytes:
    """The key in a secret (``whsec_`` and base64). Raises ValueError saying what is wrong, without the secret."""
    text = secret.reveal()
    if not text.startswith(PREFIX):
        raise ValueError(f"it does not begin with {PREFIX}")
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError(f"what follows {PREFIX} is not base64") from None
    if len(key) not in KEY_BYTES:
        raise ValueError(f"its key has {len(key)} bytes, not {KEY_BYTES.start} to {KEY_BYTES.stop - 1}")
    return key


def signed(body: bytes, *, key: bytes, id: str, at: datetime) -> dict[str, str]:
    """The headers that say which message this is, when it is sent, and that it comes from whoever has the key."""
    assert "." not in id, "a dot in the id would let one message pass for another"
    timestamp = str(int(at.timestamp()))
    digest = hmac.new(key, f"{id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
