"""docs/cloning.md: what becomes of every field when green is made like blue, from the tables of the adapter."""

from collections.abc import Mapping

from docs.pages.markdown import document, table
from orchestrator.aws.services import clone_fields
from orchestrator.aws.services.clone_fields import Fate, Field
from orchestrator.aws.services.clone_requests import ATTRIBUTE_DEFAULTS
from orchestrator.aws.services.task_definitions import family_of_green

FATES = {
    Fate.COPIED: "Green has what AWS shows of blue.",
    Fate.CHANGED: "Made from what blue has, or from what the rollout is.",
    Fate.STRIPPED: "Green is made without it, which does no harm; preflight says so where blue has it.",
    Fate.REFUSED: "A service that has it cannot be rolled out: preflight refuses, before anything is touched.",
}


def page() -> str:
    """The page's text."""
    return document(
        "What green is made of",
        "the tables of `orchestrator/aws/services/clone_fields.py`",
        "Green is a second ECS service, made for one rollout and gone after it, and it is to be the same service as "
        "blue in everything that users or operators could notice. So every field of the requests that make it has a "
        "line here. A test compares these tables with botocore's own models: a field that AWS adds fails it until "
        "somebody has decided.",
        table(["fate", "meaning"], [[fate.value, FATES[fate]] for fate in Fate]),
        "## The service (ECS CreateService)",
        _table(clone_fields.SERVICE),
        "A service may have several entries in `loadBalancers`, on several load balancers: each target group of blue "
        "gets one of green beside it, and every rule that forwards to any of them moves in the same step.",
        "Each entry of `loadBalancers`:",
        _table(clone_fields.LOAD_BALANCER),
        "`deploymentConfiguration`:",
        _table(clone_fields.CONFIGURATION),
        "And its `deploymentCircuitBreaker`:",
        _table(clone_fields.BREAKER),
        "## Its target groups (ELBv2 CreateTargetGroup)",
        _table(clone_fields.GROUP),
        "Attributes are read whole and compared by name and value with this table, which is what AWS says a new target "
        "group of an Application Load Balancer has. Those that differ, and those that are not in the table, are set on "
        "green's group; one that blue does not show is left as AWS makes it.",
        table(["attribute", "a new group's"], [[f"`{k}`", f"`{v}`"] for k, v in ATTRIBUTE_DEFAULTS.items()]),
        "One pair is not blue's: unless green is to stay (`ending: swap`), both of "
        "`target_group_health.dns_failover.minimum_healthy_targets.*` are `off` on green's group "
        "([why](decisions/0022-dns-never-judges-by-green.md)).",
        "## Its revision (ECS RegisterTaskDefinition)",
        "Only where the file names `revision.images` or `revision.colour_variable`, or where `--undo` goes back to a "
        "revision that is INACTIVE, which is registered again as it was; otherwise green runs the task definition that "
        "the file names, and nothing is registered.",
        _table(clone_fields.DEFINITION),
        "- With `images` blue's own task definition, as it is at the start, is registered anew with these images. "
        "After a rollback it is deregistered; after a success it stays, since blue runs it. The digests that ECS "
        "resolved the images to are in the audit log (`images_resolved`) and in the rollout's records.\n"
        f"- With `colour_variable` green runs a sibling, in family `{family_of_green('FAMILY')}`, that differs in one "
        "environment variable, and blue takes over the one without it. The sibling is deregistered on every way out.\n"
        "- RegisterTaskDefinition has no token that makes twice once. So Teal looks first: what carries the tag "
        "`teal:rollout` of this rollout, among the family's revisions that are newer than those at the start, is its "
        "own. One too many, after an answer that was lost, goes when green goes. Revisions of others are left alone.",
        "## What green does before it has traffic",
        "Weight 0 is not work 0: queues are read and schedules kept from the first task's first moment.",
        table(
            ["`background`", "green's tasks before traffic"],
            [
                ["`none`", "All at once: they do nothing but answer requests."],
                [
                    "`safe`",
                    "One, until probes, webhooks and an approval before traffic have passed; then all, and "
                    "traffic once they are healthy.",
                ],
                [
                    "`suspend`",
                    "As `safe`. The application leaves its background work alone where "
                    "`revision.colour_variable` says `green`: without it the file is refused.",
                ],
            ],
        ),
        "## A first deployment",
        "A service that runs no task has nothing to compare green with, and nothing to go back to. Teal rolls out to "
        "it only where the file says that this is meant, with how many tasks: `first_deployment: {tasks: 2}` and "
        "`plan: instant`. Green comes up and proves healthy, gets all traffic, is watched, and blue gets as many "
        "tasks of the same revision. A rollback sends traffic where it went before: to a group without a target.",
        "Whoever owns the service makes it: with its target group in a rule, and desired count 0. Teal makes no "
        "service of record, since it could not know who owns it afterwards.",
    )


def _table(of: Mapping[str, Field]) -> str:
    return table(
        ["field", "fate", "how"], [[f"`{name}`", field.fate.value, field.why] for name, field in of.items()]
    )
