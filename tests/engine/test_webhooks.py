"""Webhooks in whole rollouts, with a system of the team's own that answers by a script."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from orchestrator.core.cloud.probes_and_webhooks import (
    HookAccepted,
    HookNeed,
    HookSeen,
    HookTrouble,
    HookVerdict,
    ProbeNeed,
    ProbeSeen,
)
from orchestrator.core.cloud.resources import Unread
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.verdict import Verdict
from orchestrator.core.gates.alarms import AlarmsSpec
from orchestrator.core.gates.compare import CompareSpec
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.gates.webhook import HookWhen, WebhookSpec
from orchestrator.core.rollout.rollout import HoldKind
from orchestrator.core.rollout.spec import Spec
from tests.support.rehearsal import Rehearsal

PASS = HookVerdict(verdict=Verdict.PASS, reason="42 checks ran")
FAIL = HookVerdict(verdict=Verdict.FAIL, reason="checkout is broken")
NOT_YET = HookVerdict(verdict=Verdict.HOLD, reason="cold caches")
AT_WORK = HookAccepted(check="https://smoke.example/runs/7")
ILL = HookTrouble(why="it answered 503")
URL = "https://smoke.example/run"


@dataclass
class Scripted:
    """Answers with the next of the script, its last answer for ever."""

    script: Sequence[HookSeen | None]
    heard: list[HookNeed] = field(default_factory=list)

    def refusal(self, url: str, secret: str = "") -> tuple[str, str] | None:
        return None

    async def probe(self, need: ProbeNeed) -> ProbeSeen | Unread:
        raise AssertionError("nothing is probed here")

    async def ask(self, need: HookNeed) -> HookSeen | None:
        self.heard.append(need)
        return self.script[min(len(self.heard), len(self.script)) - 1]


def spec(stage: Rehearsal, when: HookWhen, timeout: timedelta = timedelta(minutes=5)) -> Spec:
    hook = WebhookSpec(url=URL, when=when, timeout=timeout)
    gates = GatesSpec(alarms=AlarmsSpec(), compare=CompareSpec(on=False), webhooks=(hook,))
    return stage.spec(stage.revision(), gates=gates)


@pytest.fixture
def begun() -> Callable[..., tuple[Rehearsal, RolloutId, Scripted]]:
    def begin(
        *script: HookSeen | None,
        when: HookWhen = HookWhen.BEFORE_TRAFFIC,
        timeout: timedelta = timedelta(minutes=5),
    ) -> tuple[Rehearsal, RolloutId, Scripted]:
        stage = Rehearsal()
        stage.outward = scripted = Scripted(script)
        return stage, stage.start(spec(stage, when, timeout)), scripted

    return begin


Begun = Callable[..., tuple[Rehearsal, RolloutId, Scripted]]


def test_a_pass_before_traffic_lets_users_meet_green(begun: Begun) -> None:
    stage, rollout, scripted = begun(PASS)
    with stage:
        assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
        (need,) = scripted.heard
        said = json.loads(need.body)
        assert (said["when"], said["step"], said["green_percent"]) == ("before_traffic", 0, 0)
        assert need.key == f"{rollout}/before-traffic/webhook-1/1"


def test_a_fail_before_traffic_takes_green_back_before_any_user_meets_it(begun: Begun) -> None:
    stage, rollout, _ = begun(FAIL)
    with stage:
        row = stage.until(rollout)
        assert row.phase is Phase.ROLLED_BACK
        assert row.end is not None
        assert row.end.reason == "webhook: smoke.example says fail: checkout is broken"
        assert set(stage.traffic.totals.answered) == {stage.scenery.target_group}


def test_a_fail_at_a_weight_rolls_back(begun: Begun) -> None:
    stage, rollout, _ = begun(PASS, FAIL, when=HookWhen.EVERY_STEP)
    with stage:
        row = stage.until(rollout)
        assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
        assert row.end is not None
        assert row.end.reason.startswith("webhook: ")


def test_every_step_is_asked_once_with_a_key_of_its_own(begun: Begun) -> None:
    stage, rollout, scripted = begun(PASS, when=HookWhen.EVERY_STEP)
    with stage:
        assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
        assert [need.key for need in scripted.heard] == [
            f"{rollout}/1/webhook-1/1",
            f"{rollout}/2/webhook-1/2",
        ]
        assert [json.loads(need.body)["green_percent"] for need in scripted.heard] == [10, 100]


def test_before_full_is_asked_on_the_step_before_it(begun: Begun) -> None:
    stage, rollout, scripted = begun(NOT_YET, when=HookWhen.BEFORE_FULL)
    with stage:
        stage.let_run(timedelta(minutes=3))
        row = stage.row(rollout)
        assert (row.phase, row.progress.step) == (Phase.SHIFTING, 0)
        assert any("smoke.example says hold: cold caches" in hold.reason for hold in row.waiting.holds)
        scripted.script = (PASS,)
        assert stage.until(rollout, Phase.WATCHING).phase is Phase.WATCHING


def test_a_long_check_is_looked_for_where_it_says_until_its_verdict(begun: Begun) -> None:
    stage, rollout, scripted = begun(AT_WORK, AT_WORK, AT_WORK, PASS)
    with stage:
        assert stage.until(rollout, Phase.SHIFTING).phase is Phase.SHIFTING
        assert [need.check for need in scripted.heard] == ["", *[AT_WORK.check] * 3]
        assert len({need.key for need in scripted.heard}) == 1


def test_an_answer_that_is_under_way_is_waited_for_without_a_hold(begun: Begun) -> None:
    stage, rollout, scripted = begun(*[None] * 10, PASS)
    with stage:
        assert stage.until(rollout, Phase.SHIFTING).phase is Phase.SHIFTING
        assert len({need.key for need in scripted.heard}) == 1
        held = [seen.event.message for seen in stage.events(rollout, EventKind.HELD)]
        assert not any(message.startswith("webhook: ") for message in held)


def test_errors_are_retried_ever_more_slowly_with_the_same_key_and_hold(begun: Begun) -> None:
    stage, rollout, scripted = begun(*[ILL] * 5, PASS)
    with stage:
        stage.let_run(timedelta(seconds=30))
        row = stage.row(rollout)
        assert any(h.kind is HoldKind.GATE and "it answered 503" in h.reason for h in row.waiting.holds), (
            row.waiting.holds
        )
        assert stage.until(rollout, Phase.SHIFTING).phase is Phase.SHIFTING
        assert len({need.key for need in scripted.heard}) == 1


def test_without_a_verdict_in_time_it_holds_says_so_and_asks_anew(begun: Begun) -> None:
    stage, rollout, scripted = begun(AT_WORK, timeout=timedelta(seconds=30))
    with stage:
        stage.let_run(timedelta(minutes=1))
        row = stage.row(rollout)
        assert row.phase is Phase.PROVISIONING
        assert any("no verdict within 30 s" in hold.reason for hold in row.waiting.holds), row.waiting.holds
        scripted.script = (PASS,)
        assert stage.until(rollout, Phase.SHIFTING).phase is Phase.SHIFTING
        assert len({need.key for need in scripted.heard}) >= 2


def test_a_webhook_that_never_answers_is_given_up_as_the_limits_say_and_never_passes(begun: Begun) -> None:
    stage, rollout, _ = begun(ILL)
    with stage:
        row = stage.until(rollout)
        assert row.phase is Phase.ROLLED_BACK
        assert row.end is not None
        assert row.end.reason.startswith("held for 5 min: webhook: smoke.example gives no verdict"), row.end


def test_a_person_may_waive_a_webhook_that_holds(begun: Begun) -> None:
    stage, rollout, _ = begun(ILL, when=HookWhen.EVERY_STEP)
    with stage:
        stage.until(rollout, Phase.SHIFTING)
        stage.let_run(timedelta(minutes=1))
        stage.command(rollout, CommandKind.PROMOTE)
        assert stage.until(rollout, Phase.WATCHING).phase is Phase.WATCHING


def test_going_back_to_a_step_asks_anew_with_another_key(begun: Begun) -> None:
    stage, rollout, scripted = begun(PASS, when=HookWhen.EVERY_STEP)
    with stage:
        stage.until(rollout, Phase.WATCHING)
        stage.let_run(timedelta(seconds=5))
        stage.command(rollout, CommandKind.BACK, to=stage.row(rollout).plan.steps[0].weight)
        stage.let_run(timedelta(seconds=20))
        keys = [need.key for need in scripted.heard]
        assert keys[-1] == f"{rollout}/1/webhook-1/3"
        assert len(keys) == len(set(keys)) == 3
