"""The real way to AWS: aiobotocore for most services, boto3 in worker threads for CloudWatch.

One attempt per call, with short timeouts: ``call.py`` alone decides what is repeated.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import copy_context
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import boto3
import botocore.loaders
import botocore.session
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

from orchestrator.aws.client.assumed_roles import (
    SIGNER,
    AssumedRole,
    AsyncCredentials,
    LentCredentials,
    Temporary,
)
from orchestrator.aws.client.errors import CREDENTIALS_ADVICE, EXPIRED, refused, unanswered, uncredentialed
from orchestrator.aws.client.foreign_answers import NotAws, refuse_others
from orchestrator.aws.client.last_look import TooLate, look_before_sending, not_sent
from orchestrator.aws.client.transport import Answer, Transport
from orchestrator.core.domain.errors import Denied, Outside, Rejected

ASYNC_SERVICES = ("ecs", "elbv2", "application-autoscaling", "sts")
LATE_SERVICES = ("ec2", "ecr", "iam", "secretsmanager", "service-quotas", "ssm")
"""Only preflight asks these, and some of their models are large: their clients are made when first called."""
THREADS = 4  # CloudWatch answers in some 50 ms; a call never holds a thread longer than its timeouts
CONNECTIONS = 50
LONG_POLL_READ = 25  # seconds: SQS answers an empty long poll after 20

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


Heard = Callable[[Mapping[str, Any]], None]  # is given every answer, and every error's


class WireTransport:
    """Real clients. Made by ``open_wire``, which also closes it."""

    def __init__(
        self,
        clients: Mapping[str, Any],
        cloudwatch: Any,  # noqa: ANN401 - boto3's clients have no static types
        threads: ThreadPoolExecutor | None,
        keys: "_Keys | None" = None,
        late: "_Late | None" = None,
        heard: Heard | None = None,
    ) -> None:
        self._clients = clients
        self._cloudwatch = cloudwatch
        self._threads = threads
        self._keys = keys
        self._late = late
        self._heard: Heard = heard or (lambda _: None)

    async def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Answer:
        """One attempt; another one where an assumed role's credentials were refused as expired. Raises Outside."""
        try:
            return await self._once(service, operation, params)
        except _Expired:
            return await self._once(service, operation, params, is_last=True)

    async def _once(
        self, service: str, operation: str, params: Mapping[str, Any], *, is_last: bool = False
    ) -> Answer:
        given = await self._keys.ready() if self._keys else None
        method = xform_name(operation)
        try:
            if service != "cloudwatch":
                answer = await getattr(await self._client(service), method)(**params)
            else:
                ask = partial(copy_context().run, self._ask_cloudwatch, given, method, params)
                answer = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        except TooLate as error:
            raise not_sent(service, operation) from error
        except (BotoCoreError, ClientError, ResponseParserError, NotAws) as error:
            if self._keys and given and _is_expiry(error):
                self._keys.signer.drop(given)
                if not is_last:
                    # AWS looks at credentials before anything else, so a write that was refused for them did nothing.
                    raise _Expired from error
            if isinstance(error, ClientError):
                self._heard(error.response)
            raise _translated(service, operation, error) from error
        except (
            LookupError,
            TypeError,
            ValueError,
        ) as error:  # what botocore makes of an answer of another shape
            why = f"the answer cannot be understood: {type(error).__name__} {error}"
            raise unanswered(service, operation, why=why) from error
        assert isinstance(answer, dict)
        self._heard(answer)
        return answer

    def _ask_cloudwatch(self, given: Temporary | None, method: str, params: Mapping[str, Any]) -> Answer:
        """In a thread, with the credentials of whoever asks."""
        if self._keys and given:
            self._keys.lent.lend(given)
        answer: Answer = getattr(self._cloudwatch, method)(**params)
        return answer

    async def _client(self, service: str) -> Any:  # noqa: ANN401 - aiobotocore's clients have no static types
        if self._late is not None and service in LATE_SERVICES:
            return await self._late.client(service)
        return self._clients[service]


class _Late:
    """Clients that are made when they are first asked for, and closed with the stack."""

    def __init__(self, stack: AsyncExitStack, make: Callable[[str], Any]) -> None:
        self._stack, self._make = stack, make
        self._made: dict[str, Any] = {}
        self._lock = asyncio.Lock()

    async def client(self, service: str) -> Any:  # noqa: ANN401 - aiobotocore's clients have no static types
        """The service's client. Raises BotoCoreError if it cannot be made."""
        async with self._lock:
            if service not in self._made:
                self._made[service] = await self._stack.enter_async_context(self._make(service))
            return self._made[service]


class _Expired(Exception):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class _Keys:
    """An assumed role's credentials for both libraries."""

    role: AssumedRole
    lent: LentCredentials

    @property
    def signer(self) -> AssumedRole:
        """Whose credentials sign this call."""
        return SIGNER.get() or self.role

    async def ready(self) -> Temporary:
        """Credentials that work. Raises Outside."""
        return await self.signer.current()


class _Provider:
    """Stands where botocore looks for credentials, and gives these."""

    def __init__(self, credentials: object, *, is_async: bool) -> None:
        self._credentials, self._is_async = credentials, is_async

    def load_credentials(self) -> Any:  # noqa: ANN401 - a coroutine for aiobotocore, the credentials for botocore
        """As botocore's CredentialResolver."""
        return self._loaded() if self._is_async else self._credentials

    async def _loaded(self) -> object:
        return self._credentials


@asynccontextmanager
async def open_wire(
    region: str,
    *,
    role: AssumedRole | None = None,
    http_session: type[Any] | None = None,
    on_cloudwatch: Callable[[Any], None] | None = None,
    heard: Heard | None = None,
) -> AsyncIterator[Transport]:
    """Clients for one region, with the environment's credentials and endpoint, for as long as the context lasts.

    `role`: whose credentials to use instead of the environment's. `http_session` replaces aiobotocore's HTTP session,
    and `on_cloudwatch` is given boto3's client before its first use: so an AWS in the same process can answer.
    Raises Denied if the configuration is broken.
    """
    special = {"http_session_cls": http_session} if http_session is not None else {}
    config = AioConfig(**_SETTINGS, **special)
    threads = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="cloudwatch")
    async with AsyncExitStack() as stack:
        stack.callback(threads.shutdown, wait=False, cancel_futures=True)
        try:
            session, plain = _sharing(get_session()), _sharing(botocore.session.Session())
            keys = _lend(role, session, plain) if role is not None else None

            def make(service: str) -> Any:  # noqa: ANN401 - aiobotocore's clients have no static types
                return session.create_client(service, region_name=region, config=config)

            clients = {service: await stack.enter_async_context(make(service)) for service in ASYNC_SERVICES}
            cloudwatch = boto3.session.Session(botocore_session=plain).client(
                "cloudwatch", region_name=region, config=Config(**_SETTINGS)
            )
        except BotoCoreError as error:  # a profile that does not exist, a file that cannot be read
            raise Denied(what="AWS's configuration", why=str(error), next_step=CREDENTIALS_ADVICE) from error
        stack.callback(cloudwatch.close)
        if on_cloudwatch is not None:
            on_cloudwatch(cloudwatch)
        yield WireTransport(clients, cloudwatch, threads, keys, _Late(stack, make), heard)


@asynccontextmanager
async def open_queue_wire(region: str, *, http_session: type[Any] | None = None) -> AsyncIterator[Transport]:
    """A client of SQS for one region, patient enough for a long poll; otherwise as `open_wire`."""
    special = {"http_session_cls": http_session} if http_session is not None else {}
    config = AioConfig(**{**_SETTINGS, "read_timeout": LONG_POLL_READ, **special})
    async with AsyncExitStack() as stack:
        try:
            client = await stack.enter_async_context(
                _sharing(get_session()).create_client("sqs", region_name=region, config=config)
            )
        except BotoCoreError as error:
            raise Denied(what="AWS's configuration", why=str(error), next_step=CREDENTIALS_ADVICE) from error
        yield WireTransport({"sqs": client}, None, None)


def _sharing(session: Any) -> Any:  # noqa: ANN401 - botocore has no static types
    """A session that reads AWS's models where others of this process have them already.

    They are most of the time and memory that a client takes, clients of many accounts need the same, and botocore
    changes none that it has loaded. Raises BotoCoreError if the configuration is broken.
    """
    session.register_component("data_loader", _models(session.get_config_variable("data_path")))
    refuse_others(session)
    look_before_sending(session)
    return session


@cache
def _models(path: str | None) -> Any:  # noqa: ANN401 - botocore has no static types
    return botocore.loaders.create_loader(path)


def _lend(role: AssumedRole, session: Any, plain: Any) -> _Keys:  # noqa: ANN401 - botocore has no static types
    """Have both libraries' sessions use a role's credentials."""
    lent = LentCredentials()
    session.register_component("credential_provider", _Provider(AsyncCredentials(role), is_async=True))
    plain.register_component("credential_provider", _Provider(lent, is_async=False))
    return _Keys(role=role, lent=lent)


def _is_expiry(error: Exception) -> bool:
    return isinstance(error, ClientError) and error.response.get("Error", {}).get("Code") in EXPIRED


def _translated(service: str, operation: str, error: Exception) -> Outside:
    if isinstance(error, NotAws):
        return error.outside(service, operation)
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
    if isinstance(error, ResponseParserError):  # its own words hold the answer's whole body
        return unanswered(service, operation, why="the answer cannot be read as an AWS answer")
    return unanswered(service, operation, why=f"{type(error).__name__}: {error}")
