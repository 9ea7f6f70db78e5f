"""A proposal as the text of a rollout file: only what differs from a default, with its remarks as comments.

The text reads back as the very same Spec; whatever AWS calls its things, no name breaks out of a comment.
"""

from io import StringIO

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from orchestrator.config.rollout_file.dump import document_of
from orchestrator.config.rollout_file.load import load_text, minimal
from orchestrator.config.rollout_file.proposal import Proposal
from orchestrator.config.text.yaml_document import Value
from orchestrator.core.rollout.spec import Spec

WIDTH = 100
FIRST = ("service", "revision", "account", "region", "traffic", "plan", "gates")
ALWAYS = frozenset({"service", "revision", "plan"})


def write(proposal: Proposal) -> str:
    """The file's text. Raises AssertionError if it would not read back as the proposal's spec."""
    whole = _tree(_kept(proposal.spec))
    remarks = dict(proposal.remarks)
    if "traffic" not in whole:  # what is not written has its remarks where it would stand
        remarks["plan"] = (*remarks.pop("traffic", ()), "", *remarks.get("plan", ()))
    for key in list(whole):
        _before(whole, str(key), remarks.get(str(key), ()), indent=0)
    gates = whole.get("gates")
    if isinstance(gates, CommentedMap):
        for key in list(gates):
            _before(gates, str(key), remarks.get(f"gates.{key}", ()), indent=2)
    out = StringIO()
    writer = YAML()
    writer.width = 10_000  # a long name stays on one line
    writer.indent(mapping=2, sequence=4, offset=2)
    writer.dump(whole, out)
    missing = [key for key in ("metrics", "end") if key not in whole]
    tail = [line for key in missing for line in _lines(remarks.get(key, ()), 0)]
    text = "\n".join([*_lines(remarks.get("", ()), 0), out.getvalue().rstrip(), "", *tail]).rstrip() + "\n"
    assert load_text(text) == proposal.spec, "the file does not say what was proposed"
    return text


def _kept(spec: Spec) -> dict[str, Value]:
    """What the file has to say: what a person must write, and what is not the default."""
    default = document_of(minimal(spec.service.path, spec.task_definition))
    wanted = document_of(spec)
    kept = {key: value for key, value in wanted.items() if key in ALWAYS or value != default.get(key)}
    gates, usual = wanted["gates"], default["gates"]
    assert isinstance(gates, dict)
    assert isinstance(usual, dict)
    kept["gates"] = {key: value for key, value in gates.items() if key == "alarms" or value != usual.get(key)}
    rest = [key for key in kept if key not in FIRST]
    return {key: kept[key] for key in (*(key for key in FIRST if key in kept), *rest)}


def _tree(value: Value) -> CommentedMap:
    made = _commented(value)
    assert isinstance(made, CommentedMap)
    return made


def _commented(value: Value) -> Value:
    if isinstance(value, dict):
        return CommentedMap((key, _commented(member)) for key, member in value.items())
    if isinstance(value, list):
        return CommentedSeq(_commented(member) for member in value)
    return value


def _before(holder: CommentedMap, key: str, remarks: tuple[str, ...], *, indent: int) -> None:
    lines = [line.strip().removeprefix("#").removeprefix(" ") for line in _lines(remarks, indent)]
    holder.yaml_set_comment_before_after_key(
        key, before="\n".join(["", *lines] if indent == 0 else lines), indent=indent
    )


def _lines(remarks: tuple[str, ...], indent: int) -> list[str]:
    """Remarks as comment lines; whatever could end a line in them becomes a space."""
    found: list[str] = []
    for remark in remarks:
        lead = " " * (len(remark) - len(remark.lstrip()))
        after = f"{lead}  " if lead else ""  # of the lines that follow; what is listed hangs
        line = ""
        for word in remark.split():
            safe = "".join(sign if sign.isprintable() else " " for sign in word)
            if line and len(line) + len(safe) + 1 > WIDTH - indent:
                found.append(f"# {lead}{line}")
                lead, line = after, safe
            else:
                line = f"{line} {safe}".strip()
        found.append(f"# {lead}{line}".rstrip())
    return found
