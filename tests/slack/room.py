"""A rollout with a Slack beside it: the World in virtual time, Slack on loopback, and people who press buttons."""

import asyncio
import json
from typing import Any

import httpx
import structlog

from api.app import create_app
from orchestrator.bootstrap import engine_of
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.plan import Plan, Step
from orchestrator.core.domain.roles import Role
from orchestrator.notify.deliverer import Deliverer
from orchestrator.notify.slack.receiver import SlackSink
from orchestrator.settings import Person, Secret, Settings, Slack
from tests.slack.fake import RELEASES, SECRET, TEAM, TOKEN, FakeSlack, Posted
from tests.support.rehearsal import Rehearsal, quick_plan

AUTHOR, OPERATOR, APPROVER, SECOND, VIEWER, ELSEWHERE = "U-A", "U-O", "U-P", "U-Q", "U-V", "U-E"
STRANGER = "U-X"
PEOPLE = (
    Person(name="author", slack=AUTHOR, role=Role.APPROVER),
    Person(name="operator", slack=OPERATOR, role=Role.OPERATOR),
    Person(name="approver", slack=APPROVER, role=Role.APPROVER, groups=("release",)),
    Person(name="second approver", slack=SECOND, role=Role.APPROVER),
    Person(name="viewer", slack=VIEWER),
    Person(name="operator elsewhere", slack=ELSEWHERE, role=Role.ADMIN, services=("other/*",)),
)


class Room:
    """One workspace, one server, one service."""

    def __init__(self, stage: Rehearsal, slack: FakeSlack) -> None:
        self.stage, self.slack = stage, slack
        self.settings = Settings(
            people=PEOPLE,
            slack=Slack(
                token=Secret(TOKEN),
                signing_secret=Secret(SECRET),
                channel=RELEASES,
                team=TEAM,
                groups=(("release", "S-RELEASE"), ("approvers", "S-ALL")),
                api=slack.url,
            ),
        )
        self.engine = engine_of(stage.store, stage.cloud, stage.clock)
        self.app = create_app(self.engine, settings=self.settings)
        self.restart()
        self.deliver()  # makes the sink known, before anything is started

    # the server ------------------------------------------------------------------------------------------------

    def restart(self) -> None:
        """The process ends and another begins: what it kept in memory is gone."""
        self.sink = SlackSink(self.settings, clock=self.stage.clock)

    def deliver(self) -> None:
        """Tell what is committed and due."""

        async def told() -> None:
            clock, stop = self.stage.clock, asyncio.Event()
            stop.set()
            deliverer = Deliverer(self.stage.store, [self.sink], clock, owner="room", chance=lambda: 0.5)
            await deliverer.run(stop)

        with structlog.testing.capture_logs():
            asyncio.run(told())

    def start(self, *, is_asking: bool = True, **changes: Any) -> RolloutId:  # noqa: ANN401 - fields of Spec
        """Start a rollout whose first step waits for an approval."""
        plan = quick_plan()
        if is_asking:
            first, last = plan.steps
            plan = Plan(
                name="custom", steps=(Step(weight=first.weight, bake=first.bake, approval=True), last)
            )
        spec = self.stage.spec(self.stage.revision(), plan=plan, **changes)
        return self.stage.start(spec)

    def waiting(self, **changes: Any) -> RolloutId:  # noqa: ANN401 - fields of Spec
        """A rollout whose first step's time has passed, and which waits for an approval; Slack is told."""
        rollout = self.start(**changes)
        for _ in range(400):
            self.stage.let_run(self.stage.world.minute / 20)
            if any(hold.kind == "approval" for hold in self.stage.row(rollout).holds):
                break
        else:
            raise TimeoutError(self.stage.story(rollout))
        self.deliver()
        return rollout

    def pass_time(self, seconds: float) -> None:
        """Time in which the engine does nothing."""
        self.stage.run(asyncio.sleep(seconds))

    def tick(self, seconds: float = 2) -> None:
        """Let the engine run a little, and tell."""
        self.stage.let_run(self.stage.world.minute * seconds / self.stage.world.minute.total_seconds())
        self.deliver()

    # people ----------------------------------------------------------------------------------------------------

    @property
    def message(self) -> Posted:
        """The one message there is."""
        (only,) = self.slack.main
        return only

    def click(
        self,
        label: str,
        user: str,
        *,
        message: Posted | None = None,
        **changes: Any,  # noqa: ANN401
    ) -> dict[str, Any]:
        """What Slack sends when somebody presses a button."""
        message = message or self.message
        button = message.buttons[label]
        return {
            "type": "block_actions",
            "user": {"id": user, "username": "someone", "team_id": TEAM},
            "team": {"id": TEAM, "domain": "example"},
            "channel": {"id": message.channel, "name": "releases"},
            "message": {"ts": message.ts},
            "response_url": "https://attacker.example/answer",
            "trigger_id": self.slack.trigger(),
            "actions": [
                {
                    "type": "button",
                    "action_id": button["action_id"],
                    "block_id": "teal_buttons",
                    "value": button["value"],
                    "action_ts": f"{self.stage.clock.now().timestamp():.6f}",
                }
            ],
            **changes,
        }

    def press(self, label: str, user: str) -> str:
        """Press a button of the message; the words that the person reads, if any."""
        return self.send(self.click(label, user))

    def send(self, payload: dict[str, Any]) -> str:
        """Send a click; the words that the person reads."""
        before = len(self.slack.whispers)
        answer = self.post("/slack/actions", {"payload": json.dumps(payload)})
        assert (answer.status_code, answer.content) == (200, b""), answer.text
        return "\n".join(body["text"] for body in self.slack.whispers[before:])

    def submit(self, user: str, reason: str | None, *, view: dict[str, Any] | None = None) -> httpx.Response:
        """Send the dialog that was opened last."""
        view = view or self.slack.views[-1]
        values = {"reason": {"text": {"type": "plain_text_input", "value": reason}}}
        payload = {
            "type": "view_submission",
            "user": {"id": user},
            "team": {"id": TEAM},
            "view": {**view, "state": {"values": values}},
        }
        return self.post("/slack/actions", {"payload": json.dumps(payload)})

    def teal(self, text: str, user: str = OPERATOR, **changes: str) -> dict[str, Any]:
        """Write `/teal …`; the answer."""
        form = {
            "command": "/teal",
            "text": text,
            "user_id": user,
            "team_id": TEAM,
            "channel_id": RELEASES,
            "trigger_id": self.slack.trigger(),
            **changes,
        }
        answer = self.post("/slack/commands", form)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def post(
        self, path: str, form: dict[str, str], *, secret: str = SECRET, **headers: str
    ) -> httpx.Response:
        """A signed request."""
        body, signed = self.slack.signed(form, secret=secret)
        return self.post_raw(path, body, {**signed, **headers})

    def post_raw(self, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        """A request."""

        async def play() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="https://teal.example") as client:
                return await client.post(path, content=body, headers=headers)

        return asyncio.run(play())

    def commands(self, rollout: RolloutId) -> list[str]:
        """The commands that took effect or came too late, in words."""
        found = self.stage.events(rollout)
        return [seen.event.message for seen in found if seen.event.kind.startswith("command_")]
