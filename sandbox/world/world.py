"""One simulated AWS account and region: its state, its clock, its ways to fail."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from sandbox.ports import TaskReports, TaskRunner
from sandbox.world.access.documents import Document
from sandbox.world.access.gate import Gate
from sandbox.world.access.requests import Requests
from sandbox.world.autoscaling.targets import Scaling
from sandbox.world.autoscaling.usage import Usage
from sandbox.world.cloudwatch.alarms import Alarms
from sandbox.world.cloudwatch.custom import CustomMetrics
from sandbox.world.cloudwatch.evaluation import Evaluations
from sandbox.world.cloudwatch.metrics import Metrics
from sandbox.world.cloudwatch.mutes import Mutes
from sandbox.world.cloudwatch.queries import Queries
from sandbox.world.cloudwatch.sources import Sources
from sandbox.world.ecs.capacity_providers import CapacityProviders
from sandbox.world.ecs.definitions import Definitions
from sandbox.world.ecs.protection import Protection
from sandbox.world.ecs.reads import Reads
from sandbox.world.ecs.rolling import Rolling
from sandbox.world.ecs.services import Services
from sandbox.world.ecs.standalone import StandaloneTasks
from sandbox.world.ecs.state import Containers
from sandbox.world.ecs.tasks import Capacity, Tasks
from sandbox.world.elb.balancer_attributes import BalancerAttributes
from sandbox.world.elb.balancers import Balancers
from sandbox.world.elb.groups import Groups
from sandbox.world.elb.health import Health
from sandbox.world.elb.listener_rules import Rules
from sandbox.world.elb.state import Balancing
from sandbox.world.elb.tags import ElbTags
from sandbox.world.events.bus import Bus
from sandbox.world.events.event_rules import EventRules
from sandbox.world.events.queues import Queues
from sandbox.world.kernel.errors import AwsRefusal, CallLost, Json, not_here
from sandbox.world.kernel.faults import Fault, Faults, failure, refuse_old, throttled
from sandbox.world.kernel.kernel import Kernel
from sandbox.world.kernel.log import CallLog, CallRecord
from sandbox.world.kernel.operation import Operation
from sandbox.world.kernel.settings import WorldSettings
from sandbox.world.kernel.throttle import Buckets
from sandbox.world.other_services.ec2 import Addresses
from sandbox.world.other_services.ecr import Images
from sandbox.world.other_services.iam import Policies
from sandbox.world.other_services.secrets import Secrets
from sandbox.world.other_services.service_quotas import Quotas
from sandbox.world.other_services.sts import Sts
from sandbox.world.tasks.behaviour import Behaviour
from sandbox.world.tasks.virtual_tasks import VirtualTasks
from sandbox.world.traffic import LiveTraffic


class Checker(Protocol):
    """Checks parameters and answers against AWS's own shapes; raises for a mismatch."""

    def check_input(self, service: str, operation: str, params: Json) -> None:
        """Raises AwsRefusal."""
        ...

    def check_output(self, service: str, operation: str, answer: Json) -> None:
        """Raises AssertionError: the World is wrong then, not its caller."""
        ...


class World:
    """Deterministic: the same start, seed, calls and times give the same answers.

    `minute` is one CloudWatch minute. `tasks` makes the runner of the tasks from this World (default: timers on
    its clock). Answers of `call` are to be read, not changed. Everything happens on one thread.
    """

    def __init__(
        self,
        *,
        start: datetime,
        seed: int = 0,
        minute: timedelta = timedelta(seconds=60),
        account: str = "123456789012",
        region: str = "eu-west-1",
        settings: WorldSettings | None = None,
        tasks: "Callable[[World], TaskRunner] | None" = None,
    ) -> None:
        self.settings = settings or WorldSettings()
        self.kernel = Kernel(
            start=start, seed=seed, minute=minute, account=account, region=region, settings=self.settings
        )
        self.faults: Faults[World] = Faults(self.kernel)
        self.behaviour = Behaviour()
        self.log = CallLog(self.settings.log_limit)
        self._buckets = Buckets(self.kernel)
        self._checker = _checker(self.settings)
        self._build()
        if tasks is None:
            self.tasks: TaskRunner = VirtualTasks(self.kernel, self._tasks, self._health, self.behaviour)
        else:
            self.tasks = tasks(self)
        self._tasks.runner = self.tasks
        self._each_minute()

    def _build(self) -> None:
        self._balancing = Balancing(self.kernel)
        self._health = Health(self._balancing)
        self.queues = Queues(self.kernel)
        self.bus = Bus(self.kernel, self.queues)
        self._containers = Containers(self.kernel, self.bus)
        self._metrics = Metrics(self.kernel)
        self._custom = CustomMetrics(self.kernel)
        self.metrics = Sources(self.kernel, self._metrics, self._custom)
        evaluations = Evaluations(self.kernel, self.metrics)
        self._alarms = Alarms(self.kernel, evaluations, Mutes(self.kernel), self.bus)
        self._tasks = Tasks(self._containers, self._balancing, self._health)
        self._rolling = Rolling(self._containers, self._tasks)
        self._health.on_change.append(self._rolling.target_changed)
        self._alarms.on_change = self._judge_deployments
        self.traffic = LiveTraffic(self._balancing, self._health, self._metrics)
        usage = Usage(self._containers, self._balancing, self._metrics, self._custom, self.behaviour)
        self.autoscaling = Scaling(self._containers, self._rolling, self._balancing, self._alarms, usage)
        rules = Rules(self._balancing, self._health)
        self.sts: Sts[World] = Sts(self.kernel, home=self)
        self.addresses = Addresses(self._containers, self._balancing)
        self.images, self.secrets = Images(self.kernel), Secrets(self.kernel)
        asked = Requests(self._containers, self._balancing, self.autoscaling.known)
        self.gate = Gate(asked, self.kernel.account)
        self.policies = Policies(self.kernel, self.gate)
        self.quotas = Quotas(self._containers, self._custom)
        self._operations: dict[str, dict[str, Operation]] = {
            "sts": self.sts.operations(),
            "ecs": {
                **Definitions(self._containers).operations(),
                **CapacityProviders(self._containers).operations(),
                **StandaloneTasks(self._containers, self._tasks).operations(),
                **Services(self._containers, self._balancing, self._rolling).operations(),
                **Reads(self._containers).operations(),
                **Protection(self._containers, self._rolling).operations(),
            },
            "elbv2": {
                **Balancers(self._balancing, rules).operations(),
                **BalancerAttributes(self._balancing).operations(),
                **rules.operations(),
                **Groups(self._balancing, self._health).operations(),
                **ElbTags(self._balancing).operations(),
                **self.quotas.limit_operations(),
            },
            "cloudwatch": {
                **self._alarms.operations(),
                **Queries(self.kernel, self.metrics).operations(),
                **self._custom.operations(),
            },
            "ec2": self.addresses.operations(),
            "ecr": self.images.operations(),
            "iam": self.policies.operations(),
            "secretsmanager": self.secrets.secret_operations(),
            "ssm": self.secrets.parameter_operations(),
            "service-quotas": self.quotas.operations(),
            "events": EventRules(self.kernel, self.bus).operations(),
            "sqs": self.queues.operations(),
            "application-autoscaling": self.autoscaling.operations(),
        }

    @property
    def now(self) -> datetime:
        """The World's time, aware, in UTC."""
        return self.kernel.now

    @property
    def account(self) -> str:
        """The account's twelve digits."""
        return self.kernel.account

    @property
    def region(self) -> str:
        """The region's name."""
        return self.kernel.region

    @property
    def minute(self) -> timedelta:
        """How long one CloudWatch minute lasts."""
        return self.kernel.minute

    @property
    def reports(self) -> TaskReports:
        """Where a task runner tells the fate of its tasks."""
        return self._tasks

    @property
    def virtual_tasks(self) -> VirtualTasks:
        """The default runner, to script it. Only without a `tasks` of one's own."""
        assert isinstance(self.tasks, VirtualTasks)
        return self.tasks

    @property
    def capacity(self) -> Capacity:
        """Room for tasks: set its `limit` to script a placement failure."""
        return self._tasks.capacity

    def shift_zone(self, zone: str, *, is_over: bool = False) -> None:
        """Begin, or end, a zonal shift away from a zone, as ARC or a person does."""
        (self._health.end_shift if is_over else self._health.shift)(zone)

    def interrupt(self, task: str, *, code: str = "SpotInterruption", reason: str = "") -> None:
        """AWS takes a running task away (by its ARN), as it does with Spot capacity or a host that fails."""
        found = self._containers.tasks[task]
        words = reason or "Your Spot Task was interrupted."
        self._tasks.stop(self._containers.services.get(found.service), found, code=code, reason=words)

    def client_secret(self, rule: str) -> str | None:
        """The secret that a rule's OIDC action holds, which no answer of AWS ever shows; None: there is none."""
        return self._balancing.rule(rule).secret

    def next_due(self) -> datetime | None:
        """The time of the next event."""
        return self.kernel.next_due()

    def run_until(self, now: datetime) -> None:
        """Bring the clock to `now`, with every event on the way. A time that has passed changes nothing."""
        if now > self.kernel.now:
            self.kernel.run_until(now)

    def advance(self, to: datetime | timedelta) -> None:
        """Move virtual time to a moment, or on by a duration."""
        self.run_until(self.kernel.now + to if isinstance(to, timedelta) else to)

    def operations(self, service: str) -> frozenset[str]:
        """The operations of a service (botocore's name) that are in this World."""
        return frozenset(self._operations.get(service, ()))

    def call(
        self,
        service: str,
        operation: str,
        params: Json,
        *,
        by: str = "",
        policy: Document | None = None,
    ) -> Json:
        """One AWS call in botocore's names and Python shapes. Raises AwsRefusal or CallLost.

        `by`: the ARN of whoever makes it; empty: a user of the account. `policy`: of the session that makes it.
        """
        self.sts.caller = by
        fault: Fault | None = None
        if not self.faults.quiet:
            self.faults.rivals(operation, self)
            fault = self.faults.strike(service, operation)
        answer: Json | None = None
        error: AwsRefusal | CallLost | None = None
        try:
            self.gate.check(by, policy, service, operation, params)
            if fault is None or fault.when == "after":
                answer = self.gate.shown(by, policy, operation, self._perform(service, operation, params))
        except AwsRefusal as refusal:
            error = refusal
        if fault is not None:
            error = failure(service, fault.kind if fault.when != "late" else "timeout")
            if fault.when == "late":
                signed = self.kernel.now + fault.ahead
                self.kernel.after(fault.delay, lambda: self._late(service, operation, params, signed))
        self.log.append(CallRecord(self.kernel.now, service, operation, params, answer, error, by))
        if error is not None:
            raise error
        assert answer is not None  # no error, so it was performed
        return answer

    def _perform(self, service: str, operation: str, params: Json) -> Json:
        known = self._operations.get(service)
        if known is None or operation not in known:
            raise not_here(f"{service} {operation}")
        if self.settings.throttling and not self._buckets.take(service, operation):
            raise throttled(service)
        if self._checker is None:
            return known[operation](params)
        self._checker.check_input(service, operation, params)
        answer = known[operation](params)
        self._checker.check_output(service, operation, answer)
        return answer

    def _late(self, service: str, operation: str, params: Json, signed: datetime) -> None:
        """A call that was lost on its way arrives after all; nobody hears the answer. Too old, it is refused."""
        answer: Json | None = None
        error: AwsRefusal | CallLost = CallLost("took effect late")
        try:
            refuse_old(service, signed, self.kernel.now)
            answer = self._perform(service, operation, params)
        except AwsRefusal as refusal:
            error = refusal
        self.log.append(CallRecord(self.kernel.now, service, operation, params, answer, error))

    def _each_minute(self) -> None:
        """Count hosts, judge alarms, forget the oldest metrics, and come again."""
        kernel = self.kernel
        self.traffic.count_hosts()
        self.quotas.count()
        self.autoscaling.report()
        self._alarms.evaluate()
        self.autoscaling.act()
        self._judge_deployments()
        self._metrics.prune()
        self._custom.prune()
        kernel.at(kernel.floor(kernel.now, kernel.minute) + kernel.minute, self._each_minute)

    def _judge_deployments(self) -> None:
        self._rolling.alarms_changed(self._alarms.in_alarm())


def quiet_world(start: datetime, *, seed: int = 0) -> World:
    """A World without surprises, in which tasks start within five seconds: for tests of other things."""
    world = World(start=start, seed=seed, settings=WorldSettings.kind())
    world.behaviour.start, world.behaviour.start_spread = timedelta(seconds=3), timedelta(seconds=2)
    return world


def _checker(settings: WorldSettings) -> Checker | None:
    if not settings.validate:
        return None
    from sandbox.world.kernel.service_models import ShapeChecks  # botocore's models are slow to load

    return ShapeChecks()
