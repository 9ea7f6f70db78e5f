"""What the contract suite of clouds does on its stage: green's things, made as a rollout makes them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from orchestrator.core.cloud import effects
from orchestrator.core.cloud.forward_action import with_weights
from orchestrator.core.cloud.resources import GroupSeen, RuleSeen
from orchestrator.core.cloud.survey import Survey
from orchestrator.core.domain.ids import TargetGroupArn, TaskDefinitionArn, Tenths
from tests.contract.cloud import Stage

TAGS = (("teal:managed", "true"), ("teal:rollout", "r-1"))
SetStage = Callable[..., Stage]


def hang_green(
    stage: Stage, survey: Survey, *, name: str = "teal-checkout-1-0", weight: int = 0
) -> TargetGroupArn:
    """Make green's group and hang it on the rule with this weight."""
    template = survey.groups[0].template
    stage.perform(effects.CreateTargetGroup(name=name, template=template, tags=TAGS))
    group = stage.observe(groups=(name,)).groups[name]
    assert isinstance(group, GroupSeen)
    stage.perform(write(survey.rules[0], survey, group.arn, weight))
    return group.arn


def write(rule: RuleSeen, survey: Survey, green: TargetGroupArn, weight: int) -> effects.WriteRule:
    actions = with_weights(rule.actions, blue=survey.groups[0].arn, green=green, weight=Tenths(weight))
    return effects.WriteRule(
        rule=rule.arn,
        listener=rule.listener,
        is_default=rule.is_default,
        actions=actions,
        green=Tenths(weight),
        to_safety=weight == 0,
    )


def create(stage: Stage, survey: Survey, green: TargetGroupArn, **changes: object) -> effects.CreateService:
    effect = effects.CreateService(
        cluster=survey.blue.cluster,
        name="checkout-1",
        template=survey.template,
        task_definition=TaskDefinitionArn(stage.scenery.task_definition),
        desired=2,
        groups=((survey.groups[0].arn, green),),
        token="11111111-2222-5333-8444-555555555555",
        tags=TAGS,
    )
    return replace(effect, **changes)  # type: ignore[arg-type] # the effect's own fields


def make_green(stage: Stage) -> tuple[Survey, TargetGroupArn]:
    survey = stage.survey()
    group = hang_green(stage, survey)
    stage.perform(create(stage, survey, group))
    stage.advance(timedelta(minutes=2))
    return survey, group
