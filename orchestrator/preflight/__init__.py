"""Everything that can be known to fail before anything is touched, and what was found, in words for people.

``findings`` judges what the file asks for against what a survey read; it calls nothing and changes nothing. An
``error`` refuses the rollout, a ``warning`` is told, a ``note`` says what was found.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from orchestrator.core.cloud.survey import Finding, Severity, Survey
from orchestrator.core.domain.calendar import Freeze
from orchestrator.core.preflight.environment import Surroundings
from orchestrator.core.preflight.reserved_capacity import Reserved
from orchestrator.core.rollout.spec import Spec
from orchestrator.preflight.account import clock, permissions
from orchestrator.preflight.evidence import alarms, anomaly_mitigation, metrics
from orchestrator.preflight.plan import notes, plan_of_action, windows
from orchestrator.preflight.room import capacity, costs, quota_headroom, scaling
from orchestrator.preflight.service import blue, ending, health_checks, images, pull_access, revision, tags
from orchestrator.preflight.timing import PlanRow, expected, plan_table
from orchestrator.preflight.traffic import requested_addresses, rules_to_divide, test_rules
from orchestrator.preflight.traffic.requested_addresses import Refuses

__all__ = ["PlanRow", "errors", "expected", "findings", "plan_table", "refusing"]


def findings(
    spec: Spec,
    survey: Survey,
    *,
    now: datetime,
    registries: Sequence[str] = (),
    freezes: Sequence[Freeze] | None = (),
    refuses: Refuses | None = None,
    around: Surroundings | None = None,
    reserved: Reserved | None = None,
) -> tuple[Finding, ...]:
    """Every finding: errors first, then warnings, then notes, each kind in the order in which a rollout meets it.

    `registries`: patterns of the images that may run, of the server's settings; empty: any. `freezes`: of the
    operators' calendar; None: the rollout was started already, and its hours are its gate's business.
    `refuses`: whether requests may go to the addresses that the file names; None: nobody here sends any.
    `around`: what was read beside the survey; None: nothing was. `reserved`: room promised to other rollouts.
    """
    found = [
        *blue.look(spec, survey),
        *revision.look(spec, survey),
        *tags.look(survey),
        *images.look(survey, registries),
        *rules_to_divide.look(spec, survey),
        *test_rules.look(spec, survey),
        *requested_addresses.look(spec, refuses),
        *alarms.look(spec, survey),
        *metrics.look(spec, survey),
        *anomaly_mitigation.look(survey),
        *notes.look(spec, survey, now),
        *(windows.look(spec, survey, now, freezes) if freezes is not None else ()),
        *capacity.look(spec, survey),
        *scaling.look(survey, now),
        *ending.look(spec, survey),
        *(_beside(spec, survey, around, reserved or Reserved()) if around is not None else ()),
    ]
    order = list(Severity)
    return tuple(sorted(found, key=lambda finding: order.index(finding.severity)))


def _beside(spec: Spec, survey: Survey, around: Surroundings, reserved: Reserved) -> Iterator[Finding]:
    """What only the reads beside the survey show."""
    yield from clock.look(around.ahead)
    yield from permissions.look(survey, around)
    yield from pull_access.look(around)
    yield from health_checks.look(survey, around)
    yield from quota_headroom.look(survey, around, reserved)
    yield from plan_of_action.look(spec, survey, around)
    yield from costs.look(spec, survey, around)


def errors(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings that refuse a rollout."""
    return tuple(finding for finding in found if finding.severity is Severity.ERROR)


def refusing(found: Iterable[Finding], spec: Spec) -> tuple[Finding, ...]:
    """Those that refuse its start: not what ends of itself, where the file says that it is waited for."""
    is_waited_for = bool(spec.limits.wait_for_blue)
    return tuple(finding for finding in errors(found) if not (finding.passes and is_waited_for))
