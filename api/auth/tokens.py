"""The text of a bearer token: ``teal_``, 32 random bytes in base 62, and a checksum.

The prefix and the checksum let scanners of source code find a leaked one; the store keeps a digest alone, and 256
random bits need no slower hash than SHA-256.
"""

import hashlib
import secrets
import zlib

PREFIX = "teal_"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BODY, _CHECK = 43, 6  # 62**43 > 2**256, 62**6 > 2**32


def new_token() -> tuple[str, str]:
    """A fresh token: its text, which is shown once and never kept, and its digest, which the store keeps."""
    body = _base62(int.from_bytes(secrets.token_bytes(32), "big"), _BODY)
    text = f"{PREFIX}{body}{_checksum(body)}"
    return text, digest_of(text)


def digest_of(text: str) -> str:
    """The digest by which the store knows a token: SHA-256, hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def is_token(text: str) -> bool:
    """True if a text has the form of a token and its checksum is right; false spares the store a look."""
    body, check = text[len(PREFIX) : -_CHECK], text[-_CHECK:]
    is_formed = text.startswith(PREFIX) and len(body) == _BODY and all(digit in _DIGITS for digit in body)
    return is_formed and check == _checksum(body)


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECK)


def _base62(number: int, width: int) -> str:
    digits = ""
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits = _DIGITS[digit] + digits
    return digits
