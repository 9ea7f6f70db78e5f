"""CBOR (RFC 8949) as AWS's RPC protocol speaks it: exactly one item, and no tag but 1, the moment."""

from io import BytesIO
from typing import NoReturn

from cbor2 import CBORDecodeError, CBORDecoder, CBORTag
from cbor2 import dumps as _dumps

# What cbor2 understands of its own accord beyond this protocol: text as a moment, large and rational numbers,
# references, expressions, addresses, sets. A client that sent it would be misunderstood by AWS.
_OTHER_TAGS = (0, 2, 3, 4, 5, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000, 55799)


def dumps(value: object) -> bytes:
    """The value in CBOR; floats as doubles, aware datetimes tagged."""
    return _dumps(value, datetime_as_timestamp=True)


def loads(data: bytes) -> object:
    """The one value in `data`. Raises ValueError."""
    stream = BytesIO(data)
    decoder = CBORDecoder(stream, semantic_decoders=_REFUSED, tag_hook=_refuse, read_size=1)
    try:
        value = decoder.decode()
    except CBORDecodeError as error:
        raise ValueError(str(error)) from error
    if stream.read(1):
        raise ValueError("not exactly one item")
    return value


def _refuse(value: object, _: bool) -> NoReturn:
    known = f"tag {value.tag}" if isinstance(value, CBORTag) else "a tag other than 1"
    raise CBORDecodeError(f"{known} is not supported")


_REFUSED = dict.fromkeys(_OTHER_TAGS, _refuse)
