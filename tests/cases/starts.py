"""How tests of edge cases start a rollout, and what a start may not do that is refused."""

from collections.abc import Callable
from typing import Any

import pytest

from orchestrator.core.cloud.survey import Finding
from orchestrator.core.domain.errors import Missing, Unfit
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.rollout.spec import Spec
from orchestrator.engine.commands import look_before
from sandbox.world.kernel.errors import AwsRefusal, CallLost
from tests.support.direct_transport import DirectTransport
from tests.support.rehearsal import Rehearsal

Change = Callable[[dict[str, Any]], dict[str, Any]]


def answering(stage: Rehearsal, **changes: Change) -> None:
    """Let some operations' answers come to Teal changed: for what AWS has and the World has not."""

    def call(service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        answer = stage.world.call(service, operation, params)
        return changes[operation](answer) if operation in changes else answer

    stage.cloud = stage.cloud_of(DirectTransport(call, refusal=AwsRefusal, lost=CallLost))


def with_service(**members: Any) -> Change:  # noqa: ANN401 - AWS's own shapes
    """Every service described has these members too."""
    return lambda answer: {
        **answer,
        "services": [{**service, **members} for service in answer["services"]],
    }


def writes_since(stage: Rehearsal, start: int) -> list[str]:
    """The operations since the World's `start`-th call that change something."""
    reads = ("Describe", "List", "Get", "Simulate", "Batch")
    return [call.operation for call in stage.world.log[start:] if not call.operation.startswith(reads)]


def preflight(stage: Rehearsal, spec: Spec, *others: Rollout) -> dict[str, Finding]:
    """What preflight finds, by the codes; `others`: active rollouts of the store."""
    looked = stage.run(look_before(spec, cloud=stage.cloud, clock=stage.clock, others=others))
    return {finding.code: finding for finding in looked.findings}


def refused(stage: Rehearsal, spec: Spec) -> str:
    """What a start is refused with; nothing was written."""
    start = len(stage.world.log)
    with pytest.raises((Unfit, Missing)) as caught:
        stage.start(spec)
    assert writes_since(stage, start) == []
    return str(caught.value)
