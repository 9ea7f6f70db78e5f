"""HTTP requests in, HTTP responses out: what AWS's endpoints would make of the World.

A request names its service in the credential scope of its signature, and its operation in `X-Amz-Target` (JSON),
in the path (CBOR) or in `Action` (query). Signatures are not verified: this AWS has no secrets. Temporary credentials
are: calls with them count as their role's, in the World of the role's account.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from email.utils import format_datetime
from typing import Literal

from sandbox.wire import cbor, documents, ec2, query
from sandbox.wire.long_poll import Hunger
from sandbox.world.kernel import service_models
from sandbox.world.kernel.errors import AwsRefusal, CallLost, Json
from sandbox.world.world import World

Protocol = Literal["query", "ec2", "json", "smithy-rpc-v2-cbor"]
_SCOPE = re.compile(r"Credential=([^/]+)/\d{8}/[^/]*/([^/]+)/aws4_request")
_CBOR_PATH = re.compile(r"/service/([^/]+)/operation/(\w+)/?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An HTTP response; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What a request asks for, so far as it is understood."""

    protocol: Protocol
    service: str
    operation: str
    fields: dict[str, str]  # of the query protocol
    json_version: str = "1.1"
    access_key: str = ""
    token: str = ""  # of temporary credentials


class Skin:
    """Speaks for one World. `before` is called ahead of every request, to bring the World's clock up to date."""

    _hunger: Hunger | None = None  # of the request that was handled last

    def __init__(self, world: World, *, before: Callable[[], None] = lambda: None) -> None:
        self._world = world
        self._before = before
        self._checks = service_models.ShapeChecks()

    async def handle_patiently(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> Response:
        """As `handle`, but a long poll of a queue waits for its first message."""
        response = self.handle(method, path, headers, body)
        first = hunger = self._hunger
        while first is not None and hunger is not None and self._world.now < first.until:
            await first.wait(self._before)
            response = self.handle(method, path, headers, body)
            hunger = self._hunger
        return response

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        """The response. Raises CallLost when none comes (the transport then makes it a timeout)."""
        self._before()
        self._hunger = None
        lower = {name.lower(): _text(value) for name, value in headers.items()}
        asked = _Asked(protocol="query", service="sts", operation="", fields={})  # until it is known better
        try:
            asked = _asked(method, path, lower, body)
            return self._answer(asked, body)
        except AwsRefusal as refusal:
            return self._refuse(asked, refusal)
        except CallLost:
            raise
        except (
            Exception
        ) as wrong:  # the World said what AWS never says, or broke: loud and clear, and only here
            return self._refuse(asked, AwsRefusal("SandboxBug", f"{type(wrong).__name__}: {wrong}", 500))

    def _answer(self, asked: _Asked, body: bytes) -> Response:
        found = service_models.operation_model(asked.service, asked.operation)
        if found is None:
            raise AwsRefusal("InvalidAction", f"AWS has no {asked.service} {asked.operation}")
        params = _params(asked, body, found.input_shape)
        self._checks.check_input(asked.service, asked.operation, params)
        session = self._world.sts.session(asked.access_key, asked.token, is_query=asked.protocol == "query")
        home = self._world if session is None else session.home
        if session is None:
            answer = home.call(asked.service, asked.operation, params)
        else:
            answer = home.call(
                asked.service, asked.operation, params, by=session.caller, policy=session.policy
            )
        if (asked.service, asked.operation) == ("sqs", "ReceiveMessage"):
            self._hunger = Hunger.of(home, params, answer)
        self._checks.check_output(asked.service, asked.operation, answer)
        return self.encode(
            asked.protocol, asked.service, asked.operation, answer, json_version=asked.json_version
        )

    def encode(
        self, protocol: Protocol, service: str, operation: str, answer: Json, *, json_version: str = "1.1"
    ) -> Response:
        """A good answer in a protocol of its service."""
        found = service_models.operation_model(service, operation)
        assert found is not None  # it was answered
        request_id = self._world.kernel.uuid()
        shape = found.output_shape
        match protocol:
            case "query":
                namespace = service_models.model(service).metadata["xmlNamespace"]
                body = query.encode(
                    answer, shape, operation=operation, namespace=namespace, request_id=request_id
                )
            case "ec2":
                namespace = service_models.model(service).metadata["xmlNamespace"]
                body = ec2.encode(
                    answer, shape, operation=operation, namespace=namespace, request_id=request_id
                )
            case "json":
                body = documents.encode_json(answer, shape)
            case "smithy-rpc-v2-cbor":
                body = documents.encode_cbor(answer, shape)
        return self._response(protocol, 200, body, request_id, json_version)

    def _refuse(self, asked: _Asked, refusal: AwsRefusal) -> Response:
        if not refusal.code:
            page = refusal.message.encode()
            headers = {"content-type": "text/html; charset=utf-8", "content-length": str(len(page))}
            return Response(status=refusal.status, headers=headers, body=page)
        request_id = self._world.kernel.uuid()
        metadata = service_models.model(asked.service).metadata
        document: Json = {"__type": service_models.error_name(refusal.code), "message": refusal.message}
        match asked.protocol:
            case "query":
                body = query.error(
                    refusal.code,
                    refusal.message,
                    status=refusal.status,
                    namespace=metadata.get("xmlNamespace", ""),
                    request_id=request_id,
                )
            case "ec2":
                body = ec2.error(refusal.code, refusal.message, request_id=request_id)
            case "json":
                body = json.dumps(document).encode()
            case "smithy-rpc-v2-cbor":
                body = cbor.dumps(document)
        response = self._response(asked.protocol, refusal.status, body, request_id, asked.json_version)
        if "awsQueryCompatible" in metadata and asked.protocol != "query":
            blame = "Sender" if refusal.status < 500 else "Receiver"
            response.headers["x-amzn-query-error"] = f"{refusal.code};{blame}"
        return response

    def _response(
        self, protocol: Protocol, status: int, body: bytes, request_id: str, json_version: str
    ) -> Response:
        kinds = {
            "query": "text/xml",
            "ec2": "text/xml",
            "json": f"application/x-amz-json-{json_version}",
            "smithy-rpc-v2-cbor": "application/cbor",
        }
        headers = {
            "x-amzn-requestid": request_id,
            "date": format_datetime(self._world.now, usegmt=True),
            "content-type": kinds[protocol],
            "content-length": str(len(body)),
        }
        if protocol == "smithy-rpc-v2-cbor":
            headers["smithy-protocol"] = "rpc-v2-cbor"
        return Response(status=status, headers=headers, body=body)


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _asked(method: str, path: str, headers: Mapping[str, str], body: bytes) -> _Asked:
    scope = _SCOPE.search(headers.get("authorization", ""))
    if scope is None:
        raise AwsRefusal("MissingAuthenticationToken", "The request has no signature (version 4)", 403)
    service = service_models.by_signing_name(scope[2])
    if service is None:
        raise AwsRefusal("NotInThisSandbox", f"service {scope[2]} is not in this sandbox yet", 501)
    if method != "POST":
        raise AwsRefusal("MethodNotAllowed", f"{method} is not how this AWS is called", 405)
    return replace(
        _operation(path, headers, body, service),
        access_key=scope[1],
        token=headers.get("x-amz-security-token", ""),
    )


def _operation(path: str, headers: Mapping[str, str], body: bytes, service: str) -> _Asked:
    in_path = _CBOR_PATH.fullmatch(path.partition("?")[0])
    if in_path:
        return _Asked(protocol="smithy-rpc-v2-cbor", service=service, operation=in_path[2], fields={})
    target = headers.get("x-amz-target")
    if target:
        version = headers.get("content-type", "").rpartition("-")[2] or "1.1"
        operation = target.rpartition(".")[2]
        return _Asked(protocol="json", service=service, operation=operation, fields={}, json_version=version)
    fields = query.form(body)
    protocol: Protocol = "ec2" if service == "ec2" else "query"
    return _Asked(protocol=protocol, service=service, operation=fields.get("Action", ""), fields=fields)


def _params(asked: _Asked, body: bytes, shape: service_models.Shape) -> Json:
    match asked.protocol:
        case "query":
            return query.decode(asked.fields, shape)
        case "ec2":
            return ec2.decode(asked.fields, shape)
        case "json":
            return documents.decode_json(body, shape)
        case "smithy-rpc-v2-cbor":
            return documents.decode_cbor(body, shape)
