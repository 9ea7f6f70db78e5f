"""CreateService, UpdateService, DeleteService."""

from sandbox.world.ecs import capacity_providers, rebalancing, views
from sandbox.world.ecs.resources import Definition, Revision, Service
from sandbox.world.ecs.rolling import Rolling
from sandbox.world.ecs.state import Containers
from sandbox.world.elb.state import Balancing
from sandbox.world.kernel.errors import AwsRefusal, Json, not_here
from sandbox.world.kernel.operation import Operation, only, operation

_STORED = (*views.KEPT, *views.DEPLOYMENT_ONLY, *views.REVISION_ONLY)
# A change of one of these starts a deployment; anything else takes effect without one (UpdateService's reference).
_DEPLOYED = (
    "networkConfiguration",
    "platformVersion",
    "capacityProviderStrategy",
    "serviceRegistries",
    *views.DEPLOYMENT_ONLY,
    *views.REVISION_ONLY,
)
_CONFIGURATION = (
    "deploymentCircuitBreaker",
    "maximumPercent",
    "minimumHealthyPercent",
    "alarms",
    "strategy",
    "lifecycleHooks",
)
_GROUPS_PER_SERVICE = 5


class Services:
    """The operations that change services."""

    def __init__(self, containers: Containers, balancing: Balancing, rolling: Rolling) -> None:
        self._all = containers
        self._balancing = balancing
        self._rolling = rolling

    def operations(self) -> dict[str, Operation]:
        """The operations by their AWS names."""
        both = ("cluster", "taskDefinition", "desiredCount", "deploymentConfiguration", "loadBalancers")
        controller = "deploymentController"
        return {
            "CreateService": operation(
                self.create,
                "serviceName",
                "clientToken",
                "role",
                "schedulingStrategy",
                "tags",
                controller,
                *both,
                *_STORED,
            ),
            "UpdateService": operation(
                self.update,
                "service",
                "forceNewDeployment",
                *both,
                *(name for name in _STORED if name != "launchType"),
            ),
            "DeleteService": operation(self.delete, "cluster", "service", "force"),
        }

    def create(self, params: Json) -> Json:
        """CreateService; the same token with the same body answers the service there is."""
        cluster = self._all.cluster(params.get("cluster"))
        name = params["serviceName"]
        existing = self._all.find_service(cluster, name)
        token = params.get("clientToken")
        if existing and existing.status != "INACTIVE":
            return self._again(existing, token, params)
        service = self._new(cluster, name, params)
        self._all.service_views.written(service.arn, None)
        self._all.services[service.arn] = service
        self._rolling.deploy(service, self._revision(service), reason="")
        return self._answer(service)

    def update(self, params: Json) -> Json:
        """UpdateService; only what the tasks are made of starts a deployment."""
        cluster = self._all.cluster(params.get("cluster"))
        service = self._all.service(cluster, params["service"])
        settings = service.settings | {name: params[name] for name in _STORED if name in params}
        deploys = bool(params.get("forceNewDeployment"))
        deploys |= any(settings.get(name) != service.settings.get(name) for name in _DEPLOYED)
        definition = service.definition
        if "taskDefinition" in params:
            definition = self._definition(params["taskDefinition"])
            deploys |= definition is not service.definition
        balancers = params.get("loadBalancers", service.load_balancers)
        deploys |= balancers != service.load_balancers
        self._check_balancers(balancers, definition, waits_for_rule="loadBalancers" in params)
        if strategy := params.get("capacityProviderStrategy"):
            capacity_providers.check(strategy, self._all.clusters[cluster]["capacityProviders"])
            settings["capacityProviderStrategy"] = capacity_providers.completed(strategy)
        configuration = self._configuration(params, service.configuration)
        rebalancing.checked(settings, configuration, balancers)
        self._all.service_views.written(service.arn, views.service(self._all, service, with_tags=True))
        service.settings, service.configuration = settings, configuration
        if deploys:
            service.definition, service.load_balancers = definition, list(balancers)
            service.desired = params.get("desiredCount", service.desired)
            self._rolling.deploy(service, self._revision(service), reason="")
        elif "desiredCount" in params:
            self._rolling.desire(service, params["desiredCount"])
        else:
            self._rolling.poke(service)
        return self._answer(service)

    def delete(self, params: Json) -> Json:
        """DeleteService: DRAINING while its tasks leave (its name is taken so long), then INACTIVE."""
        cluster = self._all.cluster(params.get("cluster"))
        service = self._all.find_service(cluster, params["service"])
        if service is None or service.status == "INACTIVE":
            raise AwsRefusal("ServiceNotFoundException", "Service not found.")
        if service.status == "ACTIVE":
            if service.desired > 0 and not params.get("force"):
                raise AwsRefusal(
                    "InvalidParameterException", "The service cannot be stopped while it is scaled above 0."
                )
            self._all.service_views.written(service.arn, views.service(self._all, service, with_tags=True))
            service.desired = 0
            self._rolling.drain(service)
        return self._answer(service)

    def _again(self, existing: Service, token: str | None, params: Json) -> Json:
        if existing.status == "DRAINING":
            raise AwsRefusal("InvalidParameterException", "Unable to Start a service that is still Draining.")
        if token and existing.token == (token, params):
            return self._answer(existing)
        raise AwsRefusal("InvalidParameterException", "Creation of service was not idempotent.")

    def _new(self, cluster: str, name: str, params: Json) -> Service:
        if params.get("schedulingStrategy", "REPLICA") != "REPLICA":
            raise not_here(f"schedulingStrategy {params['schedulingStrategy']}")
        controller = params.get("deploymentController", {"type": "ECS"})
        if controller["type"] != "ECS":
            raise not_here(f"deploymentController {controller['type']}")
        if "taskDefinition" not in params:
            raise AwsRefusal("InvalidParameterException", "TaskDefinition cannot be null or empty.")
        definition = self._definition(params["taskDefinition"])
        balancers = params.get("loadBalancers", [])
        self._check_balancers(balancers, definition, waits_for_rule=True)
        settings = {key: params[key] for key in (*_STORED, "role") if key in params}
        settings["deploymentController"] = controller
        self._complete(settings, definition, balancers, self._all.clusters[cluster])
        configuration = self._configuration(params, None)
        settings["availabilityZoneRebalancing"] = rebalancing.checked(settings, configuration, balancers)
        tags = {tag["key"]: tag.get("value", "") for tag in params.get("tags", ())}
        if tags and not self._all.long_arns["serviceLongArnFormat"]:
            words = "The new ARN and resource ID format must be enabled to add tags to the service. Opt in to the new"
            raise AwsRefusal("InvalidParameterException", f"{words} format and try again.")
        if len(tags) > 50 or any(key.startswith("aws:") for key in tags):
            raise AwsRefusal("InvalidParameterException", "Tags are too many or begin with aws:")
        token = params.get("clientToken")
        return Service(
            arn=self._all.service_arn(cluster, name),
            name=name,
            cluster=cluster,
            created=self._all.kernel.now,
            status="ACTIVE",
            desired=params.get("desiredCount", 0),
            settings=settings,
            configuration=configuration,
            definition=definition,
            load_balancers=[dict(entry) for entry in balancers],
            tags=tags,
            token=(token, params) if token else None,
        )

    def _complete(self, settings: Json, definition: Definition, balancers: list[Json], cluster: Json) -> None:
        """Defaults at creation, and what the network mode demands."""
        awsvpc = definition.body.get("networkMode") == "awsvpc"
        if awsvpc and "networkConfiguration" not in settings:
            raise AwsRefusal(
                "InvalidParameterException",
                "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
            )
        if not awsvpc and "networkConfiguration" in settings:
            raise AwsRefusal(
                "InvalidParameterException",
                "Network Configuration is not valid for the given networkMode of this task definition.",
            )
        if "healthCheckGracePeriodSeconds" in settings and not balancers:
            raise AwsRefusal(
                "InvalidParameterException",
                "Health check grace period is only valid for services configured to use load balancers",
            )
        if balancers:
            settings.setdefault("healthCheckGracePeriodSeconds", 0)
        if settings.get("capacityProviderStrategy") and "launchType" in settings:
            raise AwsRefusal(
                "InvalidParameterException",
                "Specifying both a launch type and capacity provider strategy is not supported.",
            )
        if "launchType" not in settings and not settings.get("capacityProviderStrategy"):
            settings["capacityProviderStrategy"] = cluster["defaultCapacityProviderStrategy"]
        if strategy := settings.pop("capacityProviderStrategy", None):
            capacity_providers.check(strategy, cluster["capacityProviders"])
            settings["capacityProviderStrategy"] = capacity_providers.completed(strategy)
            if {item["capacityProvider"] for item in strategy} <= set(capacity_providers.FARGATE):
                settings.setdefault("platformVersion", "LATEST")
        else:
            settings.setdefault("launchType", "EC2")
        if settings.get("launchType") == "FARGATE":
            settings.setdefault("platformVersion", "LATEST")
        defaults: Json = {
            "serviceRegistries": [],
            "placementConstraints": [],
            "placementStrategy": [],
            "enableECSManagedTags": False,
            "propagateTags": "NONE",
            "enableExecuteCommand": False,
        }
        for key, value in defaults.items():
            settings.setdefault(key, value)

    def _definition(self, given: str) -> Definition:
        definition = self._all.definition(given)
        if definition is None:
            raise AwsRefusal("ClientException", "TaskDefinition not found.")
        if definition.body["status"] != "ACTIVE":
            raise AwsRefusal("ClientException", "TaskDefinition is inactive")
        return definition

    def _check_balancers(
        self, balancers: list[Json], definition: Definition, *, waits_for_rule: bool
    ) -> None:
        if len(balancers) > _GROUPS_PER_SERVICE:
            raise AwsRefusal("InvalidParameterException", "load balancers can have at most 5 items.")
        for entry in balancers:
            only(entry, ("targetGroupArn", "containerName", "containerPort"), "loadBalancers")
            arn, name, port = entry["targetGroupArn"], entry["containerName"], entry["containerPort"]
            if waits_for_rule:
                group = self._balancing.groups.get(arn)
                if group is None:
                    raise AwsRefusal("InvalidParameterException", f"The target group {arn} does not exist.")
                if group.is_function:
                    raise AwsRefusal(
                        "InvalidParameterException",
                        f"The target group {arn} has target type lambda, which no service can use.",
                    )
                if not self._balancing.attached.read(arn, group.load_balancer):
                    raise AwsRefusal(
                        "InvalidParameterException",
                        f"The target group with targetGroupArn {arn} does not have an associated load balancer.",
                    )
            container = definition.container(name)
            if container is None:
                raise AwsRefusal(
                    "InvalidParameterException",
                    f"The container {name} does not exist in the task definition.",
                )
            if port not in [mapping["containerPort"] for mapping in container["portMappings"]]:
                raise AwsRefusal(
                    "InvalidParameterException",
                    f"The container {name} did not have a container port {port} defined.",
                )

    def _configuration(self, params: Json, former: Json | None) -> Json:
        base: Json = former or {
            "deploymentCircuitBreaker": {"enable": False, "rollback": False},
            "maximumPercent": 200,
            "minimumHealthyPercent": 100,
            "strategy": "ROLLING",
            "bakeTimeInMinutes": 0,
        }
        given = params.get("deploymentConfiguration", {})
        # Zero and empty are what a read shows for what is not set; they may be written back.
        only(
            {k: v for k, v in given.items() if v not in (0, [], {})},
            _CONFIGURATION,
            "deploymentConfiguration",
        )
        if given.get("strategy", "ROLLING") != "ROLLING":
            raise not_here(f"deployment strategy {given['strategy']}")
        configuration: Json = base | given
        if configuration["maximumPercent"] <= 0 or configuration["minimumHealthyPercent"] < 0:
            raise AwsRefusal("InvalidParameterException", "Percentages must not be negative")
        return configuration

    def _revision(self, service: Service) -> Revision:
        kernel = self._all.kernel
        revision = Revision(
            arn=self._all.part_arn(service, "service-revision", kernel.decimal_id()),
            created=kernel.now,
            definition=service.definition,
            settings={**service.settings, "loadBalancers": service.load_balancers},
        )
        self._all.revisions[revision.arn] = revision
        return revision

    def _answer(self, service: Service) -> Json:
        return {"service": views.service(self._all, service, with_tags=True)}
