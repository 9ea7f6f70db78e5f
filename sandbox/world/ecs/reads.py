"""What ECS tells about services, their tasks, deployments and revisions; and the tags of services."""

from sandbox.world.ecs import views
from sandbox.world.ecs.resources import Service
from sandbox.world.ecs.state import Containers
from sandbox.world.kernel.errors import AwsRefusal, Json
from sandbox.world.kernel.operation import Operation, operation, page, tag_changes

INVALID = "InvalidParameterException"


class Reads:
    """The operations that only look (and those on tags)."""

    def __init__(self, containers: Containers) -> None:
        self._all = containers

    def operations(self) -> dict[str, Operation]:
        """The operations by their AWS names."""
        paging = ("nextToken", "maxResults")
        return {
            "ListClusters": operation(self.list_clusters, *paging),
            "ListServices": operation(self.list_services, "cluster", *paging),
            "DescribeServices": operation(self.describe_services, "cluster", "services", "include"),
            "ListTasks": operation(
                self.list_tasks, "cluster", "serviceName", "desiredStatus", "family", "startedBy", *paging
            ),
            "DescribeTasks": operation(self.describe_tasks, "cluster", "tasks", "include"),
            "ListServiceDeployments": operation(self.list_rollouts, "cluster", "service", "status", *paging),
            "DescribeServiceDeployments": operation(self.describe_rollouts, "serviceDeploymentArns"),
            "DescribeServiceRevisions": operation(self.describe_revisions, "serviceRevisionArns"),
            "TagResource": operation(self.tag, "resourceArn", "tags"),
            "UntagResource": operation(self.untag, "resourceArn", "tagKeys"),
            "ListTagsForResource": operation(self.list_tags, "resourceArn"),
        }

    def list_clusters(self, params: Json) -> Json:
        """ListClusters."""
        arns = [str(cluster["clusterArn"]) for cluster in self._all.clusters.values()]
        return _paged("clusterArns", arns, params, default=100)

    def list_services(self, params: Json) -> Json:
        """ListServices: ACTIVE ones only."""
        cluster = self._all.cluster(params.get("cluster"))
        arns = [s.arn for s in self._all.services.values() if s.cluster == cluster and s.status == "ACTIVE"]
        return _paged("serviceArns", arns, params, default=10)

    def describe_services(self, params: Json) -> Json:
        """DescribeServices, ten at most; those it does not know come as failures."""
        cluster = self._all.cluster(params.get("cluster"))
        asked = params["services"]
        if not asked:
            raise AwsRefusal(INVALID, "Services cannot be empty.")
        if len(asked) > 10:
            raise AwsRefusal(INVALID, "The number of services must be 10 at most.")
        with_tags = "TAGS" in params.get("include", ())
        found, failures = [], []
        for given in asked:
            service = self._all.find_service(cluster, given)
            shown = self._shown(service, with_tags=with_tags) if service else None
            if shown is None:
                arn = given if given.startswith("arn:") else self._all.service_arn(cluster, given)
                failures.append({"arn": arn, "reason": "MISSING"})
            else:
                found.append(shown)
        return {"services": found, "failures": failures}

    def list_tasks(self, params: Json) -> Json:
        """ListTasks of a cluster or service by desired status (RUNNING unless said)."""
        cluster = self._all.cluster(params.get("cluster"))
        wanted = params.get("desiredStatus", "RUNNING")
        tasks = [t for t in self._all.tasks.values() if t.cluster == cluster and t.desired == wanted]
        if "serviceName" in params:
            service = self._all.find_service(cluster, params["serviceName"])
            if service is None:
                raise AwsRefusal("ServiceNotFoundException", "Service not found.")
            tasks = [t for t in tasks if t.service == service.arn]
        if "family" in params:
            tasks = [t for t in tasks if t.definition.body["family"] == params["family"]]
        if "startedBy" in params:
            tasks = [t for t in tasks if params["startedBy"] in (t.deployment, t.started_by)]
        return _paged("taskArns", [t.arn for t in tasks], params, default=100)

    def describe_tasks(self, params: Json) -> Json:
        """DescribeTasks, a hundred at most, by ARN or id; stopped ones are known for a while."""
        cluster = self._all.cluster(params.get("cluster"))
        if not 1 <= len(params["tasks"]) <= 100:
            raise AwsRefusal(INVALID, "Tasks must be 1 to 100.")
        found, failures = [], []
        for given in params["tasks"]:
            arn = given if given.startswith("arn:") else self._all.task_arn(cluster, given)
            task = self._all.tasks.get(arn)
            if task is None or task.cluster != cluster:
                failures.append({"arn": arn, "reason": "MISSING"})
            else:
                found.append(views.task(self._all, task))
        return {"tasks": found, "failures": failures}

    def list_rollouts(self, params: Json) -> Json:
        """ListServiceDeployments of one service, newest first."""
        service = self._service_anywhere(params)
        wanted = params.get("status")
        briefs = [
            views.rollout_brief(self._all, service, each)
            for each in service.rollouts
            if not wanted or each.status in wanted
        ]
        return _paged("serviceDeployments", briefs, params, default=20)

    def describe_rollouts(self, params: Json) -> Json:
        """DescribeServiceDeployments, 20 at most."""
        asked = _few(params["serviceDeploymentArns"])
        found, failures = [], []
        for arn in asked:
            service = self._all.service_of_part(arn)
            each = next((r for r in service.rollouts if r.arn == arn), None) if service else None
            if service is None or each is None:
                failures.append({"arn": arn, "reason": "MISSING"})
            else:
                found.append(views.rollout(self._all, service, each))
        return {"serviceDeployments": found, "failures": failures}

    def describe_revisions(self, params: Json) -> Json:
        """DescribeServiceRevisions, 20 at most."""
        found, failures = [], []
        for arn in _few(params["serviceRevisionArns"]):
            each = self._all.revisions.get(arn)
            service = self._all.service_of_part(arn)
            if each is None or service is None:
                failures.append({"arn": arn, "reason": "MISSING"})
            else:
                found.append(views.revision(self._all, service, each))
        return {"serviceRevisions": found, "failures": failures}

    def tag(self, params: Json) -> Json:
        """TagResource of a service."""
        if params["resourceArn"].count("/") == 1:
            raise AwsRefusal(INVALID, "Long arn format must be used for tagging operations")
        tag_changes(self._tags(params), params["tags"], "key", "value", limit_code=INVALID)
        return {}

    def untag(self, params: Json) -> Json:
        """UntagResource of a service; a key that is not there is no error."""
        tags = self._tags(params)
        for key in params["tagKeys"]:
            tags.pop(key, None)
        return {}

    def list_tags(self, params: Json) -> Json:
        """ListTagsForResource of a service."""
        return {"tags": [{"key": key, "value": value} for key, value in self._tags(params).items()]}

    def _shown(self, service: Service, *, with_tags: bool) -> Json | None:
        view = views.service(self._all, service, with_tags=True)
        shown = self._all.service_views.read(service.arn, view)
        if shown is not None and not with_tags:
            return {key: value for key, value in shown.items() if key != "tags"}
        return shown

    def _service_anywhere(self, params: Json) -> Service:
        cluster = self._all.cluster(params.get("cluster"))
        service = self._all.find_service(cluster, params["service"])
        if service is None:
            raise AwsRefusal("ServiceNotFoundException", "Service not found.")
        return service

    def _tags(self, params: Json) -> dict[str, str]:
        service = self._all.services.get(params["resourceArn"])
        if service is None or service.status == "INACTIVE":
            raise AwsRefusal(
                INVALID, "The specified resource is not a service of this account that can be tagged."
            )
        return service.tags


def _paged(name: str, items: list[str] | list[Json], params: Json, *, default: int) -> Json:
    size = params.get("maxResults", default)
    shown, token = page(items, params.get("nextToken"), size, code=INVALID)
    return {name: list(shown)} | ({"nextToken": token} if token else {})


def _few(arns: list[str]) -> list[str]:
    if not 1 <= len(arns) <= 20:
        raise AwsRefusal(INVALID, "ARNs must be 1 to 20.")
    return arns
