"""What services and target groups report for scaling: CPU by requests, and requests per target, every minute.

Sources: "Amazon ECS CloudWatch metrics" (dimensions ClusterName and ServiceName); "CloudWatch metrics for your
Application Load Balancer" (RequestCountPerTarget). A task's CPU is a fiction: it grows with the requests it answers.
"""

from datetime import timedelta

from sandbox.world.cloudwatch.custom import CustomMetrics
from sandbox.world.cloudwatch.metrics import NAMESPACE, Metrics
from sandbox.world.ecs.resources import Service
from sandbox.world.ecs.state import Containers
from sandbox.world.elb.state import Balancing
from sandbox.world.kernel.errors import Json
from sandbox.world.tasks.behaviour import Behaviour

MEMORY_PERCENT = 30.0  # of every task, whatever it does
IDLE_PERCENT = 1.0


class Usage:
    """Puts the last minute's figures into CloudWatch, for the services whose scaling may ask for them."""

    def __init__(
        self,
        containers: Containers,
        balancing: Balancing,
        requests: Metrics,
        custom: CustomMetrics,
        behaviour: Behaviour,
    ) -> None:
        self._all, self._balancing = containers, balancing
        self._requests, self._custom, self._behaviour = requests, custom, behaviour

    def count(self, services: list[Service]) -> None:
        """Report these services' last minute."""
        for service in services:
            tasks = sum(task.last == "RUNNING" for task in service.tasks.values())
            if not tasks:
                continue
            total = sum(self._of_group(entry["targetGroupArn"]) for entry in service.load_balancers)
            seconds = self._all.kernel.minute.total_seconds()
            rate = total / seconds / tasks
            full = self._behaviour.requests_per_task
            cpu = min(100.0, IDLE_PERCENT + (100.0 * rate / full if full else 0.0))
            named = [("ClusterName", service.cluster), ("ServiceName", service.name)]
            self._note("AWS/ECS", "CPUUtilization", named, cpu)
            self._note("AWS/ECS", "MemoryUtilization", named, MEMORY_PERCENT)

    def _of_group(self, arn: str) -> float:
        """Requests to a group in the last minute; what each of its targets got is reported."""
        group = self._balancing.groups.get(arn)
        if group is None or not group.load_balancer:
            return 0.0
        balancer = self._balancing.load_balancers[group.load_balancer].suffix
        found = self._requests.happened("RequestCount", balancer, group.suffix, self._all.kernel.minute)
        targets = sum(target.state == "healthy" for target in group.targets.values())
        if targets and found:
            named = [("LoadBalancer", balancer), ("TargetGroup", group.suffix)]
            self._note(NAMESPACE, "RequestCountPerTarget", named, found / targets)
        return found

    def _note(self, namespace: str, metric: str, named: list[tuple[str, str]], value: float) -> None:
        datum: Json = {
            "MetricName": metric,
            "Dimensions": [{"Name": name, "Value": given} for name, given in named],
            "Timestamp": self._all.kernel.now - timedelta(microseconds=1),
            "Value": value,
        }
        self._custom.note(namespace, datum)
