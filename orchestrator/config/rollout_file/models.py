"""The shape of a rollout file. Every default is the core's own, so that each is written once.

What the keys mean stands in their descriptions, which editors show through the published JSON Schema.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, Discriminator, Field, Tag, WithJsonSchema

from orchestrator.config.gates.form import Model
from orchestrator.config.gates.forms import GatesModel
from orchestrator.config.gates.window import Reason
from orchestrator.config.rollout_file.drain import DrainModel
from orchestrator.config.rollout_file.ending import SETTLE, EndingWord
from orchestrator.config.rollout_file.labels import EXAMPLE, Labels
from orchestrator.config.rollout_file.metrics import MetricsModel
from orchestrator.config.rollout_file.plan_auto import AutoModel
from orchestrator.config.rollout_file.revision import FirstDeploymentModel, RevisionModel
from orchestrator.config.text.fields import (
    Alias,
    BackgroundWord,
    Bake,
    CapacityWord,
    Channel,
    Count,
    DiscoveryWord,
    Flag,
    Listener,
    OnDriftWord,
    OnFailureWord,
    Region,
    Rule,
    Service,
    SomeTime,
    StickyWord,
    Text,
    ThenWord,
    Weight,
    one_of,
    refusal,
)
from orchestrator.config.text.json_schema import described
from orchestrator.config.text.quantities import duration_text, shown
from orchestrator.config.text.variants import Sorted, word_or_many
from orchestrator.config.text.versions import FORMAT, FileVersion
from orchestrator.core.domain.plan import NAMED_PLANS
from orchestrator.core.rollout.spec import (
    ApprovalSpec,
    Background,
    Capacity,
    Discovery,
    Limits,
    OnDrift,
    OnFailure,
    Sticky,
)

DEFAULT_PLAN = "auto"


def _sort_plan(value: object) -> Sorted:
    if isinstance(value, list) or (isinstance(value, dict) and ("weight" in value or "bake" in value)):
        return Sorted.MANY  # a single step without its dash is a list that went wrong
    return Sorted.TREE if isinstance(value, dict | AutoModel) else Sorted.WORD


def _time(value: timedelta, description: str) -> Any:  # noqa: ANN401 - as pydantic's Field
    return Field(default=value, description=description, json_schema_extra={"default": duration_text(value)})


def _plan_name(value: object) -> object:
    if isinstance(value, str) and value in NAMED_PLANS:
        return value
    raise refusal(f"{shown(value)} is no plan", one_of(value, NAMED_PLANS, or_else="a list of steps"))


PlanName = Annotated[
    str,
    BeforeValidator(_plan_name),
    WithJsonSchema({"type": "string", "enum": list(NAMED_PLANS), "examples": [DEFAULT_PLAN]}),
]


class ListenerModel(Model):
    """A listener's default rule, which has no ARN that people know."""

    listener: Listener = Field(description="The listener's ARN; its default rule is meant.")


class TrafficModel(Model):
    """Where the traffic is split."""

    rules: list[
        Annotated[
            Annotated[Rule, Tag(Sorted.WORD)] | Annotated[ListenerModel, Tag(Sorted.MANY)],
            Discriminator(word_or_many),
        ]
    ] = Field(
        default=[],
        description="Rules by ARN, or {listener: …} for a listener's default rule. "
        "Default: every rule that forwards to blue's target groups.",
    )
    test_rules: list[
        Annotated[
            Annotated[Rule, Tag(Sorted.WORD)] | Annotated[ListenerModel, Tag(Sorted.MANY)],
            Discriminator(word_or_many),
        ]
    ] = Field(
        default=[],
        description="Rules that no user's request matches, usually of a test listener; "
        "they forward to green before users reach it, and to blue again at the end. Default: none.",
    )


class StepModel(Model):
    """One weight, held for at least its bake."""

    weight: Weight = Field(description="Green's share of the traffic in percent, at most to a tenth.")
    bake: Bake = Field(description="The least time the weight is held; the last step's is the watch.")
    approval: Flag = Field(default=False, description="True: a person must approve before the step is left.")


class When(StrEnum):
    """Steps that wait for a person without saying so themselves."""

    BEFORE_TRAFFIC = "before_traffic"
    BEFORE_FULL = "before_full"
    EVERY_STEP = "every_step"


def _when(value: object) -> object:
    if isinstance(value, str) and value in tuple(When):
        return When(value)
    raise refusal(f"{shown(value)} is not known here", one_of(value, [word.value for word in When]))


WhenWord = Annotated[
    When, BeforeValidator(_when), WithJsonSchema({"type": "string", "enum": [word.value for word in When]})
]


class ApprovalModel(Model):
    """Who approves, and what happens if nobody does."""

    approvers: list[Text] = Field(
        default=[], description="Names of people, or group:NAME. Default: anybody who may approve."
    )
    required: Count = Field(default=ApprovalSpec().required, description="How many different people.")
    not_author: Flag = Field(default=ApprovalSpec().not_author, description="True: not whoever started it.")
    timeout: SomeTime = _time(ApprovalSpec().timeout, "How long a step may wait for approval.")
    on_timeout: ThenWord = Field(default=ApprovalSpec().on_timeout, description="What happens then.")
    when: list[WhenWord] = Field(
        default=[],
        description="before_traffic: before users reach green; before_full: before the last step of the plan; "
        "every_step: before every step after the first.",
    )


class CapacityModel(Model):
    """How large green is."""

    green: CapacityWord = Field(
        default=Capacity.FULL,
        description="full: as many tasks as blue wants; stepped: what its weight needs, one per zone at least, and "
        "more before its weight grows.",
    )


class LimitsModel(Model):
    """How long things may take."""

    provision: SomeTime = _time(Limits().provision, "Until green is healthy.")
    hold: SomeTime = _time(Limits().hold, "How long a rollout may be held.")
    then: ThenWord = Field(default=Limits().then, description="What happens when it was held so long.")
    settle: SomeTime = _time(Limits().settle, "Until blue has taken the new revision over.")
    unseen: SomeTime = _time(
        Limits().unseen,
        "How long evidence may be unreadable before green goes back to the last weight that passed.",
    )
    page_again: Bake = _time(
        Limits().page_again, "After how long people are paged again for what lasts. 0s: never."
    )
    wait_for_blue: SomeTime | None = Field(
        default=None,
        description="How long to wait at the start while somebody else deploys the service. Default: it is refused.",
    )


class NotifyModel(Model):
    """Who is notified."""

    slack: Channel | None = Field(
        default=None, description="A channel. Default: that of the server's settings."
    )


class File(Model):
    """A rollout: one move of one ECS service from one revision to another."""

    service: Service = Field(description="cluster/service: the service of record.")
    revision: RevisionModel
    account: Alias | None = Field(
        default=None,
        description="An account's alias in the server's settings. Default: the server's own credentials.",
    )
    region: Region | None = Field(default=None, description="Only confirms; ARNs and the environment decide.")
    traffic: TrafficModel = TrafficModel()
    plan: Annotated[
        Annotated[PlanName, Tag(Sorted.WORD)]
        | Annotated[list[StepModel], Tag(Sorted.MANY)]
        | Annotated[AutoModel, Tag(Sorted.TREE)],
        Discriminator(_sort_plan),
    ] = Field(
        default=DEFAULT_PLAN,
        description="A plan by name, the plan auto with parameters, or steps whose weights rise to 100.",
        examples=[DEFAULT_PLAN, [{"weight": 10, "bake": "10m"}, {"weight": 100, "bake": "30m"}]],
    )
    gates: GatesModel = GatesModel()
    metrics: MetricsModel = MetricsModel()
    approval: ApprovalModel = ApprovalModel()
    capacity: CapacityModel = CapacityModel()
    background: BackgroundWord = Field(
        default=Background.NONE,
        description="What a task does besides answering requests: none; safe, work that both colours may share; or "
        "suspend, work that green leaves alone since revision.colour_variable tells it that it is green. "
        "But for none, green has one task until everything before traffic has passed.",
    )
    discovery: DiscoveryWord = Field(
        default=Discovery.STRIP,
        description="Whether green answers in blue's service discovery, which knows no weights: strip or keep.",
    )
    first_deployment: FirstDeploymentModel | None = Field(
        default=None, description="Only for a service that runs no task yet. Default: blue serves already."
    )
    sticky: StickyWord = Field(
        default=Sticky.WAIT,
        description="Users whom a cookie keeps on the colour that is to be left: wait until none comes any more, "
        "for their cookies' life at the longest, or cut. A rollback always cuts.",
    )
    ending: EndingWord = Field(
        default=SETTLE,
        description="What becomes of blue when the watch has passed: settle, it takes the new revision over and "
        "traffic returns to blue; or {swap: …}, green stays in its place.",
    )
    drain: DrainModel = DrainModel()
    limits: LimitsModel = LimitsModel()
    on_failure: OnFailureWord = Field(
        default=OnFailure.ROLLBACK, description="What a failing gate does until the watch has passed."
    )
    one_way: Flag = Field(
        default=False,
        description="What green's start does cannot be undone (a migration): once it was started, a failure holds and "
        "pages people, and only a person rolls back.",
    )
    on_drift: OnDriftWord = Field(default=OnDrift.HOLD, description="What a foreign change of a rule does.")
    notify: NotifyModel = NotifyModel()
    force: Flag = Field(
        default=False,
        description="True: roll out also what blue runs already. Green starts from the same task definition, and blue "
        "is deployed anew at the end, by whatever its images' tags mean then.",
    )
    override: Reason | None = Field(
        default=None,
        description="Why neither its window nor a freeze binds this rollout; whoever starts it must be an approver.",
        examples=["payments fail: hotfix for incident 4711"],
    )
    labels: Labels = Field(
        default={},
        description="What the author says of this rollout, by names of their own; shown at every door.",
        examples=[EXAMPLE],
    )
    version: FileVersion = Field(default=FORMAT, description="Of this file's format.")


def schema() -> dict[str, Any]:
    """The JSON Schema of a rollout file, as ``teal schema`` publishes it for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **described(File.model_json_schema()),
        "title": "Teal rollout file",
        "examples": [{"service": "prod/checkout", "revision": {"task_definition": "checkout:43"}}],
    }
