"""Every gate, one line a gate: its settings in a rollout's spec, in the order of the file and of the pages."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from orchestrator.core.domain.calendar import WindowSpec
from orchestrator.core.gates.alarms import ALARMS, AlarmsSpec
from orchestrator.core.gates.compare import COMPARE, CompareSpec
from orchestrator.core.gates.gate import Gate
from orchestrator.core.gates.guard import GUARD, GuardSpec
from orchestrator.core.gates.health import HEALTH, HealthSpec
from orchestrator.core.gates.metric import METRIC, MetricSpec
from orchestrator.core.gates.probe import PROBE, ProbeSpec
from orchestrator.core.gates.webhook import WEBHOOK, WebhookSpec
from orchestrator.core.gates.window import WINDOW

S = TypeVar("S")


def of(gate: Gate[S]) -> S:
    """The field of a gate's settings."""
    return field(default=gate.usual, metadata={Gate: gate})


@dataclass(frozen=True, slots=True, kw_only=True)
class GatesSpec:
    """Which gates judge, and with what settings. Rows are stored by these names."""

    health: HealthSpec = of(HEALTH)
    guard: GuardSpec = of(GUARD)
    compare: CompareSpec = of(COMPARE)
    alarms: AlarmsSpec = of(ALARMS)
    metrics: tuple[MetricSpec, ...] = of(METRIC)
    probe: ProbeSpec = of(PROBE)
    webhooks: tuple[WebhookSpec, ...] = of(WEBHOOK)
    window: WindowSpec = of(WINDOW)


# By the field of their settings; each has settings of a type of its own.
GATES: dict[str, Gate[Any]] = {one.name: one.metadata[Gate] for one in fields(GatesSpec)}
ASKED = sorted(GATES, key=lambda name: GATES[name].is_named_last)


def those_on(gates: GatesSpec) -> Iterator[tuple[Gate[Any], Any]]:
    """The gates that a file has judge, each with its settings, in the order in which they are asked."""
    for name in ASKED:
        gate, spec = GATES[name], getattr(gates, name)
        if gate.is_on(spec):
            yield gate, spec
