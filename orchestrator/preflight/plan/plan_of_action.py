"""What the rollout will make, change and remove, what it costs meanwhile, and what its plan can see."""

from collections.abc import Iterator

from orchestrator.core.analysis import auto_plan
from orchestrator.core.analysis.detectable_regression import Load, foresee, words_of
from orchestrator.core.cloud.resources import Absent, Unread
from orchestrator.core.cloud.survey import Finding, Survey
from orchestrator.core.domain.ids import revision_name
from orchestrator.core.domain.tags import MANAGED
from orchestrator.core.domain.text import counted
from orchestrator.core.phases.pending import blues_names
from orchestrator.core.preflight.environment import Surroundings
from orchestrator.core.rollout.spec import Ending, Spec
from orchestrator.core.scaling import policies_for_green
from orchestrator.core.traffic.discovery import in_scope, test_rules_of
from orchestrator.preflight.findings import note, warning
from orchestrator.preflight.room.quota_headroom import unread


def look(spec: Spec, survey: Survey, around: Surroundings) -> Iterator[Finding]:
    """Notes on everything that will be written, and the price of it."""
    yield from _guests(spec, around)
    yield _makes(spec, survey)
    yield _changes(spec, survey)
    yield _removes(spec, survey)
    yield from _sees(spec, around)


def _guests(spec: Spec, around: Surroundings) -> Iterator[Finding]:
    if isinstance(around.guests, Unread):
        yield unread("guests", "whether another rollout is under way", around.guests, "ecs:ListServices")
        return
    for guest in around.guests:
        yield warning(
            "guest-there",
            f"service {guest} was made by Teal for this service and is still there",
            "another store's rollout is under way, or an abandoned one was never cleared away",
            f"look at that rollout; if nothing will end it, `teal rollback {spec.service.path} --direct` puts all "
            "traffic on blue and prints the commands that remove what is left",
        )


def _makes(spec: Spec, survey: Survey) -> Finding:
    name = spec.service.service
    groups = counted(len(survey.groups), "target group")
    made = [f"service {name}-<8 characters>", f"{groups} named teal-{name.replace('_', '-')[:16]}-…"]
    made += [f"a revision of task definition {new.family}" for new in survey.new_revisions]
    if survey.scales is not None:
        policies = policies_for_green.copied(survey.scales, blues_names(survey))
        copies = f" with policies {', '.join(policy.name for policy in policies)}" if policies else ""
        made.append(f"its scalable target{copies}")
        alarms = policies_for_green.drivers_of(survey.scales, policies)
        made += [f"{counted(len(alarms), 'alarm')} named teal-{name[:16]}-…"] if alarms else []
    return note("makes", f"will be made: {', '.join(made)}", "each tagged teal:managed and teal:rollout")


def _changes(spec: Spec, survey: Survey) -> Finding:
    rules = [rule.name for rule in (*in_scope(spec, survey), *test_rules_of(spec, survey))]
    wanted = revision_name(survey.revision.arn) if survey.revision else spec.task_definition
    if spec.ending.is_swap:
        changed = [
            f"{rule} (at the end as it is now, with green's target group in blue's place)" for rule in rules
        ]
        changed.append(f"{survey.blue.name}'s count, to 0, when the watch is over")
    else:
        changed = [f"the weights of {rule} (as they are now at the end)" for rule in rules]
        changed.append(f"{survey.blue.name}'s task definition, to {wanted}, when the watch is over")
    if survey.scaling is not None:
        changed.append(f"{survey.blue.name}'s scaling (as it is now at the end)")
    return note("changes", f"will be changed: {'; '.join(changed)}")


def _removes(spec: Spec, survey: Survey) -> Finding:
    if spec.ending.is_swap:
        is_own = survey.blue.tags.get(MANAGED) == "true"
        groups = [group.name for group in survey.groups] if is_own else []
        removed = (
            ", ".join((survey.blue.name, *groups)) if is_own or spec.ending is Ending.DELETE else "nothing"
        )
        return note(
            "removes", f"will be removed at the end: {removed}; what was made stays, as the service of record"
        )
    return note(
        "removes",
        f"will be removed at the end: what was made ({survey.blue.name}-… and its "
        f"{counted(len(survey.groups), 'target group')}), and nothing else",
    )


def _sees(spec: Spec, around: Surroundings) -> Iterator[Finding]:
    if isinstance(around.load, Unread):
        yield unread("traffic", "the service's traffic", around.load, "cloudwatch:GetMetricData")
    elif isinstance(around.load, Absent):
        yield warning(
            "no-traffic",
            "no request came to the service in the last sixty periods",
            "gates that look at answers see nothing: they would hold the rollout",
            "start while there is traffic, or have a probe judge green (gates.probe)",
        )
    else:
        yield _foresight(spec, around.load)
        yield from _too_little_traffic(spec, around.load)


def _too_little_traffic(spec: Spec, load: Load) -> Iterator[Finding]:
    """Where `auto` cannot judge by users' requests in reasonable time, a probe has to find what they do not show.

    It does not refuse: without a probe the plan for little traffic still harms fewer users than any other.
    """
    parameters, errors = spec.plan.auto, load.requests * load.error_rate
    if parameters is None or not auto_plan.is_low_traffic(parameters, load.requests, errors):
        return
    what = (
        f"{load.requests:,.0f} requests and {errors:.2g} errors a metric period are too few for evidence: "
        f"plan {spec.plan.name} takes 2, 10 and 50 % with longer bakes"
    )
    if spec.gates.probe.on:
        yield note("low-traffic", what, "the probe finds before any user what they would hardly show")
        return
    yield warning(
        "low-traffic-without-probe",
        what,
        "a probe is required with so little traffic: nothing else finds a green that fails one request in fifty",
        "have a probe judge green before its first traffic (gates.probe)",
    )


def _foresight(spec: Spec, load: Load) -> Finding:
    return note("foresight", words_of(foresee(spec, load), spec.metrics.period), "by the last sixty periods")
