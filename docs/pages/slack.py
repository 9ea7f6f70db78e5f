"""docs/slack.md: how to set Teal's app up, and the message in its states as the code makes it."""

import re
from typing import Any

from api.slack.commands import HELP
from docs.pages.markdown import code, document, table
from docs.pages.slack_scenes import SCENES, Scene
from orchestrator.core.domain.roles import ROLE_FOR, Role
from orchestrator.notify.slack.buttons import ASKS_WHY, HOLDS_AT_ANY_STEP, WORDS
from orchestrator.notify.slack.message import render
from orchestrator.ports.rollouts import Stored

_DATE = re.compile(r"<!date\^[^|]*\|([^>]*)>")

SET_UP = """
1. Create the app from [`helm-free/slack-manifest.yaml`](../helm-free/slack-manifest.yaml): at api.slack.com/apps,
   *Create New App*, *From a manifest*, with your server's address in both places. Slack must reach that address over
   HTTPS; nothing else of Teal need be open to it but `/slack/actions` and `/slack/commands`.
2. Install it to the workspace. *OAuth & Permissions* shows the bot's token (`xoxb-…`), *Basic Information* the signing
   secret. Keep both where the [settings](settings.md) point to; neither is ever in a log, an error or an event.
3. Invite the app to the channel: `/invite @teal`. Name the channel by its id (`C…`, at the end of *View channel
   details*): a name works too, but then Teal cannot look for its own message after a crash.
4. Name the people, with their Slack ids (*Profile*, *Copy member ID*), their roles and groups:
""".strip()

SETTINGS = """
slack:
  token: {env: TEAL_SLACK_TOKEN}
  signing_secret: {env: TEAL_SLACK_SIGNING_SECRET}
  channel: C024BE91L
  team: T1H9RESGL                      # requests of other workspaces are refused
  groups: {approvers: S0615G0KT}       # which user group to mention for which group of people
people:
  - {name: author@example.com, slack: U024BE7LH, role: approver, groups: [approvers]}
"""

ACCESS = """
A request is accepted if Slack signed its very bytes within the last five minutes; nothing else lets anybody in, and no
token is asked for. The user's id names a person of the settings: their name is the same at every door, so
`not_author`, `approvers` and `required` hold in Slack as they do in a terminal. Whoever is not named there, has no role
that suffices, or is limited to other services, reads so in words that they alone see. A person without a `role` may
look, and do nothing. Every click and command that was to change something is in the audit log of calls, refused ones
too.
""".strip()

CLICKS = """
A button is bound to the rollout and the step it was shown for. Pressed late, it is answered in words and does nothing,
but for {safe}: what stops a rollout or takes traffic off green is obeyed at any step, and the answer says which step
it is by now. {asking} ask for a reason in a dialog first. A double click, and a click that is sent twice, is one
command. Slack is answered within three seconds whatever AWS does, since a click only writes to the store; the next
look at the rollout applies it. No replica keeps anything to itself, so any of them may answer. Teal never sends
anything to an address that a request carries.
""".strip()

MENTIONS = """
When an approval waits, when a rollback begins and when Teal needs a person, those who may approve are mentioned in the
message's thread, once each: the `approvers` of the rollout file (`group:NAME` by `slack.groups`, people by their Slack
id), or the group `approvers` of the settings where the file names none.
""".strip()

TWICE = """
Delivery is at least once. Rollouts go on whether Slack answers or not; what could not be sent is sent later, in order,
and Slack's `Retry-After` is kept. Slack gives apps no key by which a repeated post would be known, so Teal looks for
the message of a rollout (by its metadata, `teal_rollout`) before it posts one that may be the second. That needs
`channels:history` (`groups:history` in private channels) and a channel that is named by its id; without, a process that
ends within the moment between Slack's answer and its own commit leaves two messages, of which the newer one is kept up
to date. A line of the thread may come twice after such an end. A message that somebody deleted is posted anew.
""".strip()


def page() -> str:
    """The page's text."""
    return document(
        "Slack",
        "`docs/pages/slack.py`, `orchestrator/notify/slack/message.py` and `api/slack/`",
        "One message per rollout, changed in place as it moves, with buttons; the details in its thread; and `/teal`.",
        "## Set-up",
        SET_UP,
        code(SETTINGS.strip(), "yaml"),
        "## Who may do what",
        ACCESS,
        table(
            ["button", "least role", "asks why", "at a later step"],
            [
                [
                    WORDS[kind],
                    ROLE_FOR[kind].value,
                    "yes" if kind in ASKS_WHY else "no",
                    "obeyed" if kind in HOLDS_AT_ANY_STEP else "refused",
                ]
                for kind in WORDS
            ],
        ),
        f"`/teal list` and `/teal status` take the role {Role.VIEWER.value}; the other words are the buttons'.",
        "## Clicks",
        CLICKS.format(
            safe=" and ".join(WORDS[kind] for kind in WORDS if kind in HOLDS_AT_ANY_STEP),
            asking=" and ".join(WORDS[kind] for kind in WORDS if kind in ASKS_WHY),
        ),
        "## `/teal`",
        code(HELP.replace("`", "")),
        "## Mentions",
        MENTIONS,
        "## What may come twice",
        TWICE,
        "## The message",
        "As text; Slack shows times in the reader's zone, and buttons where the brackets are.",
        *(part for scene in SCENES for part in (f"### {scene.title}", code(as_text(scene)))),
    )


def as_text(scene: Scene) -> str:
    """A scene's message as text."""
    message = render(Stored(rollout=scene.row, version=1, wake_at=None), scene.acts)
    return "\n".join(_block(block) for block in message.blocks)


def _block(block: dict[str, Any]) -> str:
    match block["type"]:
        case "header":
            return f"{block['text']['text']}\n"
        case "actions":
            return " ".join(f"[{button['text']['text']}]" for button in block["elements"]) + "\n"
        case "context":
            return _read(block["elements"][0]["text"])
        case _:
            return f"{_read(block['text']['text'])}\n"


def _read(text: str) -> str:
    """Slack's markup as it is read: dates as their fallback, the three escapes undone, no marks."""
    text = _DATE.sub(r"\1", text).replace("*", "").replace("`", "")
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
