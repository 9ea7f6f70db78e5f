import pytest

from orchestrator.aws.client.errors import refused, unanswered, uncredentialed
from orchestrator.core.domain.errors import Denied, Missing, Outside, Rejected, Throttled, Unreachable


@pytest.mark.parametrize(
    ("service", "operation", "code", "status", "kind"),
    [
        ("ecs", "DescribeServices", "ThrottlingException", 400, Throttled),
        ("elbv2", "ModifyRule", "Throttling", 400, Throttled),
        ("application-autoscaling", "RegisterScalableTarget", "ConcurrentUpdateException", 400, Throttled),
        ("cloudwatch", "GetMetricData", "SomethingNew", 429, Throttled),
        ("ecs", "DescribeServices", "AccessDeniedException", 400, Denied),
        ("elbv2", "ModifyRule", "AccessDenied", 403, Denied),
        ("sts", "GetCallerIdentity", "ExpiredToken", 403, Denied),
        ("ecs", "DescribeServices", "ExpiredTokenException", 400, Denied),
        ("ecs", "DescribeServices", "UnrecognizedClientException", 400, Denied),
        ("elbv2", "DescribeRules", "SignatureDoesNotMatch", 403, Denied),
        ("elbv2", "DescribeRules", "RuleNotFound", 400, Missing),
        ("elbv2", "DescribeTargetHealth", "TargetGroupNotFound", 400, Missing),
        ("ecs", "DescribeServices", "ClusterNotFoundException", 400, Missing),
        ("ecs", "UpdateService", "ServiceNotActiveException", 400, Missing),
        ("ecs", "DescribeTaskDefinition", "ClientException", 400, Missing),
        ("application-autoscaling", "DescribeScalingPolicies", "ObjectNotFoundException", 400, Missing),
        ("ecs", "CreateService", "ServerException", 500, Unreachable),
        ("elbv2", "DescribeRules", "ServiceUnavailable", 503, Unreachable),
        ("elbv2", "DescribeTargetHealth", "HealthUnavailable", 500, Unreachable),
        ("cloudwatch", "DescribeAlarms", "Whatever", 502, Unreachable),
        ("ecs", "CreateService", "ClientException", 400, Rejected),
        ("ecs", "CreateService", "InvalidParameterException", 400, Rejected),
        ("elbv2", "ModifyRule", "OperationNotPermitted", 400, Rejected),
        ("elbv2", "DeleteTargetGroup", "ResourceInUse", 400, Rejected),
        ("elbv2", "CreateTargetGroup", "DuplicateTargetGroupName", 400, Rejected),
    ],
)
def test_every_refusal_becomes_the_kind_that_says_who_acts(
    service: str, operation: str, code: str, status: int, kind: type[Outside]
) -> None:
    error = refused(service, operation, code=code, message="its words", status=status)
    assert type(error) is kind
    assert operation in error.what
    assert error.why == f"AWS answered {code}: its words"
    assert error.next_step


def test_a_group_that_ecs_does_not_see_on_a_load_balancer_yet_is_missing_and_not_rejected() -> None:
    message = "The target group with targetGroupArn arn:x does not have an associated load balancer."
    error = refused("ecs", "CreateService", code="InvalidParameterException", message=message, status=400)
    assert type(error) is Missing


@pytest.mark.parametrize("status", [400, 403, 404, 502])
def test_a_page_is_told_by_its_status_and_never_shown_and_says_nothing_of_what_was_asked(status: int) -> None:
    for code in ("", "Unknown", str(status)):
        error = refused(
            "ecs", "CreateService", code=code, message="\n <!DOCTYPE html><h1>No</h1>", status=status
        )
        assert type(error) is Unreachable
        assert error.why == f"the endpoint answered with a page instead of an AWS answer (HTTP {status})"
        assert "AWS_ENDPOINT_URL" in error.next_step


def test_a_page_that_asks_for_fewer_calls_is_a_throttle() -> None:
    assert type(refused("ecs", "ListTasks", code="429", message="<html>slow</html>", status=429)) is Throttled


def test_what_is_no_page_and_no_error_of_aws_is_shown_short_and_on_one_line() -> None:
    error = refused(
        "ecs", "ListTasks", code="403", message="blocked\n by\x1b[1m policy " + "x" * 900, status=403
    )
    assert error.why.startswith("the endpoint answered HTTP 403 without an error of AWS: blocked by")
    assert len(error.why) < 200
    assert error.why.isprintable()
    empty = refused("elbv2", "DescribeRules", code="Unknown", message="", status=503)
    assert empty.why == "the endpoint answered HTTP 503 without an error of AWS"


def test_markup_in_an_error_of_aws_is_left_out() -> None:
    error = refused(
        "ecs", "CreateService", code="ServerException", message="<html><b>x</b></html>", status=500
    )
    assert error.why == "AWS answered ServerException"


def test_a_family_at_which_somebody_else_registers_is_busy_and_no_mistake() -> None:
    message = "Too many concurrent attempts to create a new revision of the specified family."
    error = refused("ecs", "RegisterTaskDefinition", code="ClientException", message=message, status=400)
    assert type(error) is Throttled
    assert "change what AWS names" not in error.next_step


def test_a_denied_call_names_the_action_to_allow() -> None:
    error = refused("elbv2", "ModifyRule", code="AccessDenied", message="", status=403)
    assert "elasticloadbalancing:ModifyRule" in error.next_step


def test_missing_credentials_say_how_to_give_them() -> None:
    error = uncredentialed("ecs", "DescribeServices", why="Unable to locate credentials")
    assert isinstance(error, Denied)
    assert all(name in error.next_step for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "role"))


def test_silence_is_unreachable_and_points_at_the_network() -> None:
    error = unanswered("ecs", "CreateService", why="no answer within 7.5 s")
    assert isinstance(error, Unreachable)
    assert "AWS_ENDPOINT_URL" in error.next_step


@pytest.mark.parametrize(
    ("code", "message", "advice"),
    [
        (
            "AccessDeniedException",
            "User: arn:x is not authorized to perform: ecs:TagResource on resource: arn:y because no identity-based",
            "allow the action ecs:TagResource to Teal's role (statement TagGreenWhenMade of docs/permissions.md)",
        ),
        (
            "InvalidLoadBalancerAction",
            "User is not authorized to perform 'describeUserPoolClient'",
            "allow the action cognito-idp:DescribeUserPoolClient to Teal's role (statement ReadUserPools of "
            "docs/permissions.md)",
        ),
    ],
)
def test_a_denial_names_the_action_that_aws_asked_for_and_its_statement(
    code: str, message: str, advice: str
) -> None:
    error = refused("ecs", "CreateService", code=code, message=message, status=400)
    assert isinstance(error, Denied)
    assert error.next_step == advice
