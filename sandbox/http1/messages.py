"""HTTP/1.1 as bytes: heads and the framing of bodies.

No I/O here. A head is parsed once, into lower-case names and untouched values; a body is only measured: a
scanner says how many of the bytes that arrived belong to it, so that they can be passed on as they came.
"""

from typing import Protocol

HEAD_BYTES_MAX = 65_536
HOP_BY_HOP = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade")
)
BODILESS_STATUS = frozenset((204, 304))
SWITCHED = 101  # what follows is of another protocol, in both directions, until the connection ends
_FRAMING = frozenset((b"content-length", b"transfer-encoding"))


class Malformed(ValueError):
    """Bytes that are no HTTP/1.1 message."""


class Body(Protocol):
    """Measures a body as it arrives."""

    done: bool

    def take(self, arrived: bytes) -> int:
        """How many of these bytes belong to the body; sets `done` with the last one. Raises Malformed."""
        ...


class FixedBody:
    """A body of a known length; a length of 0 is done before it begins."""

    __slots__ = ("done", "left")

    def __init__(self, length: int) -> None:
        self.left = length
        self.done = length == 0

    def take(self, arrived: bytes) -> int:
        """As ``Body.take``."""
        taken = min(self.left, len(arrived))
        self.left -= taken
        self.done = self.left == 0
        return taken


class ChunkedBody:
    """A body in chunks, with its trailer."""

    __slots__ = ("_in_trailer", "_line", "_skip", "done")

    def __init__(self) -> None:
        self.done = False
        self._skip = 0  # bytes of the present chunk and its line end still to come
        self._line = b""  # a line that has not arrived whole
        self._in_trailer = False

    def take(self, arrived: bytes) -> int:
        """As ``Body.take``."""
        position = 0
        while position < len(arrived) and not self.done:
            if self._skip:
                step = min(self._skip, len(arrived) - position)
                self._skip -= step
                position += step
                continue
            end = arrived.find(b"\n", position)
            if end < 0:
                self._line += arrived[position:]
                if len(self._line) > HEAD_BYTES_MAX:
                    raise Malformed("a chunk's head is too long")
                return len(arrived)
            line = self._line + arrived[position : end + 1]
            self._line, position = b"", end + 1
            self._read_line(line.strip())
        return position

    def _read_line(self, line: bytes) -> None:
        if self._in_trailer:
            self.done = not line
            return
        size = parse_number(line.split(b";")[0].strip(), base=16)
        self._in_trailer = size == 0
        self._skip = size + 2 if size else 0


class UntilClose:
    """A body that ends with its connection."""

    __slots__ = ("done",)

    def __init__(self) -> None:
        self.done = False

    def take(self, arrived: bytes) -> int:
        """As ``Body.take``; never done by itself."""
        return len(arrived)


def unchunked(body: bytes) -> bytes:
    """The content of a body in chunks that has come whole. Raises Malformed."""
    content, position = bytearray(), 0
    while True:
        begin = body.index(b"\n", position) + 1
        size = parse_number(body[position:begin].split(b";")[0].strip(), base=16)
        if not size:
            return bytes(content)
        content += body[begin : begin + size]
        position = begin + size + 2


def parse_number(text: bytes, base: int = 10) -> int:
    """A length as HTTP writes it. Raises Malformed for signs, blanks and anything else int() would let pass."""
    if not text.isalnum():
        raise Malformed(f"{text!r} is no length")
    try:
        return int(text, base)
    except ValueError:
        raise Malformed(f"{text!r} is no length") from None


class RequestHead:
    """The head of a request. Header names are lower case; values are as they came, without outer blanks."""

    __slots__ = ("headers", "http10", "keep_alive", "lines", "method", "target")

    def __init__(self, head: bytes) -> None:
        """Parse a head without its empty line. Raises Malformed."""
        first, *self.lines = head.split(b"\r\n")
        parts = first.split(b" ")
        if len(parts) != 3 or not parts[2].startswith(b"HTTP/1.") or not parts[1]:
            raise Malformed("no HTTP/1.1 request line")
        self.method, self.target, version = parts
        self.http10 = version == b"HTTP/1.0"
        self.headers = parse_lines(self.lines)
        said = self.headers.get(b"connection")
        self.keep_alive = not self.http10 if said is None else b"close" not in said.lower()

    @property
    def is_upgrade(self) -> bool:
        """True where the client asks for a WebSocket (RFC 6455): its bytes go on after the head."""
        return self.headers.get(b"upgrade", b"").lower() == b"websocket" and self.method == b"GET"

    def body(self) -> Body:
        """How the body is framed. Raises Malformed where two framings contradict or one is unknown."""
        coding = self.headers.get(b"transfer-encoding")
        length = self.headers.get(b"content-length")
        if self.is_upgrade and coding is None and length is None:
            return UntilClose()
        if coding is None:
            return FixedBody(0 if length is None else parse_number(length))
        if length is not None or coding.lower() != b"chunked":
            raise Malformed("the length of the body is not clear")
        return ChunkedBody()


class AnswerHead:
    """The head of an answer. Header names are lower case; values are as they came, without outer blanks."""

    __slots__ = ("headers", "http10", "keep_alive", "lines", "status")

    def __init__(self, head: bytes) -> None:
        """Parse a head without its empty line. Raises Malformed."""
        first, *self.lines = head.split(b"\r\n")
        if not first.startswith(b"HTTP/1.") or not first[9:12].isdigit():
            raise Malformed("no HTTP/1.1 status line")
        self.status = int(first[9:12])
        self.http10 = first.startswith(b"HTTP/1.0")
        self.headers = parse_lines(self.lines)
        said = self.headers.get(b"connection")
        self.keep_alive = not self.http10 if said is None else b"close" not in said.lower()

    @property
    def ends_with_connection(self) -> bool:
        """True where nothing else says how long the body is."""
        return self.headers.keys().isdisjoint(_FRAMING)

    def body(self, *, to_head: bool = False) -> Body:
        """How the body is framed; `to_head` when it answers a HEAD request. Raises Malformed."""
        if self.status == SWITCHED:
            return UntilClose()
        if to_head or self.status in BODILESS_STATUS:
            return FixedBody(0)
        if b"chunked" in self.headers.get(b"transfer-encoding", b"").lower():
            return ChunkedBody()
        length = self.headers.get(b"content-length")
        return UntilClose() if length is None else FixedBody(parse_number(length))


def parse_lines(lines: list[bytes]) -> dict[bytes, bytes]:
    """Header lines by lower-case name; a repeated name is joined with commas. Raises Malformed."""
    headers: dict[bytes, bytes] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not name or name[-1] in b" \t" or name[0] in b" \t":
            raise Malformed(f"no header line: {line[:80]!r}")
        name = name.lower()
        value = value.strip()
        if name in headers:
            if name == b"content-length":
                raise Malformed("two lengths")
            value = headers[name] + b", " + value
        headers[name] = value
    return headers
