"""What Slack sends for clicks and dialogs, as far as Teal reads it; the rest is passed over."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, TypeAdapter


class Named(BaseModel):
    """Anything that Slack names by an id."""

    id: str


class UserPart(BaseModel):
    """Who pressed. ``team_id`` is their own workspace, which in a shared channel may be another than the app's."""

    id: str
    team_id: str = ""


class ActionPart(BaseModel):
    """The button."""

    action_id: str
    value: str = ""
    action_ts: str = ""


class Clicked(BaseModel):
    """A button was pressed (``block_actions``)."""

    type: Literal["block_actions"]
    user: UserPart
    team: Named | None = None
    channel: Named | None = None
    actions: list[ActionPart] = Field(min_length=1, max_length=25)
    trigger_id: str = ""


class InputPart(BaseModel):
    """What was typed."""

    value: str | None = None


class StatePart(BaseModel):
    """What a dialog's inputs hold, by block and action."""

    values: dict[str, dict[str, InputPart]] = {}


class ViewPart(BaseModel):
    """The dialog."""

    id: str
    callback_id: str = ""
    private_metadata: str = ""
    state: StatePart = StatePart()


class Submitted(BaseModel):
    """A dialog was sent (``view_submission``)."""

    type: Literal["view_submission"]
    user: UserPart
    team: Named | None = None
    view: ViewPart


class Closed(BaseModel):
    """A dialog was closed: nothing is wanted."""

    type: Literal["view_closed"]


Payload = Annotated[Clicked | Submitted | Closed, Field(discriminator="type")]
PAYLOAD: TypeAdapter[Clicked | Submitted | Closed] = TypeAdapter(Payload)


def team_of(payload: Clicked | Submitted) -> str:
    """The workspace of the person who pressed."""
    return payload.user.team_id or (payload.team.id if payload.team else "")
