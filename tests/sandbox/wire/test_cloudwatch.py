"""CloudWatch ships no examples: shapes are generated, and every protocol it knows carries them unharmed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.parsers import create_parser
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.wire import cbor, documents, query
from sandbox.wire.skin import Skin
from sandbox.world.kernel import service_models
from tests.sandbox.wire.clients import Wire, calm_world
from tests.sandbox.wire.test_golden import sent

OPERATIONS = (
    *("DescribeAlarms", "PutMetricAlarm", "GetMetricData", "SetAlarmState", "DeleteAlarms"),
    *("PutCompositeAlarm", "DescribeAlarmHistory", "PutMetricData", "PutAlarmMuteRule", "ListAlarmMuteRules"),
)
PROTOCOLS = ("smithy-rpc-v2-cbor", "json", "query")
TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=1, max_size=12)
MOMENTS = st.integers(0, 2_000_000_000).map(lambda s: datetime.fromtimestamp(s, UTC))


def of_shape(shape: Wire, depth: int = 0) -> st.SearchStrategy[Any]:  # noqa: PLR0911 - one per type
    match shape.type_name:
        case "structure" if shape.is_tagged_union:
            return st.one_of(
                [st.fixed_dictionaries({name: of_shape(m, depth + 1)}) for name, m in shape.members.items()]
            )
        case "structure":
            optional = {name: of_shape(member, depth + 1) for name, member in shape.members.items()}
            required = {name: optional.pop(name) for name in shape.required_members}
            return st.fixed_dictionaries(required, optional=optional if depth < 4 else {})
        case "list":
            return st.lists(of_shape(shape.member, depth + 1), max_size=2 if depth < 5 else 0)
        case "map":
            return st.dictionaries(TEXT, of_shape(shape.value, depth + 1), max_size=2)
        case "string":
            return st.sampled_from(shape.enum) if shape.enum else TEXT
        case "integer" | "long":
            return st.integers(-(2**40), 2**40)
        case "float" | "double":
            return st.floats(allow_nan=False, allow_infinity=False, width=32)
        case "boolean":
            return st.booleans()
        case "timestamp":
            return MOMENTS
        case "blob":
            return st.binary(max_size=8)
    raise AssertionError(shape.type_name)


def model(operation: str) -> Wire:
    found = service_models.operation_model("cloudwatch", operation)
    assert found is not None
    return found


@pytest.mark.parametrize("protocol", PROTOCOLS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_generated_input_arrives_as_it_was_sent(protocol: str, data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from(OPERATIONS))
    shape = model(operation).input_shape
    params = data.draw(of_shape(shape))
    fields, body = sent(protocol, "cloudwatch", operation, params)
    if protocol == "query":
        # An empty structure has no form in a query; what is left of it cannot be told from its absence.
        assert without_empty(query.decode(fields, shape)) == without_empty(params)
    elif protocol == "json":
        assert documents.decode_json(body, shape) == params
    else:
        assert documents.decode_cbor(body, shape) == params


@pytest.mark.parametrize("protocol", PROTOCOLS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_generated_output_reads_back_as_it_was_said(protocol: Wire, data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from(OPERATIONS))
    shape = model(operation).output_shape
    answer = data.draw(of_shape(shape)) if shape is not None else {}
    response = Skin(calm_world()).encode(protocol, "cloudwatch", operation, answer)
    wire = {"status_code": response.status, "headers": response.headers, "body": response.body}
    parsed = create_parser(protocol).parse(wire, shape)
    parsed.pop("ResponseMetadata", None)
    assert parsed == answer


def without_empty(value: Wire) -> Wire:
    if isinstance(value, dict):
        inner = {key: without_empty(v) for key, v in value.items()}
        return {key: v for key, v in inner.items() if v not in ({}, [])}
    if isinstance(value, list):
        return [without_empty(v) for v in value if without_empty(v) not in ({}, [])]
    return value


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (bytes.fromhex("5f42010243030405ff"), bytes([1, 2, 3, 4, 5])),
        (bytes.fromhex("7f657374726561646d696e67ff"), "streaming"),
        (bytes.fromhex("9f018202039f0405ffff"), [1, [2, 3], [4, 5]]),
        (bytes.fromhex("bf61610161629f0203ffff"), {"a": 1, "b": [2, 3]}),
        (bytes.fromhex("f93c00"), 1.0),
        (bytes.fromhex("fa47c35000"), 100000.0),
        (bytes.fromhex("c11a514b67b0"), datetime(2013, 3, 21, 20, 4, tzinfo=UTC)),
        (bytes.fromhex("3903e7"), -1000),
        (bytes.fromhex("1b000000e8d4a51000"), 1000000000000),
        (bytes.fromhex("f6"), None),
    ],
)
def test_cbor_reads_the_examples_of_its_standard(data: bytes, value: object) -> None:
    assert cbor.loads(data) == value


@pytest.mark.parametrize("data", ["", "82", "0101", "ff", "c074323031332d30332d32315432303a30343a30305a"])
def test_cbor_refuses_what_is_not_one_supported_item(data: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        cbor.loads(bytes.fromhex(data))


def test_cbor_keeps_a_moment_to_the_millisecond() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(milliseconds=1)
    assert cbor.loads(cbor.dumps({"at": moment})) == {"at": moment}
