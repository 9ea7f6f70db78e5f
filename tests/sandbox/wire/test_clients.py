"""Unmodified boto3 and aiobotocore clients on the World: in process, and over a loopback socket."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import boto3
import botocore.exceptions
import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.config import Config
from botocore.parsers import create_parser

from sandbox.scenarios.scenery import furnish, until_steady
from sandbox.wire.skin import Response, Skin
from sandbox.wire.socket import serve
from sandbox.world import Fault, World, WorldSettings
from sandbox.world.kernel import service_models
from tests.sandbox.wire.clients import KEYS, ONE_ATTEMPT, START, Wire, boto, calm_world
from tests.sandbox.wire.test_golden import sent
from tests.support.inprocess_wire import session_class


@contextmanager
def listening(skin: Skin, paths: Mapping[str, Any] | None = None) -> Iterator[str]:
    """The skin on a socket, its loop on a thread of its own, as a sandbox in another process would be."""
    started: list[str] = []
    ready, finish = threading.Event(), threading.Event()

    async def run() -> None:
        async with serve(skin, paths=paths) as url:
            started.append(url)
            ready.set()
            await asyncio.get_running_loop().run_in_executor(None, finish.wait)

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    try:
        assert ready.wait(10)
        yield started[0]
    finally:
        finish.set()
        thread.join()


def test_boto3_reads_a_furnished_world_in_every_service() -> None:
    world = calm_world()
    scenery = furnish(world)
    until_steady(world, scenery)
    skin = Skin(world)
    service = boto("ecs", skin).describe_services(cluster="prod", services=["checkout"], include=["TAGS"])[
        "services"
    ][0]
    assert (service["status"], service["runningCount"]) == ("ACTIVE", 3)
    elb = boto("elbv2", skin)
    assert elb.describe_rules(RuleArns=[scenery.rules[0]])["Rules"][0]["Actions"][0]["Type"] == "forward"
    health = elb.describe_target_health(TargetGroupArn=scenery.target_group)["TargetHealthDescriptions"]
    assert [each["TargetHealth"]["State"] for each in health] == ["healthy"] * 3
    alarm = boto("cloudwatch", skin).describe_alarms(AlarmNames=list(scenery.alarms))["MetricAlarms"][0]
    assert alarm["StateUpdatedTimestamp"].tzinfo is not None
    targets = boto("application-autoscaling", skin).describe_scalable_targets(ServiceNamespace="ecs")
    assert targets["ScalableTargets"][0]["ResourceId"] == "service/prod/checkout"
    identity = boto("sts", skin).get_caller_identity()
    assert identity["Account"] == "123456789012"


@pytest.mark.parametrize(
    ("service", "method", "params", "error"),
    [
        (
            "elbv2",
            "modify_rule",
            {"RuleArn": "arn:x", "Actions": [{"Type": "forward"}]},
            "RuleNotFoundException",
        ),
        ("ecs", "describe_services", {"cluster": "none", "services": ["a"]}, "ClusterNotFoundException"),
        (
            "application-autoscaling",
            "deregister_scalable_target",
            {
                "ServiceNamespace": "ecs",
                "ResourceId": "service/a/b",
                "ScalableDimension": "ecs:service:DesiredCount",
            },
            "ObjectNotFoundException",
        ),
        ("cloudwatch", "delete_alarms", {"AlarmNames": ["none"]}, "ResourceNotFound"),
    ],
)
def test_refusals_arrive_as_the_typed_errors_of_each_service(
    service: str, method: str, params: dict[str, Any], error: str
) -> None:
    client = boto(service, Skin(calm_world()))
    with pytest.raises(getattr(client.exceptions, error)):
        getattr(client, method)(**params)


def test_an_operation_that_is_not_there_is_refused_by_name() -> None:
    with pytest.raises(
        botocore.exceptions.ClientError, match="elbv2 DescribeTrustStores is not in this sandbox"
    ):
        boto("elbv2", Skin(calm_world())).describe_trust_stores()


def test_a_parameter_that_is_not_there_is_refused_by_name() -> None:
    with pytest.raises(botocore.exceptions.ClientError, match="parameter CustomerOwnedIpv4Pool"):
        boto("elbv2", Skin(calm_world())).create_load_balancer(
            Name="x", CustomerOwnedIpv4Pool="ipv4pool-coip-1"
        )


def test_a_lost_call_is_a_read_timeout_and_takes_effect_all_the_same() -> None:
    world = calm_world()
    scenery = furnish(world)
    world.faults.add(Fault(operation="DeleteRule", when="after"))
    elb = boto("elbv2", Skin(world))
    with pytest.raises(botocore.exceptions.ReadTimeoutError):
        elb.delete_rule(RuleArn=scenery.rules[0])
    with pytest.raises(elb.exceptions.RuleNotFoundException):
        elb.describe_rules(RuleArns=[scenery.rules[0]])


@pytest.mark.parametrize(("service", "code"), [("ecs", "ThrottlingException"), ("elbv2", "Throttling")])
def test_throttling_has_the_code_of_its_service(service: str, code: str) -> None:
    world = calm_world()
    world.faults.throttle_everything()
    client = boto(service, Skin(world))
    call: Callable[[], object] = client.list_services if service == "ecs" else client.describe_load_balancers
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call()
    assert caught.value.response["Error"]["Code"] == code


def test_an_answer_that_does_not_fit_its_shape_is_a_loud_500() -> None:
    world = calm_world()
    sts = boto("sts", Skin(world))
    world.call = lambda *_: {"Account": 7, "Invented": "member"}  # type: ignore[method-assign]  # a lying World
    with pytest.raises(botocore.exceptions.ClientError, match="Invented") as caught:
        sts.get_caller_identity()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500


def test_a_world_that_breaks_is_a_loud_500() -> None:
    world = calm_world()
    elb = boto("elbv2", Skin(world))

    def broken(*_: object, **__: object) -> Wire:
        raise KeyError("broken")

    world.call = broken  # type: ignore[method-assign]  # a World with a bug
    with pytest.raises(botocore.exceptions.ClientError, match="SandboxBug"):
        elb.describe_load_balancers()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"Action=DescribeRules&PageSize=many", b"MalformedQueryString"),
        (b"Action=DescribeRules&Surprise=1", b"MalformedQueryString"),
        (b"Action=DescribeRules&RuleArns=x", b"MalformedQueryString"),
        (b"Action=DescribeRules&PageSize=9999", b"ValidationError"),
        (b"Action=CreateRule", b"ValidationError"),
        (b"Action=Nonsense", b"InvalidAction"),
    ],
)
def test_malformed_queries_are_refused(body: bytes, code: bytes) -> None:
    scope = {"Authorization": "Credential=x/20260101/eu-west-1/elasticloadbalancing/aws4_request"}
    answer = Skin(calm_world()).handle("POST", "/", scope, body)
    assert answer.status == 400
    assert b"<Code>" + code + b"</Code>" in answer.body


@pytest.mark.parametrize("body", [b"{", b"[]"])
def test_malformed_json_is_refused(body: bytes) -> None:
    headers = {
        "Authorization": "Credential=x/20260101/eu-west-1/ecs/aws4_request",
        "X-Amz-Target": "AmazonEC2ContainerServiceV20141113.ListServices",
        "Content-Type": "application/x-amz-json-1.1",
    }
    answer = Skin(calm_world()).handle("POST", "/", headers, body)
    assert (answer.status, b"SerializationException" in answer.body) == (400, True)


@pytest.mark.parametrize("protocol", ["smithy-rpc-v2-cbor", "json", "query"])
def test_cloudwatch_speaks_each_of_its_protocols(protocol: str) -> None:
    world = calm_world()
    furnish(world)
    fields, body = sent(protocol, "cloudwatch", "DescribeAlarms", {"AlarmNames": ["checkout-5xx"]})
    headers = {"Authorization": "Credential=x/20260101/eu-west-1/monitoring/aws4_request"}
    path = "/"
    if protocol == "query":
        body = urlencode({"Action": "DescribeAlarms", **fields}).encode()
    elif protocol == "json":
        headers |= {
            "X-Amz-Target": "GraniteServiceVersion20100801.DescribeAlarms",
            "Content-Type": "application/x-amz-json-1.0",
        }
    else:
        path = "/service/GraniteServiceVersion20100801/operation/DescribeAlarms"
    response = Skin(world).handle("POST", path, headers, body)
    wire = {"status_code": response.status, "headers": response.headers, "body": response.body}
    found = service_models.operation_model("cloudwatch", "DescribeAlarms")
    assert found is not None
    parsed = create_parser(protocol).parse(wire, found.output_shape)
    assert [alarm["AlarmName"] for alarm in parsed["MetricAlarms"]] == ["checkout-5xx"]


def test_date_of_an_answer_is_the_worlds() -> None:
    answer = boto("sts", Skin(calm_world())).get_caller_identity()
    assert answer["ResponseMetadata"]["HTTPHeaders"]["date"] == "Thu, 01 Jan 2026 00:00:00 GMT"


def test_unsigned_and_foreign_requests_are_refused() -> None:
    skin = Skin(calm_world())
    assert skin.handle("POST", "/", {}, b"Action=GetCallerIdentity").status == 403
    scope = {"Authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/eu-west-1/s3/aws4_request"}
    foreign = skin.handle("GET", "/", scope, b"")
    assert (foreign.status, b"service s3 is not in this sandbox" in foreign.body) == (501, True)


def test_aiobotocore_speaks_to_the_world_in_process() -> None:
    world = calm_world()
    scenery = furnish(world)

    async def both() -> tuple[Any, Any]:
        config = AioConfig(http_session_cls=session_class(Skin(world)), retries=ONE_ATTEMPT)
        session = get_session()
        async with session.create_client("elbv2", config=config, **KEYS) as elb:
            rules = await elb.describe_rules(RuleArns=list(scenery.rules))
            world.faults.add(Fault(operation="DescribeRules"))
            with pytest.raises(botocore.exceptions.ReadTimeoutError):
                await elb.describe_rules(RuleArns=list(scenery.rules))
        async with session.create_client("cloudwatch", config=config, **KEYS) as cloudwatch:
            return rules, await cloudwatch.describe_alarms()

    rules, alarms = asyncio.run(both())
    assert rules["Rules"][0]["RuleArn"] == scenery.rules[0]
    assert alarms["MetricAlarms"][0]["AlarmName"] == "checkout-5xx"


@pytest.mark.machine
def test_boto3_speaks_to_the_world_over_a_socket_on_one_connection() -> None:
    world = calm_world()
    furnish(world)
    with listening(Skin(world)) as url:
        config = Config(retries=ONE_ATTEMPT, read_timeout=5)
        ecs = boto3.session.Session(**KEYS).client("ecs", endpoint_url=url, config=config)
        arns = [ecs.list_services(cluster="prod")["serviceArns"] for _ in range(3)]
        with pytest.raises(ecs.exceptions.ServiceNotFoundException):
            ecs.update_service(cluster="prod", service="none", desiredCount=1)
        ecs.close()
    assert arns[0] == arns[2] != []


@pytest.mark.machine
def test_a_lost_call_over_a_socket_gets_no_answer() -> None:
    world = World(start=START, settings=WorldSettings.kind())
    world.faults.add(Fault())
    with listening(Skin(world)) as url:
        config = Config(retries=ONE_ATTEMPT, read_timeout=0.2)
        sts = boto3.session.Session(**KEYS).client("sts", endpoint_url=url, config=config)
        with pytest.raises(botocore.exceptions.ReadTimeoutError):
            sts.get_caller_identity()
        sts.close()


def raw(url: str, request: bytes) -> bytes:
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as plug:
        plug.sendall(request)
        answer = b""
        while piece := plug.recv(65536):
            answer += piece
    return answer


async def echo(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Response:
    return Response(status=200, headers={"x-path": path}, body=body)


@pytest.mark.machine
def test_socket_serves_further_paths_and_says_so_when_nothing_is_there() -> None:
    with listening(Skin(calm_world()), {"/_sandbox/echo": echo}) as url:
        chunked = b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        answer = raw(url, b"POST /_sandbox/echo?a=1 HTTP/1.1\r\nHost: x\r\n" + chunked)
        assert b"x-path: /_sandbox/echo?a=1" in answer
        assert answer.endswith(b"abc")
        nothing = raw(url, b"GET /_sandbox/none HTTP/1.1\r\nConnection: close\r\n\r\n")
        assert nothing.startswith(b"HTTP/1.1 404")


@pytest.mark.machine
def test_socket_answers_expect_100_continue_before_the_body() -> None:
    with listening(Skin(calm_world()), {"/_sandbox/echo": echo}) as url:
        head = b"POST /_sandbox/echo HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
        assert raw(url, head + b"ok").startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")


@pytest.mark.machine
@pytest.mark.parametrize(
    "request_head", [b"nonsense\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n"]
)
def test_socket_refuses_what_is_not_http(request_head: bytes) -> None:
    with listening(Skin(calm_world())) as url:
        assert raw(url, request_head).startswith(b"HTTP/1.1 400")
