"""Bodies are measured right wherever the network cuts them, and what is no HTTP is refused."""

import pytest

from sandbox.http1.messages import (
    AnswerHead,
    Body,
    ChunkedBody,
    FixedBody,
    Malformed,
    RequestHead,
    UntilClose,
)

CHUNKED = b"5\r\nhello\r\nA;name=value\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"


@pytest.mark.parametrize("cut", range(len(CHUNKED) + 1))
def test_chunked_body_ends_at_its_end_wherever_it_is_cut(cut: int) -> None:
    body = ChunkedBody()
    first, second = CHUNKED[:cut], CHUNKED[cut:] + b"GET /next"
    assert body.take(first) == len(first)
    assert body.done is (cut == len(CHUNKED))
    assert body.done or body.take(second) == len(CHUNKED) - cut
    assert body.done


def test_chunked_body_may_come_byte_by_byte() -> None:
    body = ChunkedBody()
    assert [body.take(CHUNKED[at : at + 1]) for at in range(len(CHUNKED))] == [1] * len(CHUNKED)
    assert body.done


@pytest.mark.parametrize("nonsense", [b"xyz\r\n", b"-1\r\n", b"\r\n", b"5 5\r\n", b"1" * 70_000])
def test_chunk_without_a_size_is_refused(nonsense: bytes) -> None:
    with pytest.raises(Malformed):
        ChunkedBody().take(nonsense)


@pytest.mark.parametrize(
    ("head", "to_head", "kind"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3", False, FixedBody),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", False, ChunkedBody),
        (b"HTTP/1.1 200 OK", False, UntilClose),
        (b"HTTP/1.1 200 OK", True, FixedBody),
        (b"HTTP/1.1 204 No Content", False, FixedBody),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9", False, FixedBody),
    ],
)
def test_answers_body_is_framed_as_http_says(head: bytes, to_head: bool, kind: type[Body]) -> None:
    assert type(AnswerHead(head).body(to_head=to_head)) is kind


@pytest.mark.parametrize(
    ("head", "keep_alive"),
    [
        (b"GET / HTTP/1.1\r\nHost: a", True),
        (b"GET / HTTP/1.1\r\nConnection: close", False),
        (b"GET / HTTP/1.0\r\nHost: a", False),
        (b"GET / HTTP/1.0\r\nConnection: Keep-Alive", True),
    ],
)
def test_connection_is_kept_as_its_client_asks(head: bytes, keep_alive: bool) -> None:
    assert RequestHead(head).keep_alive is keep_alive


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"GET /",
        b"GET  / HTTP/1.1",
        b"GET / HTTP/2",
        b"GET / HTTP/1.1\r\n folded: x",
        b"GET / HTTP/1.1\r\nA : x",
    ],
)
def test_head_that_is_no_http_is_refused(head: bytes) -> None:
    with pytest.raises(Malformed):
        RequestHead(head)
