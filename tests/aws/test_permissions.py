import re
from pathlib import Path

import botocore.session

import orchestrator.aws
from orchestrator.aws.client.errors import iam_action
from orchestrator.aws.permissions import EVENTS, READS, WRITES

SERVICE_OF = {
    "services/ecs": "ecs",
    "services/elbv2": "elbv2",
    "services/autoscaling": "application-autoscaling",
    "services/scaling_alarms": "cloudwatch",
    "services/cloudwatch": "cloudwatch",
    "services/sqs": "sqs",
    "reads/survey": "sts",
    "services/task_definitions": "ecs",
}
OF_PREFLIGHT = ("preflight", "services/ecs_listing")  # preflight's own tests hold them to their list
NEEDS_NONE = {"sts:GetCallerIdentity"}


def actions_in_the_source() -> set[str]:
    """The action of every operation that a module which makes calls names in quotes."""
    session = botocore.session.get_session()
    package = Path(orchestrator.aws.__file__).parent
    found: set[str] = set()
    for module, service in SERVICE_OF.items():
        operations = set(session.get_service_model(service).operation_names)
        named = set(re.findall(r'"([A-Z][A-Za-z]+)"', (package / f"{module}.py").read_text()))
        found |= {iam_action(service, name) for name in named & operations}
    return found


def test_only_the_modules_of_services_make_calls() -> None:
    package = Path(orchestrator.aws.__file__).parent
    callers = {
        path.relative_to(package).with_suffix("").as_posix()
        for path in package.rglob("*.py")
        if re.search(r"call\.(read|write|pages)\(", path.read_text())
    }
    callers = {path for path in callers if not path.startswith(OF_PREFLIGHT)}
    assert callers == SERVICE_OF.keys()


def test_the_permissions_are_those_of_the_calls_that_are_made() -> None:
    assert actions_in_the_source() - NEEDS_NONE == {*READS, *WRITES, *EVENTS}


def test_reads_only_read() -> None:
    assert all(re.match(r"(Describe|List|Get)", action.partition(":")[2]) for action in READS)
    assert not any(re.match(r"(Describe|List|Get)", action.partition(":")[2]) for action in WRITES)


def test_the_lists_are_sorted_and_hold_nothing_twice() -> None:
    for actions in (READS, WRITES, EVENTS):
        assert list(actions) == sorted(set(actions))
