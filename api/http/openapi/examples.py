"""An example of each call's answer, as values of the answers' own types, so that none can differ from them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import TypeAdapter

from api.auth.roles import CALLS
from api.auth.token_shapes import TokenMade, TokenView
from api.http.calls.access import CallPage, CallView, MeView, TokenPage
from api.http.calls.services import ServicePage
from api.http.json_values import (
    Commanded,
    CommandView,
    EventPage,
    PlanView,
    PreflightView,
    Readiness,
    RolloutPage,
    StoreState,
    WorkerState,
)
from orchestrator.core.cloud.definition_differences import Difference
from orchestrator.core.cloud.survey import Finding, Severity
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.roles import Role
from orchestrator.engine.views.event_values import EventView
from orchestrator.engine.views.rollout import GateView, RolloutView, RuleView, StepView
from orchestrator.engine.views.service_values import PastView, ServiceView, ServingView

Json = Any  # a value of a JSON document

_TEN = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
_ID = "checkout-3f9a1c07"
_RULE = (
    "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener-rule/app/prod/50dc6c495c0c9188/"
    "f2f7dc8efc522ab2/9683b2d02a6cabee"
)

_ROLLOUT = RolloutView(
    id=_ID,
    service="prod/checkout",
    phase="shifting",
    phase_since=_TEN,
    is_active=True,
    plan="canary",
    step=1,
    steps=(
        StepView(number=1, weight_percent=10, bake_seconds=300, approval=True, state="current"),
        StepView(number=2, weight_percent=100, bake_seconds=1800, approval=False, state="ahead"),
    ),
    green_percent=10,
    rules=(RuleView(arn=_RULE, green_percent=10, wanted_percent=10),),
    blue="checkout",
    green="checkout-3f9a1c07",
    former="checkout:42",
    revision="checkout:43",
    sees="at 40 requests/s and 0.1 % errors, errors 6.3 times blue's are found before green has everything; "
    "smaller regressions may pass; a green that fails everything costs about 504 requests",
    waiting_for="an approval of step 1",
    bake_left_seconds=120,
    gates=(
        GateView(
            gate="guard",
            verdict="pass",
            reason="2 of 412 requests failed",
            clears_when="",
            numbers={"errors": 2, "requests": 412},
            at=_TEN + timedelta(minutes=3),
        ),
    ),
    holds=(),
    paused_by="",
    accepts=("abandon", "approve", "back", "pause", "promote", "reject", "resume", "rollback"),
    author="author",
    labels={"commit": "9fceb02d"},
    reason="",
    by="",
    traffic_on_blue_at=None,
    created_at=_TEN - timedelta(minutes=4),
    ended_at=None,
    wake_at=_TEN + timedelta(minutes=4),
    version=7,
)
_COMMAND = CommandView(
    key="release-1187-pause",
    kind="pause",
    by="operator",
    source="http",
    at=_TEN + timedelta(minutes=3),
    reason="p99 looks odd",
    step=None,
    full=False,
    to_percent=None,
    state="accepted",
    text="",
)
_TOKEN = TokenView(
    id="t-3f9a1c0755d2e8b1",
    name="ci checkout",
    role=Role.OPERATOR,
    services=("prod/checkout", "staging/*"),
    groups=("release",),
    created_at=_TEN,
    created_by="admin",
    expires_at=_TEN + timedelta(days=30),
    last_used_at=None,
    revoked_at=None,
    is_valid=True,
)
_EVENT = EventView(
    number=1,
    kind="started",
    at=_TEN - timedelta(minutes=4),
    message="author starts prod/checkout to checkout:43 with plan canary",
    facts={"by": "author", "source": "http", "task_definition": "checkout:43"},
    chain="5c1a0ee7d9c1c3c7f0f4b1c5fb3c3c1d8f3b2f7a6e5d4c3b2a19080706050403",
)

_SERVICE = ServiceView(
    name="prod/checkout",
    serves="checkout:42",
    serving=ServingView(
        name="checkout",
        arn="arn:aws:ecs:eu-west-1:123456789012:service/prod/checkout",
        target_groups=(
            "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/checkout/50dc6c495c0c9188",
        ),
        task_definition="checkout:42",
        former_name="",
        is_former_kept=False,
        former_task_definition="checkout:41",
        rollout=_ID,
    ),
    succeeded="checkout:42",
    changed="",
    active=_ID,
    active_phase="shifting",
    history=(
        PastView(
            id=_ID,
            phase="shifting",
            revision="checkout:43",
            started_at=_TEN - timedelta(minutes=4),
            ended_at=None,
            author="author",
        ),
    ),
)

_VALUES: dict[str, object] = {
    "start_rollout": _ROLLOUT,
    "get_rollout": _ROLLOUT,
    "list_rollouts": RolloutPage(rollouts=(_ROLLOUT,), next=""),
    "list_events": EventPage(events=(_EVENT,), next=1),
    **{f"{kind.value}_rollout": Commanded(rollout=_ROLLOUT, command=_COMMAND) for kind in CommandKind},
    "preflight": PreflightView(
        service="prod/checkout",
        task_definition="checkout:43",
        account="111122223333",
        region="eu-west-1",
        is_fit=True,
        findings=(
            Finding(
                severity=Severity.NOTE,
                code="scale-in-will-be-suspended",
                what="prod/checkout's scale-in is suspended during the rollout, and restored after it",
            ),
        ),
        plan=(
            PlanView(
                number=1,
                weight_percent=10,
                bake_seconds=300,
                lasts_seconds=420,
                ends_seconds=420,
                approval=True,
            ),
        ),
        rules=(_RULE,),
        target_groups=(
            "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/checkout/73e2d6bc24d8a067",
        ),
        former="arn:aws:ecs:eu-west-1:111122223333:task-definition/checkout:42",
        differences=(
            Difference(
                container="checkout", field="environment", name="LOG_LEVEL", before="info", after="debug"
            ),
        ),
    ),
    "list_services": ServicePage(services=(_SERVICE,), next=""),
    "get_service": _SERVICE,
    "me": MeView(
        name="operator",
        role=Role.VIEWER,
        services=(),
        groups=("release",),
        by="issuer",
        token="",
        expires_at=None,
        may=tuple(name for name, needed in CALLS.items() if needed is Role.VIEWER),
    ),
    "create_token": TokenMade(text=f"teal_{'0' * 43}2CZclj", token=_TOKEN),
    "list_tokens": TokenPage(tokens=(_TOKEN,)),
    "revoke_token": _TOKEN,
    "audit": CallPage(
        calls=(
            CallView(
                at=_TEN,
                actor="operator",
                source="http",
                address="192.0.2.7",
                call="POST /v1/rollouts/{id:path}/rollback",
                target=_ID,
                outcome="ok",
                request="4f1b2c3d5e6f7081",
                token="t-3f9a1c07",
            ),
        ),
        next="",
    ),
    "is_ready": Readiness(is_ready=True, store=StoreState.ANSWERS, worker=WorkerState.RUNNING),
}


PATHS = {
    "{id}": _ID,
    "{name}": "prod/checkout",
    "{code}": "conflict",
}


def example_path(template: str) -> str:
    """A path of a call, as a problem's `instance` has it."""
    if template.startswith("/v1/tokens/"):
        return template.replace("{id}", _TOKEN.id)
    for name, value in PATHS.items():
        template = template.replace(name, value)
    return template


def example_of(call: str) -> Json | None:
    """The example of a call's answer; None: it has none."""
    value = _VALUES.get(call)
    return None if value is None else TypeAdapter(type(value)).dump_python(value, mode="json")
