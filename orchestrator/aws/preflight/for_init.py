"""``ports.initial_service.Scout`` on AWS: which services there are, and what watches one."""

from orchestrator.aws.client.call import Caller
from orchestrator.aws.preflight import cloudwatch
from orchestrator.aws.reads import service_of_record
from orchestrator.aws.services import ecs_listing, task_definitions
from orchestrator.core.cloud.resources import AlarmSeen
from orchestrator.core.cloud.survey import Survey
from orchestrator.core.domain.errors import Missing
from orchestrator.core.tick.needs import SurveyNeed


class AwsScout:
    """Reads of one account and region that only the writing of a rollout file needs."""

    def __init__(self, call: Caller) -> None:
        self._call = call

    async def services(self, cluster: str) -> tuple[str, ...]:
        """The names of a cluster's services. Raises Outside (Missing: no such cluster)."""
        try:
            return await ecs_listing.names(self._call, cluster)
        except Missing as error:
            raise Missing(
                what=f"cluster {cluster}",
                why=f"there is none ({error.why})",
                next_step="check its name, the account and the region",
            ) from error

    async def running(self, cluster: str, service: str) -> str:
        """The task definition that a service runs. Raises Outside (Missing: no such service)."""
        need = SurveyNeed(cluster=cluster, service=service, task_definition="", rules=(), alarms=())
        return str((await service_of_record.find(self._call, need)).service.get("taskDefinition", ""))

    async def newest(self, task_definition: str) -> str:
        """The family's newest active revision, if it is newer than this one; else empty. Raises Outside."""
        family, _, number = task_definition.partition(":")
        found = await task_definitions.newest(self._call, family)
        return f"{family}:{found}" if found > int(number) else ""

    async def watchers(self, survey: Survey) -> tuple[AlarmSeen, ...]:
        """The alarms that watch the service of a survey, by name. Raises Outside."""
        return await cloudwatch.watchers(
            self._call,
            [group.arn for group in survey.groups],
            [balancer for group in survey.groups for balancer in group.load_balancers],
            survey.blue.cluster.rpartition("/")[2],
            survey.blue.name,
        )
