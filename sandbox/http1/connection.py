"""The two sides of an HTTP/1.1 connection: bounded reads, one request after another, keep-alive, closing.

Both tell what happens to methods that their subclasses write; bytes of a body are handed on as they came, so that
whoever only passes them on copies nothing. What is read ahead is bounded by `HEAD_BYTES_MAX`.
"""

import asyncio

from sandbox.http1.messages import HEAD_BYTES_MAX, SWITCHED, AnswerHead, Body, Malformed, RequestHead

HEAD_END = b"\r\n\r\n"


class Connection(asyncio.Protocol):
    """A transport, and the bytes of a head that has not come whole."""

    __slots__ = ("_buffer", "_transport")

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As asyncio calls it."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def write(self, more: bytes) -> None:
        """Send bytes; on a connection that is lost they go nowhere."""
        if self._transport is not None:
            self._transport.write(more)

    def hold(self) -> None:
        """Read no more for now: whoever these bytes are for does not take them."""
        if self._transport is not None:
            self._transport.pause_reading()

    def go_on(self) -> None:
        """Read on."""
        if self._transport is not None:
            self._transport.resume_reading()

    def close(self) -> None:
        """Close once everything written has been sent."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()


class AnsweringConnection(Connection):
    """The side that answers: requests are answered one after another, whatever comes meanwhile."""

    __slots__ = ("_company", "_is_closing", "_last_moved", "_loop", "_request_body")

    def __init__(self, company: "set[AnsweringConnection]") -> None:
        """`company`: all open connections of its server, this one among them for as long as it is open."""
        super().__init__()
        self._company = company
        self._loop = asyncio.get_running_loop()
        self._last_moved = self._loop.time()
        self._request_body: Body | None = None  # of the request under way; None: there is none
        self._is_closing = False

    # What a subclass writes.

    def asked(self, head: RequestHead, body: Body, raw: bytes, content: bytes) -> None:
        """A request began: `raw` is its head without the empty line, `content` what there is of its body already.

        It is under way until `answered`, which may be called at once. Raises Malformed to have it refused.
        """
        raise NotImplementedError

    def asked_more(self, content: bytes) -> None:
        """More of the body came; `body.done` tells of its end. Raises Malformed to have the request refused."""
        raise NotImplementedError

    def asker_left(self) -> None:
        """The request under way is none any more: its client is gone, or sent nonsense."""

    def refusal(self, status: int, why: str) -> bytes:
        """What is said of bytes that are no request, before the connection is closed."""
        raise NotImplementedError

    def check_answer(self, since: float) -> None:
        """Give up on the request under way if nothing of it has moved since then."""

    # What a subclass calls.

    def answered(self, *, keep_alive: bool) -> None:
        """The answer has been written: the next request may come, or the connection is closed."""
        self._request_body = None
        self._last_moved = self._loop.time()
        if not keep_alive:
            self._leave()

    def answered_later(self, *, keep_alive: bool) -> None:
        """As `answered`, from outside of `asked`: what came meanwhile is read now."""
        self.answered(keep_alive=keep_alive)
        if keep_alive and self._buffer:
            self.go_on()
            self._read_requests()

    def refuse(self, status: int, why: str) -> None:
        """Say what is wrong and close: after nonsense nobody knows where the next request begins."""
        self._request_body = None
        self.write(self.refusal(status, why))
        self._leave()

    def check_idle(self, since: float) -> None:
        """Close if nothing was asked since then; while an answer is under way, see to that one."""
        if self._request_body is not None:
            self.check_answer(since)
        elif self._last_moved < since:
            self._leave()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As asyncio calls it."""
        super().connection_made(transport)
        self._company.add(self)

    def data_received(self, data: bytes) -> None:
        """As asyncio calls it."""
        body = self._request_body
        if body is None:
            self._buffer = self._buffer + data if self._buffer else data
            self._read_requests()
        elif body.done:  # the next request came before this one's answer
            self._buffer += data
            if len(self._buffer) > HEAD_BYTES_MAX:
                self.hold()
        else:
            try:
                taken = body.take(data)
                self._buffer = data[taken:]
                self.asked_more(data[:taken] if self._buffer else data)
            except Malformed as wrong:
                self.asker_left()
                self.refuse(400, str(wrong))

    def _read_requests(self) -> None:
        while self._buffer and self._request_body is None and not self._is_closing:
            end = self._buffer.find(HEAD_END)
            if end < 0:
                if len(self._buffer) > HEAD_BYTES_MAX:
                    self.refuse(431, "the head is too long")
                return
            raw, rest = self._buffer[:end], self._buffer[end + 4 :]
            try:
                head = RequestHead(raw)
                body = head.body()
                taken = body.take(rest) if rest and not body.done else 0
                self._buffer = rest[taken:]
                self._request_body = body
                self.asked(head, body, raw, rest[:taken])
            except Malformed as wrong:
                self.refuse(400, str(wrong))

    def _leave(self) -> None:
        self._is_closing = True
        self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """As asyncio calls it."""
        self._transport = None
        self._is_closing = True
        self._company.discard(self)
        if self._request_body is not None:
            self._request_body = None
            self.asker_left()


class AskingConnection(Connection):
    """The side that asks: one request at a time, and its answer as it comes."""

    __slots__ = ("_answer_body", "_answer_head", "_has_served", "_is_heard", "_is_waiting", "_to_head")

    def __init__(self) -> None:
        super().__init__()
        self._answer_head: AnswerHead | None = None
        self._answer_body: Body | None = None
        self._is_waiting = False
        self._is_heard = False
        self._has_served = False
        self._to_head = False

    # What a subclass writes.

    def answer_head(self, head: AnswerHead, raw: bytes, content: bytes) -> None:
        """The head of the answer is there: `raw` is it with its empty line, `content` what follows already."""

    def answer_content(self, content: bytes) -> None:
        """More of the body came."""

    def answer_interim(self, raw: bytes) -> None:
        """An answer before the answer came (status 1xx)."""

    def answer_whole(self, head: AnswerHead, *, is_free: bool) -> None:
        """The answer is whole. `is_free`: the connection takes the next request; it is closing otherwise."""

    def answer_cut(self, *, is_fresh: bool, is_heard: bool) -> None:
        """The connection ended early. `is_fresh`: it had served nobody; `is_heard`: some of the answer came."""

    def answer_malformed(self) -> None:
        """What came is no HTTP/1.1 answer; the connection is closed."""

    def left_idle(self) -> None:
        """The connection ended, or the other side spoke unasked, while nothing was being asked on it."""

    # What a subclass calls.

    def send_request(self, request: bytes, *, to_head: bool = False) -> None:
        """Send a request: its head and what there is of its body; the rest follows by `write`."""
        self._answer_head = self._answer_body = None
        self._buffer = b""
        self._is_heard = False
        self._is_waiting = True
        self._to_head = to_head
        self.write(request)

    def abort(self) -> None:
        """Give the request up: nothing more is heard of it."""
        self._is_waiting = False
        super().abort()

    def data_received(self, data: bytes) -> None:
        """As asyncio calls it."""
        if not self._is_waiting:
            self.left_idle()
            self.close()
            return
        self._is_heard = True
        try:
            if self._answer_body is None:
                self._read_head(self._buffer + data if self._buffer else data)
            else:
                self._read_body(data, self._answer_body)
        except Malformed:
            self._is_waiting = False
            self.answer_malformed()
            self.abort()

    def _read_head(self, data: bytes) -> None:
        end = data.find(HEAD_END)
        if end < 0:
            if len(data) > HEAD_BYTES_MAX:
                raise Malformed("the head is too long")
            self._buffer = data
            return
        self._buffer = b""
        head = AnswerHead(data[:end])
        if head.status < 200 and head.status != SWITCHED:  # the real one follows
            self.answer_interim(data[: end + 4])
            if len(data) > end + 4:
                self._read_head(data[end + 4 :])
            return
        body = head.body(to_head=self._to_head)
        rest = data[end + 4 :]
        taken = body.take(rest) if rest else 0
        self._answer_head, self._answer_body = head, body
        self.answer_head(head, data[: end + 4], rest[:taken])
        if body.done:
            self._end(head, agrees=taken == len(rest))

    def _read_body(self, data: bytes, body: Body) -> None:
        taken = body.take(data)
        self.answer_content(data if taken == len(data) else data[:taken])
        if body.done:
            assert self._answer_head is not None
            self._end(self._answer_head, agrees=taken == len(data))

    def _end(self, head: AnswerHead, *, agrees: bool) -> None:
        if not self._is_waiting:  # given up by whoever was told of the last bytes
            return
        self._is_waiting = False
        self._has_served = True
        # Bytes after an answer's end are nobody's: the two sides no longer agree on where they are.
        is_free = head.keep_alive and agrees
        transport = self._transport
        if not is_free:
            self.close()
        elif transport is None or transport.is_closing():
            is_free = False
        self.answer_whole(head, is_free=is_free)

    def connection_lost(self, exc: Exception | None) -> None:
        """As asyncio calls it."""
        self._transport = None
        was_waiting, self._is_waiting = self._is_waiting, False
        head, body = self._answer_head, self._answer_body
        if not was_waiting:
            self.left_idle()
        elif exc is None and head is not None and body is not None and head.ends_with_connection:
            self.answer_whole(head, is_free=False)
        else:
            self.answer_cut(is_fresh=not self._has_served, is_heard=self._is_heard)
