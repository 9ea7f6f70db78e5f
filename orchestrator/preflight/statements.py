"""What to add to the policies of Teal's role, as a statement to copy, with the names of the service in it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from orchestrator.core.cloud.survey import Survey
from orchestrator.core.preflight import policy_statements
from orchestrator.core.preflight.environment import Denial
from orchestrator.core.preflight.grants import BY_SID
from orchestrator.core.preflight.policy_statements import Grant


def to_add(survey: Survey, sid: str) -> str:
    """Words for the statement of this name."""
    return _words(survey, BY_SID[sid])


def for_denial(survey: Survey, action: str, denials: Sequence[Denial]) -> str:
    """Words for the statement that allows an action on what it was denied on."""
    grant = BY_SID.get(denials[0].sid)
    if grant is None:
        return f"allow {action} to Teal's role (docs/permissions.md)"
    only = replace(grant, actions=(action,))
    if not policy_statements.is_filled(policy_statements.resources_of(only, _names(survey))):
        # Only the call itself names the role or the pool that it is about.
        only = replace(only, resources=tuple(dict.fromkeys(denial.resource for denial in denials)))
    return _words(survey, only)


def _words(survey: Survey, grant: Grant) -> str:
    written = policy_statements.line(policy_statements.statement(grant, _names(survey)))
    written = written.replace("arn:aws:", f"arn:{survey.blue.arn.split(':')[1]}:")
    return f"add statement {grant.sid} of docs/permissions.md to Teal's role: {written}"


def _names(survey: Survey) -> Mapping[str, tuple[str, ...]]:
    """What stands for the words in capitals, as far as a survey says."""
    balancers = {arn.split("/")[-2] for group in survey.groups for arn in group.load_balancers}
    families = {new.family.removesuffix("-green") for new in survey.new_revisions}
    return {
        "REGION": (survey.region,),
        "ACCOUNT": (survey.account,),
        "CLUSTER": (survey.blue.cluster.rpartition("/")[2],),
        "LOAD_BALANCER": tuple(sorted(balancers)),
        "SERVICE": (survey.blue.name,),
        "FAMILY": tuple(sorted(families)),
    }
