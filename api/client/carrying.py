"""Requests and answers over the standard library: a connection a request, so that any thread may use it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from ssl import SSLContext

from api.client.answers import Answer, no_answer
from api.client.requests import Address, Request

CHUNK = 64 * 1024


class Transport:
    """Carries requests to one address, and says what came back. Raises NoAnswer."""

    def __init__(self, address: Address, *, context: SSLContext | None = None) -> None:
        self.address, self._context = address, context

    def exchange(self, request: Request, headers: dict[str, str]) -> Answer:
        """Send one request and read its whole answer."""
        with self.opened(request, headers) as answer:
            try:
                body = answer.read()
            except (OSError, HTTPException) as error:
                raise no_answer(self.address, error, was_sent=True) from error
            return Answer(status=answer.status, headers=lower(answer.getheaders()), body=body)

    @contextmanager
    def opened(self, request: Request, headers: dict[str, str]) -> Iterator[HTTPResponse]:
        """Send one request; its answer while the context lasts, to be read by the caller."""
        with closing(self._connection(request.seconds)) as connection:
            try:
                connection.connect()
            except OSError as error:
                raise no_answer(self.address, error, was_sent=False) from error
            try:
                path = f"{self.address.prefix}{request.path}"
                connection.request(request.method, path, request.body, {**headers, **dict(request.headers)})
                answer = connection.getresponse()
            except (OSError, HTTPException) as error:
                raise no_answer(self.address, error, was_sent=True) from error
            with answer:  # one that ends its connection holds it by itself
                yield answer

    def chunks(self, answer: HTTPResponse) -> Iterator[bytes]:
        """The bytes of an answer as they come."""
        try:
            while received := answer.read1(CHUNK):
                yield received
        except (OSError, HTTPException, ValueError) as error:  # ValueError: half a chunk's head
            raise no_answer(self.address, error, was_sent=True) from error

    def _connection(self, seconds: float) -> HTTPConnection:
        host, port = self.address.host, self.address.port
        if self.address.scheme == "https":
            return HTTPSConnection(host, port, timeout=seconds, context=self._context)
        return HTTPConnection(host, port, timeout=seconds)


def lower(headers: list[tuple[str, str]]) -> dict[str, str]:
    """Headers by their names in lower case."""
    return {name.lower(): value for name, value in headers}
