"""A rollout as a job's summary: Markdown, in which nothing that a person wrote can be more than text."""

import re
from collections.abc import Iterable, Sequence

from api.client.values import Event, Rollout, Step

MARKS = {"succeeded": "✅", "rolled_back": "↩️", "rolling_back": "↩️", "abandoned": "⛔"}
STATES = {"done": "✅ done", "current": "▶️ current", "ahead": "ahead"}
TOLD = 40  # events; the rest is in the server's log


def summary(rollout: Rollout, events: Sequence[Event]) -> str:
    """The summary of a rollout as it was last seen."""
    head = f"## {MARKS.get(rollout.phase, '▶️')} {text(rollout.service)}: {text(rollout.phase)}"
    revision = f"`{code(name(rollout.former) or 'blue')}` → `{code(name(rollout.revision))}`"
    parts = [head, f"{revision} · rollout `{code(rollout.id)}` · started by {text(rollout.author)}"]
    if rollout.reason:
        by = f" (by {text(rollout.by)})" if rollout.by else ""
        parts.append(f"**Because**: {text(rollout.reason)}{by}")
    parts.append(table(["step", "green", "bake", "state"], (_step(one) for one in rollout.steps)))
    if rollout.gates:
        rows = ([text(g.gate), text(g.verdict), text(g.reason)] for g in rollout.gates)
        parts.append(table(["gate", "verdict", "reason"], rows))
    parts += [f"**Held**: {text(h.reason)}; goes on once {text(h.clears_when)}" for h in rollout.holds]
    if events:
        lines = "\n".join(f"- {e.at:%H:%M:%S}Z {text(e.message)}" for e in events[-TOLD:])
        parts.append(f"<details><summary>What happened</summary>\n\n{lines}\n\n</details>")
    return "\n\n".join(parts) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are text already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def text(words: str) -> str:
    """Words as nothing but words: no HTML, no links, images, mentions or cell ends."""
    plain = re.sub(r"\s+", " ", words)
    return re.sub(r"([\\`*_{}\[\]()#|~@!<>&])", lambda found: f"&#{ord(found[1])};", plain)


def code(words: str) -> str:
    """Words between backticks."""
    return re.sub(r"[`|\s]+", " ", words)


def name(arn: str) -> str:
    """family:revision of a task definition."""
    return arn.rpartition("/")[2]


def _step(one: Step) -> list[str]:
    asks = ", then an approval" if one.approval else ""
    state = STATES.get(one.state, text(one.state))
    return [str(one.number), f"{one.weight_percent:g} %", f"{one.bake_seconds:g} s{asks}", state]
