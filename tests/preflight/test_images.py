"""Which images a revision may run, by the settings' registries."""

import pytest

from orchestrator import preflight
from orchestrator.core.cloud.survey import Severity
from orchestrator.preflight.service.images import is_of
from tests.builders import NOON, good_definition, good_spec, good_survey

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


@pytest.mark.parametrize(
    ("image", "pattern", "expected"),
    [
        (f"{ECR}/checkout:1", f"{ECR}/*", True),
        (f"{ECR}/team/checkout@sha256:0a", f"{ECR}/team/*", True),
        (f"{ECR}/checkout:1", f"{ECR}/checkout", True),
        (f"{ECR}/checkout:1", f"{ECR}/checkout:2", False),
        (f"{ECR}/checkout", "*.dkr.ecr.eu-west-1.amazonaws.com/*", True),
        (f"{ECR}.evil.example/checkout", f"{ECR}/*", False),
        (f"evil.example/x{ECR}/checkout", "*.dkr.ecr.eu-west-1.amazonaws.com/*", False),
        (
            "evil.example/a.dkr.ecr.eu-west-1.amazonaws.com/checkout",
            "*.dkr.ecr.eu-west-1.amazonaws.com/*",
            False,
        ),
        ("localhost:5000/checkout:1", "localhost:5000/*", True),
        ("nginx", "nginx", True),
        ("nginx:1.27", "docker.io/library/*", True),
        ("docker.io/library/nginx:1.27", "nginx", False),
        ("team/app:1", "docker.io/team/*", True),
        ("team/app:1", "team/*", True),
        ("evil/nginx", "nginx", False),
        ("anything/at:all", "*", True),
    ],
)
def test_an_image_fits_a_pattern_by_its_registry_and_name(image: str, pattern: str, expected: bool) -> None:
    assert is_of(image, pattern) is expected


def test_an_image_of_another_registry_refuses_the_rollout_by_name() -> None:
    revision = good_definition(images=(("app", f"{ECR}/checkout:1"), ("sidecar", "evil.example/x:1")))
    found = preflight.findings(
        good_spec(), good_survey(revision=revision), now=NOON, registries=(f"{ECR}/*",)
    )
    (error,) = preflight.errors(found)
    assert error.code == "registry-not-allowed"
    assert error.what == "container sidecar of checkout:43 runs evil.example/x:1"
    assert f"{ECR}/*" in error.why


def test_without_registries_every_image_may_run() -> None:
    revision = good_definition(images=(("app", "evil.example/x:1"),))
    found = preflight.findings(good_spec(), good_survey(revision=revision), now=NOON)
    assert not [finding for finding in found if finding.severity is Severity.ERROR]


def test_images_that_are_not_known_are_not_allowed() -> None:
    found = preflight.findings(
        good_spec(), good_survey(revision=good_definition(images=())), now=NOON, registries=("*",)
    )
    assert [error.code for error in preflight.errors(found)] == ["images-unknown"]
