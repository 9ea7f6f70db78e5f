"""AWS clients on a Skin without a socket: real serialisation, signing, parsing and typed errors."""

import io
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import aiobotocore.awsrequest
import botocore.awsrequest
import botocore.exceptions

from sandbox.wire.skin import Response, Skin
from sandbox.world.kernel.errors import CallLost

Client = Any  # boto3 makes its clients at run time
PreparedRequest = Any


class _Body(io.BytesIO):
    """A body as urllib3 hands it to botocore."""

    def stream(self) -> Iterator[bytes]:
        """All of it at once."""
        yield self.read()


class _AsyncBody:
    """A body as aiohttp hands it to aiobotocore."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def read(self) -> bytes:
        """All of it."""
        return self._content


def session_class(skin: Skin) -> type:
    """For ``AioConfig(http_session_cls=…)``: a session whose requests the skin answers."""

    class SkinSession:
        """An aiobotocore HTTP session; it opens nothing, so it has nothing to close."""

        def __init__(self, **_: object) -> None:
            pass

        async def __aenter__(self) -> Self:
            return self

        async def __aexit__(
            self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
        ) -> None:
            pass

        async def close(self) -> None:
            """Nothing is open."""

        async def send(self, request: PreparedRequest) -> aiobotocore.awsrequest.AioAWSResponse:
            """The answer. Raises botocore's ReadTimeoutError when none comes."""
            answer = await _handle_patiently(skin, request)
            return aiobotocore.awsrequest.AioAWSResponse(
                request.url, answer.status, _headers(answer), _AsyncBody(answer.body)
            )

    return SkinSession


def attach(client: Client, skin: Skin) -> Client:
    """Have the skin answer every request of a boto3 client, at once; returns the client."""

    def answer(request: PreparedRequest, **_: object) -> botocore.awsrequest.AWSResponse:
        response = _handle(skin, request)
        return botocore.awsrequest.AWSResponse(
            request.url, response.status, _headers(response), _Body(response.body)
        )

    client.meta.events.register("before-send", answer)
    return client


async def _handle_patiently(skin: Skin, request: PreparedRequest) -> Response:
    try:
        return await skin.handle_patiently(*_parts(request))
    except CallLost as lost:
        raise botocore.exceptions.ReadTimeoutError(endpoint_url=request.url) from lost


def _handle(skin: Skin, request: PreparedRequest) -> Response:
    try:
        return skin.handle(*_parts(request))
    except CallLost as lost:
        raise botocore.exceptions.ReadTimeoutError(endpoint_url=request.url) from lost


def _parts(request: PreparedRequest) -> tuple[str, str, dict[str, str], bytes]:
    body = request.body or b""
    if isinstance(body, str):
        body = body.encode()
    url = urlsplit(request.url)
    path = f"{url.path}?{url.query}" if url.query else url.path
    return request.method, path, dict(request.headers.items()), bytes(body)


def _headers(answer: Response) -> botocore.awsrequest.HeadersDict:
    return botocore.awsrequest.HeadersDict(answer.headers)
