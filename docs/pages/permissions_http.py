"""docs/permissions-http.md: which role may make which call, from the table that the door enforces."""

from api.app import calls
from api.auth.roles import FOR_ALL_SERVICES, Open, needed_for, words_for
from docs.pages.markdown import document, table
from orchestrator.core.domain.roles import Role


def page() -> str:
    """The page's text."""
    return document(
        "Who may call what",
        "`api/auth/roles.py`",
        "A role may do all that those before it may. The same table holds at every door: what an operator may not do "
        "over HTTP, they may not do in Slack.",
        table(
            ["call", "operation id", "no token", *Role],
            [
                [f"`{method} {path}`", f"`{name}`", *(_mark(yes) for yes in may(name))]
                for name, method, path in calls()
            ],
        ),
        "The calls "
        + ", ".join(f"`{name}`" for name in sorted(FOR_ALL_SERVICES))
        + " also need somebody who is not limited to some services. For somebody who is, lists leave out the other "
        "services, their rollouts are answered with 404 as if they were not there, and starting one for them with 403.",
        "`POST /slack/actions` and `POST /slack/commands` take "
        f"{words_for(Open.SIGNED)}: Slack does, and the settings say who its users are.",
    )


def may(call: str) -> tuple[bool, ...]:
    """Whether a call may be made without a token, then by each role."""
    needed = needed_for(call)
    if isinstance(needed, Open):
        return (True,) * (1 + len(Role))
    return (False, *(role.covers(needed) for role in Role))


def _mark(yes: bool) -> str:
    return "yes" if yes else "–"
