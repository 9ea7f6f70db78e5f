"""The real way to AWS: aiobotocore for most services, boto3 in worker threads for CloudWatch.

One attempt per call, with short timeouts: ``call.py`` alone decides what is repeated.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import boto3
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    NoAuthTokenError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    ResponseStreamingError,
    SSOError,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError

from orchestrator.aws.errors import CREDENTIALS_ADVICE, refused, unanswered, uncredentialed
from orchestrator.aws.transport import Answer, Transport
from orchestrator.core.errors import Denied, Outside, Rejected

ASYNC_SERVICES = ("ecs", "elbv2", "application-autoscaling", "sts")
THREADS = 4  # CloudWatch answers in some 50 ms; a call never holds a thread longer than its timeouts
CONNECTIONS = 50

_SETTINGS: dict[str, Any] = {
    "connect_timeout": 2,
    "read_timeout": 5,
    "retries": {"total_max_attempts": 1, "mode": "standard"},
    "max_pool_connections": CONNECTIONS,
    "user_agent_extra": "teal",
}
_NO_CREDENTIALS = (
    CredentialRetrievalError,
    NoAuthTokenError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)


class WireTransport:
    """Real clients. Made by ``open_wire``, which also closes it."""

    def __init__(self, clients: Mapping[str, Any], cloudwatch: Any, threads: ThreadPoolExecutor) -> None:  # noqa: ANN401 - boto3's clients have no static types
        self._clients = clients
        self._cloudwatch = cloudwatch
        self._threads = threads

    async def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Answer:
        """One attempt. Raises Outside."""
        method = xform_name(operation)
        try:
            if service != "cloudwatch":
                answer = await getattr(self._clients[service], method)(**params)
            else:
                ask = getattr(self._cloudwatch, method)
                answer = await asyncio.get_running_loop().run_in_executor(
                    self._threads, lambda: ask(**params)
                )
        except (BotoCoreError, ClientError, ResponseParserError) as error:
            raise _translated(service, operation, error) from error
        assert isinstance(answer, dict)
        return answer


@asynccontextmanager
async def open_wire(
    region: str,
    *,
    http_session: type[Any] | None = None,
    on_cloudwatch: Callable[[Any], None] | None = None,
) -> AsyncIterator[Transport]:
    """Clients for one region, with the environment's credentials and endpoint, for as long as the context lasts.

    `http_session` replaces aiobotocore's HTTP session, and `on_cloudwatch` is given boto3's client before its first
    use: so an AWS in the same process can answer. Raises Denied if the configuration is broken.
    """
    special = {"http_session_cls": http_session} if http_session is not None else {}
    config = AioConfig(**_SETTINGS, **special)
    threads = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="cloudwatch")
    async with AsyncExitStack() as stack:
        stack.callback(threads.shutdown, wait=False, cancel_futures=True)
        try:
            session = get_session()
            clients = {
                service: await stack.enter_async_context(
                    session.create_client(service, region_name=region, config=config)
                )
                for service in ASYNC_SERVICES
            }
            cloudwatch = boto3.session.Session().client(
                "cloudwatch", region_name=region, config=Config(**_SETTINGS)
            )
        except BotoCoreError as error:  # a profile that does not exist, a file that cannot be read
            raise Denied(what="AWS's configuration", why=str(error), next_step=CREDENTIALS_ADVICE) from error
        stack.callback(cloudwatch.close)
        if on_cloudwatch is not None:
            on_cloudwatch(cloudwatch)
        yield WireTransport(clients, cloudwatch, threads)


def _translated(service: str, operation: str, error: Exception) -> Outside:
    if isinstance(error, ClientError):
        said = error.response.get("Error", {})
        return refused(
            service,
            operation,
            code=said.get("Code", "Unknown"),
            message=said.get("Message", ""),
            status=error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0),
        )
    if isinstance(error, _NO_CREDENTIALS):
        return uncredentialed(service, operation, why=str(error))
    if isinstance(error, ParamValidationError):
        return Rejected(
            what=f"{service} {operation}", why=str(error), next_step="report this: it is a mistake in Teal"
        )
    if isinstance(error, HTTPClientError | ResponseStreamingError):
        return unanswered(service, operation, why=str(error))
    return unanswered(service, operation, why=f"{type(error).__name__}: {error}")
