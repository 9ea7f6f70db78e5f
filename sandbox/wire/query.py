"""The query protocol: a form in, XML out (Elastic Load Balancing, STS; CloudWatch's oldest)."""

from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from sandbox.wire import values
from sandbox.world.kernel.errors import AwsRefusal, Json
from sandbox.world.kernel.service_models import Shape, plain

_Tree = dict[str, "_Tree | str"]


def form(body: bytes) -> dict[str, str]:
    """The fields of a form body."""
    return dict(parse_qsl(body.decode(), keep_blank_values=True))


def decode(fields: dict[str, str], shape: Shape) -> Json:
    """Parameters from the fields. Raises AwsRefusal for a field that the shape does not know."""
    tree: _Tree = {}
    for path, text in fields.items():
        if path in ("Action", "Version"):
            continue
        node = tree
        *parents, last = path.split(".")
        for part in parents:
            below = node.setdefault(part, {})
            if isinstance(below, str):
                raise AwsRefusal("MalformedQueryString", f"{path} is a value and a structure")
            node = below
        node[last] = text
    if shape is None:
        return {}
    return plain(_value(tree, shape, ""))


def _value(node: "_Tree | str", shape: Shape, where: str) -> object:
    kind = shape.type_name
    if kind in ("structure", "list", "map") and isinstance(node, str):
        if node == "":
            return {} if kind != "list" else []
        raise AwsRefusal("MalformedQueryString", f"{where} must not be a plain value")
    if isinstance(node, str):
        return scalar(node, kind, where)
    if kind == "structure":
        return _structure(node, shape, where)
    if kind == "list":
        items = node if shape.serialization.get("flattened") else _below(node, _item_name(shape))
        return [_value(items[n], shape.member, f"{where}.{n}") for n in sorted(items, key=int)]
    if kind == "map":
        entries = node if shape.serialization.get("flattened") else _below(node, "entry")
        pairs = [_below(entries, n) for n in sorted(entries, key=int)]
        key, value = _map_names(shape)
        return {pair[key]: _value(pair[value], shape.value, where) for pair in pairs}
    raise AwsRefusal("MalformedQueryString", f"{where} must be a plain value")


def _structure(node: _Tree, shape: Shape, where: str) -> Json:
    names = {member.serialization.get("name", name): name for name, member in shape.members.items()}
    strange = sorted(node.keys() - names.keys())
    if strange:
        raise AwsRefusal(
            "MalformedQueryString", f"Unknown parameters {', '.join(where + part for part in strange)}"
        )
    return {
        names[part]: _value(below, shape.members[names[part]], f"{where}{part}.")
        for part, below in node.items()
    }


def _below(node: _Tree, part: str) -> _Tree:
    below = node.get(part, {})
    if isinstance(below, str):
        return {}
    return below


def scalar(text: str, kind: str, where: str) -> object:
    """A plain value of this kind. Raises AwsRefusal."""
    try:
        match kind:
            case "boolean":
                return {"true": True, "false": False}[text.lower()]
            case "integer" | "long":
                return int(text)
            case "float" | "double":
                return float(text)
            case "timestamp":
                return values.to_moment(text)
            case "blob":
                return values.to_bytes(text)
    except (ValueError, KeyError) as wrong:
        raise AwsRefusal("MalformedQueryString", f"{where} {text!r} is not a {kind}") from wrong
    return text


def _item_name(shape: Shape) -> str:
    return str(shape.member.serialization.get("name", "member"))


def _map_names(shape: Shape) -> tuple[str, str]:
    return shape.key.serialization.get("name", "key"), shape.value.serialization.get("name", "value")


def encode(answer: Json, shape: Shape, *, operation: str, namespace: str, request_id: str) -> bytes:
    """The answer document."""
    result = ""
    if shape is not None:
        wrapper = shape.serialization.get("resultWrapper", f"{operation}Result")
        result = f"<{wrapper}>{members(answer, shape)}</{wrapper}>"
    head = f'<{operation}Response xmlns="{escape(namespace)}">'
    metadata = f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
    return f"{head}{result}{metadata}</{operation}Response>".encode()


def members(value: Json, shape: Shape) -> str:
    """The elements of a structure's members."""
    parts = []
    for name, inner in value.items():
        member = shape.members[name]
        parts.append(_element(member.serialization.get("name", name), inner, member))
    return "".join(parts)


def _element(name: str, value: object, shape: Shape) -> str:
    match shape.type_name:
        case "structure":
            return f"<{name}>{members(plain(value), shape)}</{name}>"
        case "list":
            assert isinstance(value, list | tuple)
            if shape.serialization.get("flattened"):
                return "".join(_element(name, item, shape.member) for item in value)
            items = "".join(_element(_item_name(shape), item, shape.member) for item in value)
            return f"<{name}>{items}</{name}>"
        case "map":
            key, inner = _map_names(shape)
            pairs = (
                f"<entry>{_element(key, k, shape.key)}{_element(inner, v, shape.value)}</entry>"
                for k, v in plain(value).items()
            )
            return f"<{name}>{''.join(pairs)}</{name}>"
    return f"<{name}>{escape(_text(value, shape.type_name))}</{name}>"


def _text(value: object, kind: str) -> str:
    match kind:
        case "boolean":
            return "true" if value else "false"
        case "timestamp":
            return values.to_iso(values.to_moment(value))
        case "blob":
            assert isinstance(value, bytes | str)
            return values.to_base64(value)
    return str(value)


def error(code: str, message: str, *, status: int, namespace: str, request_id: str) -> bytes:
    """The error document."""
    blame = "Sender" if status < 500 else "Receiver"
    inner = f"<Type>{blame}</Type><Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    head = f'<ErrorResponse xmlns="{escape(namespace)}">'
    return f"{head}<Error>{inner}</Error><RequestId>{request_id}</RequestId></ErrorResponse>".encode()
