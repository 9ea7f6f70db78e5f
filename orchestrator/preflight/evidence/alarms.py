"""Can the gates see anything, and are the alarms that the file names fit to judge?"""

from collections.abc import Iterator

from orchestrator.core.cloud.metric_math import looks_around
from orchestrator.core.cloud.resources import AlarmSeen
from orchestrator.core.cloud.survey import Finding, Survey
from orchestrator.core.domain.ids import TargetGroupArn
from orchestrator.core.domain.text import span
from orchestrator.core.gates.alarm_scope import Sight, leaves, seeing
from orchestrator.core.gates.registry import those_on
from orchestrator.core.gates.scene import Names
from orchestrator.core.rollout.spec import Spec
from orchestrator.preflight import statements
from orchestrator.preflight.findings import error, note, warning
from orchestrator.preflight.timing import expected

# Names of a green that is not there yet, put in to see what an alarm could be judged by.
_GREEN = "green"


def look(spec: Spec, survey: Survey) -> Iterator[Finding]:
    """What speaks against the gates, and what each alarm can see of green this time."""
    for name in survey.missing_alarms:
        yield error(
            "alarm-missing",
            f"{place_of(spec, name)}alarm {name} does not exist in {survey.region}",
            "an alarm that cannot be read would hold the rollout for ever",
            "correct gates.alarms, or create the alarm. If there is one and it is composite: AWS shows it only to "
            f"whoever may read all alarms; {statements.to_add(survey, 'ReadAlarms')}",
        )
    names = names_with_green(survey)
    for alarm in survey.alarms:
        yield from _alarm(alarm, spec, survey)
        if alarm.state != "ALARM":
            yield from _seen(alarm, names)
            yield from _silent(alarm, spec, names)
        if alarm.muted:
            words = f"alarm {alarm.name}: {alarm.muted}; its state counts for this rollout all the same"
            yield note("alarm-muted", words)
    yield from _sight(spec, survey)


def place_of(spec: Spec, alarm: str) -> str:
    """Where the file names an alarm, as people say it, before a finding's words."""
    named = [one.name for one in spec.gates.alarms.alarms]
    return f"gates.alarms[{named.index(alarm) + 1}]: " if alarm in named else ""


def names_with_green(survey: Survey) -> Names:
    """The names of blue, and stand-ins for green's, which are known only once it is made."""
    return Names(
        cluster=survey.blue.cluster,
        blue_service=survey.blue.name,
        green_service=f"{survey.blue.name}-{_GREEN}",
        groups=tuple((group.arn, TargetGroupArn(f"{group.arn}-{_GREEN}")) for group in survey.groups),
    )


def _alarm(alarm: AlarmSeen, spec: Spec, survey: Survey) -> Iterator[Finding]:
    if alarm.state == "ALARM":
        yield warning(
            "alarm-firing",
            f"alarm {alarm.name} fires already: {alarm.reason}",
            "it is not counted in this rollout, and the first traffic needs an approval",
            "wait until it is OK to have it counted",
        )
        return
    slowest = max(expected(spec, survey.alarms), default=alarm.period)
    needs = alarm.period * alarm.datapoints_to_alarm
    if needs > slowest:
        yield warning(
            "alarm-too-slow",
            f"alarm {alarm.name} needs {span(needs)} to fire; no step lasts longer than {span(slowest)}",
            "it cannot fail green within a step",
            "bake longer, or name an alarm that fires sooner",
        )
    if alarm.evaluation:
        yield warning(
            "alarm-not-whole",
            f"CloudWatch does not evaluate alarm {alarm.name} as a whole: {alarm.evaluation}",
            "while that lasts, the rollout holds",
            "look at the alarm in CloudWatch",
        )


def _seen(alarm: AlarmSeen, names: Names) -> Iterator[Finding]:
    """What one alarm can see of green."""
    found = seeing(alarm, names)
    match found.sight:
        case Sight.BOTH:
            words = f"alarm {alarm.name} sees both colours: its state counts"
            blind = "at a small weight green is a small part of what it measures"
            if alarm.kind == "log":
                blind = "as far as the logs that it queries hold green's"
            yield note("alarm-sight", words, f"{found.why}; {blind}")
        case Sight.GREENS_NAMES:
            words = (
                f"alarm {alarm.name} is judged with green's names in its query; its own state is blue's side"
            )
            yield note("alarm-sight", words, found.why)
        case Sight.PARTS:
            parts = " and ".join(leaf.name for leaf in leaves(alarm, names))
            words = f"alarm {alarm.name} is blind to green: it is judged by its rule, with green's names in {parts}"
            yield note("alarm-sight", words, found.why)
        case Sight.BLIND:
            yield warning(
                "alarm-blind",
                f"alarm {alarm.name} does not cover green",
                f"{found.why}; it is not counted in this rollout",
                "name an alarm that green can fire, or a number in gates.metric",
            )
    if any(leaf.query is not None and looks_around(leaf.query.expression) for leaf in leaves(alarm, names)):
        yield warning(
            "alarm-by-search",
            f"alarm {alarm.name} searches for its metrics: only what it names of blue word by word becomes green's",
            "a search that finds blue by other words goes on seeing blue alone",
            "see whether its query names the target group or ServiceName",
        )


def _silent(alarm: AlarmSeen, spec: Spec, names: Names) -> Iterator[Finding]:
    """An alarm that sees both colours and has no data now will have none with green either, as long as all is well."""
    said = next((one.no_data for one in spec.gates.alarms.alarms if one.name == alarm.name), None)
    is_defined = said is not None or alarm.missing in ("notBreaching", "breaching")
    if alarm.state == "INSUFFICIENT_DATA" and not is_defined and seeing(alarm, names).sight is Sight.BOTH:
        yield warning(
            "alarm-silent",
            f"{place_of(spec, alarm.name)}alarm {alarm.name} has no data",
            "as long as it has none, the rollout holds",
            f"where silence is good: {{name: {alarm.name}, no_data: pass}}, or TreatMissingData: notBreaching",
        )


def _sight(spec: Spec, survey: Survey) -> Iterator[Finding]:
    gates = spec.gates
    if not any(gate.may_stand_alone for gate, _ in those_on(gates)):
        yield warning(
            "nothing-judges",
            "every gate is off",
            "green goes to 100 % whatever it does to users",
            "leave health and guard on",
        )
    for group in survey.groups:
        if group.protocol_version == "GRPC" and gates.compare.on:
            yield error(
                "compare-blind-to-grpc",
                f"target group {group.name} speaks gRPC, and compare counts HTTP answers",
                "a failed call is an HTTP 200 to the load balancer: compare would call a green that fails not worse",
                "write gates: {compare: off}, and judge by an alarm or gates.metric on what the service publishes",
            )
        if group.protocol_version == "GRPC" and gates.guard.on:
            yield warning(
                "guard-blind-to-grpc",
                f"target group {group.name} speaks gRPC",
                "a failed call is an HTTP 200 to the load balancer: guard sees no error",
                "name an alarm on the service's own error metric in gates.alarms",
            )
