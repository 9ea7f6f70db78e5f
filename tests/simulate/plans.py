"""Rollout files to simulate, and a load to try them on."""

from datetime import timedelta
from typing import Any

from orchestrator.core.domain.plan import NAMED_PLANS
from orchestrator.core.gates.compare import DEFAULT_STREAMS, CompareSpec, StreamSpec
from orchestrator.core.gates.gathered import StreamName
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.rollout.spec import ServiceName, Spec
from orchestrator.simulate.traffic import Demand

BUSY = Demand(requests_per_second=1000, error_rate=0.001)
QUIET = Demand(requests_per_second=4, error_rate=0.001)
STREAMS = (*DEFAULT_STREAMS[:1], StreamSpec(name=StreamName.SLOW, over=timedelta(milliseconds=800)))


def spec(plan: str = "auto", **changes: Any) -> Spec:  # noqa: ANN401 - the fields of Spec
    """A plan whose green was warmed by a probe, comparing errors and slow requests."""
    given: dict[str, Any] = {
        "service": ServiceName(cluster="prod", service="checkout"),
        "task_definition": "checkout:43",
        "plan": NAMED_PLANS[plan],
        "gates": GatesSpec(compare=CompareSpec(streams=STREAMS, warm_up=0)),
    }
    return Spec(**{**given, **changes})
