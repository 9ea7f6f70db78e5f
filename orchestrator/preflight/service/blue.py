"""Is blue a service that a rollout can start from, and that green can be made like?"""

from collections.abc import Iterator

from orchestrator.core.cloud.deployment_configuration import hooks_in_words
from orchestrator.core.cloud.resources import ServiceSeen
from orchestrator.core.cloud.survey import Finding, Survey, is_elsewhere
from orchestrator.core.domain import tags
from orchestrator.core.domain.ids import long_service_arn
from orchestrator.core.domain.text import counted
from orchestrator.core.rollout.spec import Discovery, Ending, Spec
from orchestrator.preflight import statements
from orchestrator.preflight.findings import error, note, warning
from orchestrator.preflight.service import empty_service

WAITS = "--wait-for-blue 30m (limits.wait_for_blue) does"


def look(spec: Spec, survey: Survey) -> Iterator[Finding]:
    """What speaks against blue itself."""
    yield from _where(spec, survey)
    yield from _steadiness(spec, survey)
    yield from _kind(spec, survey)
    for feature in survey.unclonable:
        yield error(
            "unclonable-feature",
            f"{survey.blue.name} uses {feature}",
            "green would be made without it, and would not be the same service",
            "deploy this service by other means until Teal can carry it over",
        )
    yield from _short_arn(spec, survey)
    yield from _hooks(spec, survey)
    if survey.revisions_unread:
        yield error(
            "service-revisions-unread",
            f"what the service revisions of {survey.blue.name} say could not be read: {survey.revisions_unread}",
            "some features of a service show there alone: green could be made without one, and not be the same service",
            statements.to_add(survey, "ReadRevisions"),
        )
    yield from _discovery(spec, survey)


def _short_arn(spec: Spec, survey: Survey) -> Iterator[Finding]:
    """A service from before its account opted in to long ARNs, which takes no tags; perhaps none does yet."""
    blue = survey.blue
    if blue.arn == long_service_arn(blue.cluster, blue.name) or ":service/" not in blue.arn:
        return
    what = f"{blue.name} has an ARN of the old format, without its cluster's name: {blue.arn}"
    opt_in = "aws ecs put-account-setting-default --name serviceLongArnFormat --value enabled"
    if spec.ending is Ending.DELETE:
        yield error(
            "short-service-arn",
            what,
            "ECS puts no tags on it, and Teal tags a service before it deletes it",
            "write {swap: keep}, or ending: settle",
        )
        return
    yield warning(
        "short-service-arn",
        what,
        "ECS takes tags for a new service only where the account, or Teal's role, has opted in to long ARNs: green "
        "could not be made without it, and the rollout would be rolled back before any traffic",
        f"see that it has: {opt_in}",
    )


def _hooks(spec: Spec, survey: Survey) -> Iterator[Finding]:
    """Hooks of ECS's own deployments, of which nobody says whether rolling ones run them."""
    blue = survey.blue
    hooks = hooks_in_words(blue.deployment_configuration)
    if not hooks:
        return
    what = f"{blue.name} has lifecycle hooks: {', '.join(hooks)}"
    if spec.ending.is_swap:
        yield warning(
            "lifecycle-hooks",
            what,
            "green is made without them, and stays in its place",
            "have the file's gates judge what they judged, or give the new service of record hooks afterwards",
        )
        return
    yield warning(
        "lifecycle-hooks",
        what,
        "AWS does not say whether a rolling deployment runs them. One that does may wait at a pause, or be rolled "
        "back by ECS where a hook fails, when blue takes the new revision over: green serves meanwhile, and people "
        "are paged",
        "take them away before the rollout (lifecycleHooks: [] in the service's deployment configuration; the file's "
        "gates judge in their place), or be there to answer: aws ecs continue-service-deployment",
    )


def _discovery(spec: Spec, survey: Survey) -> Iterator[Finding]:
    if not survey.registries:
        return
    blue, names = survey.blue, ", ".join(survey.registries)
    if spec.discovery is Discovery.STRIP:
        yield warning(
            "discovery-stripped",
            f"{blue.name} answers in service discovery ({names}); green does not",
            "callers that find it there stay on blue, and meet the new revision all at once when blue takes it over",
            "write discovery: keep to have green answer there too, in proportion to its tasks",
        )
    else:
        green = max(blue.desired, spec.first_tasks)
        share = round(100 * green / (green + blue.desired))
        yield warning(
            "discovery-kept",
            f"green answers in service discovery ({names}) from its first task, whatever its weight",
            f"about {share} % of the calls that come by it reach green as soon as it has {counted(green, 'task')}",
            "write discovery: strip to keep them on blue",
        )


def _where(spec: Spec, survey: Survey) -> Iterator[Finding]:
    if spec.region and spec.region != survey.region:
        yield error(
            "wrong-region",
            f"the file says region {spec.region}, the credentials are used in {survey.region}",
            "a service of the same name elsewhere would be changed",
            "set AWS_REGION, or change region in the file",
        )
    for arn in (*spec.rules, *spec.test_rules, spec.task_definition):
        if is_elsewhere(arn, account=survey.account, region=survey.region):
            region, account = arn.split(":")[3:5]
            yield error(
                "foreign-arn",
                f"{arn} belongs to account {account} in {region}",
                f"the rollout runs in account {survey.account} in {survey.region}",
                "name a thing of the service's own account and region",
            )


def _steadiness(spec: Spec, survey: Survey) -> Iterator[Finding]:
    blue = survey.blue
    if blue.status != "ACTIVE":
        yield error(
            "blue-not-active",
            f"{blue.name} is {blue.status}",
            "there is no service of record to start from or to go back to",
            "create the service first, or name another",
        )
        return
    yield from _who_serves(spec, survey)
    seen = tuple(_deployments(blue))
    yield from seen
    for deployment in () if seen else survey.unsettled:  # one cause is told once
        yield error(
            "blue-unsettled",
            f"another deployment is under way on {blue.name}: {deployment}",
            "two tools would change the same service",
            f"wait until it has ended: {WAITS}",
            passes=True,
        )
    yield from empty_service.look(spec, survey)
    yield from _tasks(blue)


def _who_serves(spec: Spec, survey: Survey) -> Iterator[Finding]:
    """Is it the service of record, by what the store knows and by what tags and weights say?"""
    blue = survey.blue
    marked = blue.tags.get(tags.SERVES, "")
    if marked == tags.RETIRING:
        yield error(
            "rollout-is-retiring",
            f"rollout {blue.tags.get(tags.ROLLOUT)} has put {blue.name} in place and is retiring the one before it",
            "it is under way from another machine or store, or was abandoned there",
            f"let it end; if it never will, set the tag {tags.SERVES} of {blue.name} to true",
        )
    elif tags.ROLLOUT in blue.tags and not marked:
        yield error(
            "blue-is-a-guest",
            f"{blue.name} was made by rollout {blue.tags[tags.ROLLOUT]}",
            "it is a rollout's green, and goes when that rollout ends",
            "name the service of record",
        )
    elif marked and blue.tags.get(tags.SERVICE, "").rpartition("/")[2] != spec.service.service:
        yield error(
            "another-services-green",
            f"{blue.name} serves in the place of {blue.tags.get(tags.SERVICE)}",
            "its rollouts are known by that name",
            f"write service: {blue.tags.get(tags.SERVICE)}",
        )
    if survey.rivals:
        yield error(
            "two-services-serve",
            f"rules give traffic to {blue.name} and to {' and '.join(survey.rivals)}",
            "which of them is the service of record cannot be told",
            "give one of them all traffic, and the others no task",
        )
    if survey.known and survey.known != blue.name:
        gone = survey.is_known_gone
        yield (warning if gone else error)(
            "another-service-serves",
            f"by this store's rollouts {survey.known} serves; {blue.name} has the traffic"
            + (f", and {survey.known} is gone" if gone else ""),
            "somebody, or a rollout of another store, has put it in place",
            f"roll out from that store, or delete {survey.known} if nobody needs it" if not gone else "",
        )
    elif blue.name != spec.service.service:
        yield note("serves-in-place", f"{blue.name} serves in the place of {spec.service.path}, since a swap")


def _deployments(blue: ServiceSeen) -> Iterator[Finding]:
    if len(blue.deployments) > 1:
        yield error(
            "blue-deploying",
            f"{blue.name} has {len(blue.deployments)} deployments",
            "its tasks are still being replaced: there is no one revision to go back to",
            f"wait until the service is steady: {WAITS}",
            passes=True,
        )
        return
    state = blue.primary.rollout_state if blue.primary else ""
    if state != "COMPLETED":
        reason = f" ({blue.primary.reason})" if blue.primary and blue.primary.reason else ""
        yield error(
            "blue-not-completed",
            f"{blue.name}'s deployment is {state or 'not reported'}{reason}",
            "its present revision has not completed a deployment: it is not safe to go back to",
            f"wait until the deployment is COMPLETED ({WAITS}), or repair it",
            passes=state == "IN_PROGRESS",
        )


def _tasks(blue: ServiceSeen) -> Iterator[Finding]:
    if blue.desired and (blue.running != blue.desired or blue.pending):
        yield warning(
            "blue-short-of-tasks",
            f"{blue.name} runs {blue.running} of {counted(blue.desired, 'task')}",
            "no traffic moves until blue could take everything back",
            f"its events say why; the rollout holds before its first traffic until {blue.name} runs them all",
        )


def _kind(spec: Spec, survey: Survey) -> Iterator[Finding]:
    update = f"aws ecs update-service --cluster {spec.service.cluster} --service {spec.service.service}"
    if survey.controller == "CODE_DEPLOY":
        yield error(
            "controller-not-ecs",
            f"{survey.blue.name} is deployed by CodeDeploy",
            "CodeDeploy alone may change its tasks and its target groups",
            f"give it to ECS: {update} --deployment-controller type=ECS",
        )
    elif survey.controller != "ECS":
        yield error(
            "controller-not-ecs",
            f"{survey.blue.name} has deployment controller {survey.controller}",
            "ECS does not manage its tasks",
            "make a service of another name whose deployment controller is ECS, from what "
            f"`aws ecs describe-services --cluster {spec.service.cluster} --services {spec.service.service}` shows; "
            f"then `teal init --service {spec.service.cluster}/NAME`",
        )
    if survey.strategy != "ROLLING":
        yield error(
            "strategy-not-rolling",
            f"{survey.blue.name} has deployment strategy {survey.strategy}",
            "ECS itself would change the rule's weights when blue takes the new revision over",
            f"{update} --deployment-configuration strategy=ROLLING",
        )
    if survey.scheduling != "REPLICA":
        yield error(
            "scheduling-not-replica",
            f"{survey.blue.name} is scheduled as {survey.scheduling}",
            "ECS places one task on each instance: a second service cannot be given a count",
            "use a service with scheduling strategy REPLICA",
        )
