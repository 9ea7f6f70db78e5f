"""Can the wanted revision run where blue runs, and is it another than blue's?"""

from collections.abc import Iterator

from orchestrator.core.cloud.survey import Finding, Survey, TaskDefinitionSeen, is_elsewhere
from orchestrator.core.domain.ids import revision_name
from orchestrator.core.rollout.spec import Spec
from orchestrator.preflight.findings import error, note, warning


def look(spec: Spec, survey: Survey) -> Iterator[Finding]:
    """What speaks against the revision."""
    wanted = survey.revision
    if wanted is None:
        if is_elsewhere(spec.task_definition, account=survey.account, region=survey.region):
            return  # said already
        yield error(
            "revision-unknown",
            f"task definition {spec.task_definition or survey.blue.task_definition} does not exist",
            "green would have nothing to run",
            "register it, or correct revision.task_definition",
        )
        return
    name = revision_name(wanted.arn)
    if wanted.status != "ACTIVE":
        yield error(
            "revision-not-active",
            f"task definition {name} is {wanted.status}",
            "no service can be made from it",
            "register it again and name the new revision",
        )
    if wanted.mesh_proxy:
        yield error(
            "app-mesh-ended",
            f"container {wanted.mesh_proxy} of {name} is App Mesh's proxy (proxyConfiguration of type APPMESH)",
            "AWS ended App Mesh on 2026-09-30: the proxy gets no configuration, and every request of a task goes "
            "through it",
            "register the task definition without proxyConfiguration and that container; Service Connect takes the "
            "mesh's place",
        )
    yield from _registrations(spec, survey)
    yield from _ports(name, wanted, survey)
    if survey.former is not None:
        yield from _likeness(name, wanted, survey.former)
    yield from _sameness(name, spec, wanted, survey)


def _registrations(spec: Spec, survey: Survey) -> Iterator[Finding]:
    known = [container for container, _ in survey.former.images] if survey.former else []
    for container, image in spec.images:
        if container not in known:
            yield error(
                "container-unknown",
                f"{revision_name(survey.blue.task_definition)} has no container {container}",
                f"image {image} would run nowhere",
                f"name one of {', '.join(known) or 'its containers'} in revision.images",
            )
        elif "@" not in image:
            yield note(
                "image-by-tag",
                f"container {container} is to run {image}, by its tag",
                "a tag may be moved while the rollout is under way: a digest (repository@sha256:…) always means the "
                "same",
            )
    for new in survey.new_revisions:
        whose = (
            "only green runs it, and it goes when green goes" if new.is_greens_own else "blue takes it over"
        )
        yield note(
            "revision-registered",
            f"a revision of {new.family} is registered at the start",
            f"{whose}; needs ecs:RegisterTaskDefinition, and iam:PassRole for the roles it names",
        )


def _ports(name: str, wanted: TaskDefinitionSeen, survey: Survey) -> Iterator[Finding]:
    containers = {container for container, _ in wanted.ports}
    for group in survey.groups:
        if (group.container, group.port) in wanted.ports:
            continue
        lacks = f"port {group.port} of container {group.container}"
        if group.container not in containers:
            lacks = f"container {group.container} with port {group.port}"
        yield error(
            "revision-without-port",
            f"task definition {name} has no {lacks}",
            f"target group {group.name} sends requests there",
            "name the container and its port in the task definition as blue's has them",
        )


def _likeness(name: str, wanted: TaskDefinitionSeen, former: TaskDefinitionSeen) -> Iterator[Finding]:
    if wanted.network_mode != former.network_mode:
        yield error(
            "other-network-mode",
            f"task definition {name} has network mode {wanted.network_mode}, blue's has {former.network_mode}",
            "green's targets would be of another type than its target groups, which are made like blue's",
            f"register it with network mode {former.network_mode}",
        )
    if wanted.architecture != former.architecture:
        yield error(
            "other-architecture",
            f"task definition {name} is for {wanted.architecture}, blue's for {former.architecture}",
            "blue's capacity may not run it",
            f"build and register it for {former.architecture}",
        )


def _sameness(name: str, spec: Spec, wanted: TaskDefinitionSeen, survey: Survey) -> Iterator[Finding]:
    if not survey.blue.desired:  # blue runs nothing, whatever it names
        return
    if wanted.arn == survey.blue.task_definition and not spec.is_forced:
        yield error(
            "already-runs-it",
            f"{survey.blue.name} already runs {name}",
            "there is nothing to move traffic to",
            "name the revision to release; or, to have its tasks replaced all the same, give --force (force: true)",
        )
    elif wanted.arn == survey.blue.task_definition:
        at_last = (
            "which it takes the place of" if spec.ending.is_swap else "which is deployed anew at the end"
        )
        yield warning(
            "same-revision",
            f"green will run {name} as {survey.blue.name} does, {at_last}",
            "only an image whose tag has moved makes a difference; once blue is deployed anew, no rollback brings back "
            "what the tag meant before",
            "name images by their digests where there may be a way back",
        )
    elif survey.former is not None and wanted.digest == survey.former.digest:
        yield warning(
            "same-content",
            f"{name} says the same as {revision_name(survey.former.arn)}, which blue runs",
            "only an image whose tag has moved would make green differ",
            "check that this is the revision to release",
        )
