"""The default event bus: events go to the queues of the rules that match them, at least once and in no order.

Sources: "Amazon EventBridge event patterns", "Amazon EventBridge targets" (permissions of a queue).
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

from sandbox.world.events.patterns import Pattern
from sandbox.world.events.queues import Queues
from sandbox.world.kernel.errors import Json
from sandbox.world.kernel.kernel import Kernel


@dataclass(slots=True, kw_only=True)
class Rule:
    """A rule with its targets (by their ids)."""

    arn: str
    settings: Json  # as DescribeRule shows it
    pattern: Pattern
    targets: dict[str, Json] = field(default_factory=dict)

    @property
    def is_enabled(self) -> bool:
        """True while the rule sends anything."""
        return bool(self.settings["State"] == "ENABLED")


class Bus:
    """Takes events, and posts them to queues a little later. Costs next to nothing while there is no rule."""

    def __init__(self, kernel: Kernel, queues: Queues) -> None:
        self._kernel = kernel
        self._queues = queues
        self._random = Random(kernel.seed ^ 0xE7E27)  # apart, so that events disturb nothing else
        self.rules: dict[str, Rule] = {}  # by name
        self.undelivered = 0
        """Events that no queue took: gone, or without a policy that lets EventBridge send to it."""

    @property
    def is_heard(self) -> bool:
        """True if a rule might want an event."""
        return bool(self.rules)

    def post(self, source: str, kind: str, resources: list[str], detail: Callable[[], Json]) -> None:
        """Something happened now. `detail` is called only if somebody may want to know."""
        if not self.rules:
            return
        self.send(source, kind, resources, detail(), at=self._kernel.now)

    def send(self, source: str, kind: str, resources: list[str], detail: Json, *, at: datetime) -> str:
        """Post an event; returns its id."""
        event: Json = {
            "version": "0",
            "id": self._uuid(),
            "detail-type": kind,
            "source": source,
            "account": self._kernel.account,
            "time": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self._kernel.region,
            "resources": resources,
            "detail": plain(detail),
        }
        for rule in self.rules.values():
            if rule.is_enabled and rule.pattern.matches(event):
                for target in rule.targets.values():
                    self._deliver(rule, target, event)
        return str(event["id"])

    def _deliver(self, rule: Rule, target: Json, event: Json) -> None:
        settings = self._kernel.settings
        body = target["Input"] if "Input" in target else json.dumps(event)
        times = 2 if self._random.random() < settings.event_duplicate_share else 1
        for number in range(times):
            delay = settings.event_delay + settings.event_jitter * (2 * self._random.random() - 1)
            self._kernel.after(delay * (number + 1), lambda: self._drop(rule, str(target["Arn"]), body))

    def _drop(self, rule: Rule, queue: str, body: str) -> None:
        if not self._queues.take(queue, body, from_rule=rule.arn):
            self.undelivered += 1

    def _uuid(self) -> str:
        plain_id = f"{self._random.getrandbits(128):032x}"
        return "-".join((plain_id[:8], plain_id[8:12], plain_id[12:16], plain_id[16:20], plain_id[20:]))


def plain(value: object) -> object:
    """A value as an event's JSON has it: moments in ISO 8601 with milliseconds."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value
