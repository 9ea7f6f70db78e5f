"""The protocol of Amazon EC2: a form in, XML out, much as the query protocol and yet otherwise.

Lists are always flat (``SubnetId.1``), a member's name on the way in begins with a capital letter, and an answer has
no element around its result. Source: botocore's ``serialize.EC2Serializer`` and ``parsers.EC2QueryParser``.
"""

from xml.sax.saxutils import escape

from sandbox.wire import query
from sandbox.world.kernel.errors import AwsRefusal, Json
from sandbox.world.kernel.service_models import Shape

_SCALARS = ("string", "integer", "long", "boolean", "float", "double", "timestamp")


def decode(fields: dict[str, str], shape: Shape) -> Json:
    """Parameters from the fields: plain values and lists of them. Raises AwsRefusal for any other."""
    names = {_name_in(name, member): name for name, member in shape.members.items()}
    found: Json = {}
    for path, text in fields.items():
        if path in ("Action", "Version"):
            continue
        part, _, rest = path.partition(".")
        if part not in names:
            raise AwsRefusal("UnknownParameter", f"The parameter {path} is not recognized")
        member = shape.members[names[part]]
        if member.type_name == "list" and member.member.type_name in _SCALARS and rest.isdecimal():
            found.setdefault(names[part], []).append(query.scalar(text, member.member.type_name, path))
        elif not rest and member.type_name in _SCALARS:
            found[names[part]] = query.scalar(text, member.type_name, path)
        else:
            raise AwsRefusal("NotInThisSandbox", f"parameter {path} is not in this sandbox yet", 501)
    return found


def encode(answer: Json, shape: Shape, *, operation: str, namespace: str, request_id: str) -> bytes:
    """The answer document."""
    inner = f"<requestId>{request_id}</requestId>{query.members(answer, shape)}"
    return f'<{operation}Response xmlns="{escape(namespace)}">{inner}</{operation}Response>'.encode()


def error(code: str, message: str, *, request_id: str) -> bytes:
    """The error document."""
    inner = f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
    return f"<Response><Errors>{inner}</Errors><RequestID>{request_id}</RequestID></Response>".encode()


def _name_in(name: str, member: Shape) -> str:
    own = member.serialization.get("queryName")
    if own:
        return str(own)
    given = str(member.serialization.get("name", name))
    return given[:1].upper() + given[1:]
