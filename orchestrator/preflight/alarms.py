"""Can the gates see anything, and are the alarms that the file names fit to judge?"""

from collections.abc import Iterator

from orchestrator.core.observed import AlarmSeen
from orchestrator.core.spec import Spec
from orchestrator.core.survey import Finding, Survey
from orchestrator.core.words import span
from orchestrator.preflight.timing import expected
from orchestrator.preflight.words import error, warning


def look(spec: Spec, survey: Survey) -> Iterator[Finding]:
    """What speaks against the gates."""
    for name in survey.missing_alarms:
        yield error(
            "alarm-missing",
            f"alarm {name} does not exist in {survey.region}",
            "an alarm that cannot be read would hold the rollout for ever",
            "correct gates.alarms, or create the alarm",
        )
    for alarm in survey.alarms:
        yield from _alarm(alarm, spec, survey)
    yield from _sight(spec, survey)


def _alarm(alarm: AlarmSeen, spec: Spec, survey: Survey) -> Iterator[Finding]:
    if alarm.kind != "metric":
        yield error(
            "alarm-not-judged",
            f"alarm {alarm.name} is a {alarm.kind} alarm: not supported yet",
            "Teal judges alarms on a single metric",
            "name the single-metric alarms that it is made of",
        )
        return
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
            "it cannot convict green within a step",
            "bake longer, or name an alarm that fires sooner",
        )


def _sight(spec: Spec, survey: Survey) -> Iterator[Finding]:
    gates = spec.gates
    if not (gates.health.on or gates.guard.on or gates.alarms.alarms):
        yield warning(
            "nothing-judges",
            "every gate is off",
            "green goes to 100 % whatever it does to users",
            "leave health and guard on",
        )
    for group in survey.groups:
        if group.protocol_version == "GRPC" and gates.guard.on:
            yield warning(
                "guard-blind-to-grpc",
                f"target group {group.name} speaks gRPC",
                "a failed call is an HTTP 200 to the load balancer: guard sees no error",
                "name an alarm on the service's own error metric in gates.alarms",
            )
