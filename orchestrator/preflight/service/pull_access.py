"""Can the tasks fetch what they start from: images, secrets and parameters? None of their contents is read."""

from collections.abc import Iterator, Sequence

from orchestrator.core.cloud.resources import Unread
from orchestrator.core.cloud.survey import Finding
from orchestrator.core.domain.ids import revision_name
from orchestrator.core.preflight.environment import Denial, Presence, Surroundings, TaskSeen
from orchestrator.preflight.findings import error, note, warning
from orchestrator.preflight.room.quota_headroom import unread


def look(around: Surroundings) -> Iterator[Finding]:
    """What speaks against fetching, of the wanted revision and of blue's."""
    yield from _wanted_images(around)
    yield from _blues_images(around)
    yield from _unchecked(around)
    yield from _secrets(around)
    yield from _readable(around)


def _wanted_images(around: Surroundings) -> Iterator[Finding]:
    for container, image in _images(around.wanted):
        if around.images.get(image) is Presence.MISSING:
            yield error(
                "image-missing",
                f"container {container} wants {image}, which is not in its repository",
                "no task of green could start",
                "push the image, or name one that is there",
            )


def _blues_images(around: Surroundings) -> Iterator[Finding]:
    for container, image in _images(around.former):
        if around.images.get(image) is Presence.MISSING:
            assert isinstance(around.former, TaskSeen)
            yield warning(
                "blue-image-missing",
                f"{image} of container {container}, which {revision_name(around.former.arn)} runs, "
                "is not in its repository",
                "blue's running tasks go on, but one that stops cannot be replaced: rolling back is not safe",
                "push the image again before the rollout",
            )


def _unchecked(around: Surroundings) -> Iterator[Finding]:
    elsewhere = [image for image, found in around.images.items() if found is Presence.ELSEWHERE]
    if elsewhere:
        yield note(
            "images-unchecked",
            f"whether {' and '.join(elsewhere)} can be pulled is not known before tasks start",
            "only repositories of Amazon ECR in this region can be asked",
        )
    for image, found in around.images.items():
        if isinstance(found, Unread):
            yield unread("image", f"whether {image} is there", found, "ecr:DescribeImages")


def _images(task: object) -> tuple[tuple[str, str], ...]:
    return task.images if isinstance(task, TaskSeen) else ()


def _secrets(around: Surroundings) -> Iterator[Finding]:
    for source, found in around.secrets.items():
        action = "secretsmanager:DescribeSecret" if ":secretsmanager:" in source else "ssm:DescribeParameters"
        if isinstance(found, Unread):
            yield unread("secret", f"whether {source} is there", found, action)
        elif found is Presence.MISSING:
            yield error(
                "secret-missing",
                f"{source} does not exist",
                "no task of green could start: ECS fetches it before the container",
                "create it, or correct the task definition",
            )
        elif found is Presence.DELETED:
            yield error(
                "secret-deleted",
                f"{source} is deleted, and waits for its end",
                "no task of green could start: it cannot be read any more",
                "restore it (aws secretsmanager restore-secret), or correct the task definition",
            )
    if around.secrets and isinstance(around.wanted, TaskSeen) and not around.wanted.execution_role:
        yield error(
            "no-execution-role",
            "the task definition names secrets, and no execution role to fetch them with",
            "no task of green could start",
            "give it an executionRoleArn that may read them",
        )


def _readable(around: Surroundings) -> Iterator[Finding]:
    if isinstance(around.unreadable, Unread):
        words = "whether the execution role may read the secrets"
        yield unread("execution-role", words, around.unreadable, "iam:SimulatePrincipalPolicy")
        return
    assert not around.unreadable or isinstance(around.wanted, TaskSeen)
    role = around.wanted.execution_role if isinstance(around.wanted, TaskSeen) else ""
    yield from _denied(role, [denial for denial in around.unreadable if denial.is_explicit], is_sure=True)
    yield from _denied(
        role, [denial for denial in around.unreadable if not denial.is_explicit], is_sure=False
    )


def _denied(role: str, denials: Sequence[Denial], *, is_sure: bool) -> Iterator[Finding]:
    for denial in denials:
        what = f"the execution role may not make {denial.action} on {denial.resource}"
        next_step = f"allow it to {role}"
        if is_sure:
            yield error("secret-denied", what, "no task of green could start", next_step)
        else:
            why = "no task of green could start, unless a policy of the secret itself allows it"
            yield warning("secret-not-allowed", what, why, next_step)
