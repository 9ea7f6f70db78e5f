"""The two protocols whose bodies are documents: JSON and CBOR. One walk over the shapes, two notations."""

import json
from datetime import datetime

from sandbox.wire import cbor, values
from sandbox.world.kernel.errors import AwsRefusal, Json
from sandbox.world.kernel.service_models import Shape, plain


def decode_json(body: bytes, shape: Shape) -> Json:
    """Parameters from a JSON body. Raises AwsRefusal SerializationException."""
    try:
        document = json.loads(body or b"{}")
    except ValueError as wrong:
        raise AwsRefusal("SerializationException", "The body is not JSON") from wrong
    return _decoded(document, shape)


def decode_cbor(body: bytes, shape: Shape) -> Json:
    """Parameters from a CBOR body. Raises AwsRefusal SerializationException."""
    try:
        document = cbor.loads(body) if body else {}
    except ValueError as wrong:
        raise AwsRefusal("SerializationException", f"The body is not CBOR: {wrong}") from wrong
    return _decoded(document, shape)


def encode_json(answer: Json, shape: Shape) -> bytes:
    """An answer in JSON; moments are seconds since 1970."""
    document = _out(answer, shape, binary=False) if shape is not None else {}
    return json.dumps(document).encode()


def encode_cbor(answer: Json, shape: Shape) -> bytes:
    """An answer in CBOR; moments are tagged, doubles stay doubles."""
    return cbor.dumps(_out(answer, shape, binary=True) if shape is not None else {})


def _decoded(document: object, shape: Shape) -> Json:
    if not isinstance(document, dict):
        raise AwsRefusal("SerializationException", "The body is not an object")
    if shape is None:
        return {}
    return plain(_in(document, shape))


def _in(value: object, shape: Shape) -> object:
    """What the shape says of a value; what does not fit is left for the validator to name."""
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        names = {member.serialization.get("name", name): name for name, member in shape.members.items()}
        known = {names.get(key, key): inner for key, inner in value.items() if inner is not None}
        members = shape.members
        return {key: _in(inner, members[key]) if key in members else inner for key, inner in known.items()}
    if kind == "list" and isinstance(value, list):
        return [_in(item, shape.member) for item in value]
    if kind == "map" and isinstance(value, dict):
        return {key: _in(inner, shape.value) for key, inner in value.items()}
    if kind == "timestamp" and not isinstance(value, datetime):
        return values.to_moment(value)
    if kind == "blob" and isinstance(value, str):
        return values.to_bytes(value)
    return value


def _out(value: object, shape: Shape, *, binary: bool) -> object:
    """The document; `binary` notations have moments and blobs of their own."""
    match shape.type_name:
        case "structure":
            members = shape.members
            return {
                members[name].serialization.get("name", name): _out(inner, members[name], binary=binary)
                for name, inner in plain(value).items()
            }
        case "list":
            assert isinstance(value, list | tuple)
            return [_out(item, shape.member, binary=binary) for item in value]
        case "map":
            return {k: _out(v, shape.value, binary=binary) for k, v in plain(value).items()}
        case "timestamp":
            return values.to_moment(value) if binary else values.to_seconds(value)
        case "float" | "double":
            assert isinstance(value, int | float)
            return float(value)
        case "blob" if not binary:
            assert isinstance(value, bytes | str)
            return values.to_base64(value)
    return value
