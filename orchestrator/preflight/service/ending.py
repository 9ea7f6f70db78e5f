"""Can green stay in blue's place, and what becomes of blue then?"""

from collections.abc import Iterator

from orchestrator.core.cloud.survey import Finding, Survey
from orchestrator.core.domain.tags import MANAGED
from orchestrator.core.phases.pending import blues_names
from orchestrator.core.rollout.spec import Background, Discovery, Ending, Spec
from orchestrator.core.scaling import policies_for_green
from orchestrator.core.traffic.discovery import in_scope, test_rules_of
from orchestrator.preflight.findings import error, note, warning


def look(spec: Spec, survey: Survey) -> Iterator[Finding]:
    """What speaks against the ending, and what it means."""
    if not spec.ending.is_swap:
        if spec.background is not Background.NONE:
            yield note(
                "swap-spares-a-start",
                "with ending: settle the work in the background is stopped and started twice: green's, then blue's",
                "ending: {swap: keep} leaves green in blue's place, which spares the second start",
            )
        return
    yield from _rules(spec, survey)
    yield from _discovery(spec, survey)
    yield from _scaling(survey)
    yield from _blue(spec, survey)
    yield from _names(survey)


def _rules(spec: Spec, survey: Survey) -> Iterator[Finding]:
    moved = (*in_scope(spec, survey), *test_rules_of(spec, survey))
    for rule in survey.rules:
        if rule not in moved:
            yield error(
                "swap-leaves-a-rule",
                f"{rule.name} forwards to {survey.blue.name} and is not in traffic.rules",
                "blue loses its tasks at the end, and this rule's users would get errors",
                "add it to traffic.rules, remove traffic.rules to take every rule, or write ending: settle",
            )


def _discovery(spec: Spec, survey: Survey) -> Iterator[Finding]:
    if survey.registries and spec.discovery is Discovery.STRIP:
        yield error(
            "swap-leaves-discovery",
            f"{survey.blue.name} answers in service discovery ({', '.join(survey.registries)}); green would not",
            "callers that find it there would find nobody once blue has no task",
            "write discovery: keep, or ending: settle",
        )


def _scaling(survey: Survey) -> Iterator[Finding]:
    """What green, as the service of record, would not have of blue's scaling."""
    if survey.scales is None:
        return
    for policy in survey.scales.policies:
        why = policies_for_green.left_out(policy, survey.scales, blues_names(survey))
        if why:
            yield error(
                "swap-leaves-scaling",
                f"policy {policy.name} cannot be given to green: {why}",
                "the service of record would be left without it",
                "write its query by dimensions, take the policy away, or write ending: settle",
            )


def _blue(spec: Spec, survey: Survey) -> Iterator[Finding]:
    blue, groups = survey.blue, ", ".join(group.name for group in survey.groups)
    if blue.tags.get(MANAGED) == "true":
        yield note(
            "own-blue-goes",
            f"{blue.name} was left by an earlier swap: it and {groups} are Teal's own, and are deleted at the end",
        )
    elif spec.ending is Ending.DELETE:
        yield warning(
            "blue-will-be-deleted",
            f"{blue.name}, which Teal did not make, is deleted at the end, as the file says (swap: delete)",
            f"it is tagged {MANAGED} right before, so that a policy can allow Teal to delete nothing else; "
            f"its target groups stay: {groups}",
            "write {swap: keep} to keep it without tasks",
        )
    else:
        yield note(
            "blue-is-kept",
            f"{blue.name} stays without tasks at the end, and so do its target groups: {groups}",
            "whoever gives it tasks again (a stack update that sets its count) gives it no traffic",
        )


def _names(survey: Survey) -> Iterator[Finding]:
    yield warning(
        "swap-changes-names",
        "the service of record gets another name, ARN and target group",
        f"alarms, dashboards and policies that name {survey.blue.name} or its target groups do not see it",
        "read the new names from `teal outputs`, or write ending: settle",
    )
