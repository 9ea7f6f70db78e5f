"""The Slack door's calls, for the app that is made of all doors."""

from fastapi import FastAPI

from api.slack import actions, commands
from api.slack.slack_state import door_of
from orchestrator.bootstrap import BehindDoors
from orchestrator.settings import Settings

ROUTERS = (actions.router, commands.router)


def install(app: FastAPI, engine: BehindDoors, settings: Settings) -> None:
    """Answer Slack, where the settings set its app up; without, nothing answers at these paths."""
    door = door_of(engine, settings)
    if door is None:
        return
    app.state.slack = door
    for router in ROUTERS:
        app.router.routes += router.routes  # as they are, like those of the HTTP door
