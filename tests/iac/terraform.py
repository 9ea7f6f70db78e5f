"""``terraform plan`` and ``terraform apply`` for the blocks of docs/terraform.md, against the World.

A plan refreshes every resource by its Describe calls, compares what the blocks declare (less what ``ignore_changes``
names) with what was read, and keeps both: applied later, it sends what was planned then, as a saved plan does.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from sandbox.world.world import World
from tests.iac import hcl
from tests.iac.definitions import DEFINITION
from tests.iac.groups import GROUP
from tests.iac.hcl import Block, Unwritten, Value
from tests.iac.kind import Attributes, Kind
from tests.iac.listener_rules import LISTENER, RULE
from tests.iac.scaling import ACTION, POLICY, TARGET
from tests.iac.services import SERVICE

KINDS: Mapping[str, Kind] = {
    "aws_lb_target_group": GROUP,
    "aws_lb_listener": LISTENER,
    "aws_lb_listener_rule": RULE,
    "aws_ecs_task_definition": DEFINITION,
    "aws_ecs_service": SERVICE,
    "aws_appautoscaling_target": TARGET,
    "aws_appautoscaling_policy": POLICY,
    "aws_appautoscaling_scheduled_action": ACTION,
}
EXTERNAL = re.compile(r'(data\.external\.\w+)\.result\["(\w+)"\]')
Program = Callable[[list[str], Mapping[str, str]], Mapping[str, str]]  # what is run with which query
NOT_THE_PROVIDERS = frozenset({"depends_on", "lifecycle"})  # Terraform's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One attribute that an apply would change."""

    address: str
    attribute: str
    was: Value
    wanted: Value

    def __str__(self) -> str:
        return f"{self.address}.{self.attribute}: {self.was!r} -> {self.wanted!r}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an apply would change, and with which values."""

    changes: tuple[Change, ...]
    planned: Mapping[str, Attributes]  # by address, whole, of what changes

    @property
    def attributes(self) -> frozenset[str]:
        """What changes: ``address.attribute``."""
        return frozenset(f"{change.address}.{change.attribute}" for change in self.changes)


def edited(
    blocks: Iterable[Block], address: str, *, ignoring: tuple[str, ...] | None = None, **attributes: Value
) -> tuple[Block, ...]:
    """The same blocks, one of them with other attributes, or with another list of what is ignored."""
    return tuple(
        _edited(block, ignoring, attributes) if block.address == address else block for block in blocks
    )


def _edited(block: Block, ignoring: tuple[str, ...] | None, attributes: Mapping[str, Value]) -> Block:
    inner = block.blocks
    if ignoring is not None:
        inner = tuple(each for each in inner if each.kind != "lifecycle")
        listed = [hcl.Reference(name) for name in ignoring]
        inner += (Block("lifecycle", (), {"ignore_changes": listed}, ()),)
    return replace(block, attributes={**block.attributes, **attributes}, blocks=inner)


def _run_nothing(program: list[str], _: Mapping[str, str]) -> Mapping[str, str]:
    raise AssertionError(f"nothing answers {program}")


class Terraform:
    """A configuration with its state: the ids of what it made."""

    def __init__(
        self, world: World, blocks: Iterable[Block], known: Mapping[str, Value], run: Program = _run_nothing
    ) -> None:
        self.world = world
        self.whole = tuple(blocks)
        self.blocks = tuple(block for block in self.whole if block.kind == "resource")
        self.known = dict(known)  # what the blocks refer to and do not make themselves
        self.run = run  # what answers ``data "external"``
        self.state: dict[str, str] = {}  # ids by address

    def create(self) -> None:
        """The first apply: makes everything, each after what it refers to."""
        left = list(self.blocks)
        while left:
            ready = [block for block in left if self._is_ready(block)]
            assert ready, f"nothing answers what these refer to: {[block.address for block in left]}"
            for block in ready:
                kind = KINDS[block.labels[0]]
                self.state[block.address] = kind.create(self.world, kind.defaults | self._declared(block))
            left = [block for block in left if block not in ready]

    def plan(self) -> Plan:
        """What an apply would change now."""
        changes: list[Change] = []
        planned: dict[str, Attributes] = {}
        for block in self.blocks:
            kind, declared = KINDS[block.labels[0]], self._declared(block)
            read = kind.read(self.world, self.state[block.address], declared)
            assert read is not None, f"{block.address} is gone: an apply would make it anew"
            wanted = {**kind.defaults, **declared}
            wanted = {name: _filled(wanted.get(name, read[name]), read[name]) for name in read}
            wanted |= {name: read[name] for name in _ignored(block)}
            differing = [name for name in read if wanted[name] != read[name]]
            changes += [
                Change(address=block.address, attribute=name, was=read[name], wanted=wanted[name])
                for name in differing
            ]
            if differing:
                planned[block.address] = wanted
        return Plan(changes=tuple(changes), planned=planned)

    def apply(self, plan: Plan | None = None) -> Plan:
        """Send what a plan says; one made now unless an earlier one is given."""
        plan = plan or self.plan()
        for block in self.blocks:
            changed = [each.attribute for each in plan.changes if each.address == block.address]
            if changed:
                self._change(block, plan.planned[block.address], changed)
        return plan

    def _change(self, block: Block, wanted: Attributes, changed: list[str]) -> None:
        kind, former = KINDS[block.labels[0]], self.state[block.address]
        if not kind.is_replaced:
            kind.update(self.world, former, wanted, changed)
            return
        assert kind.delete is not None
        kind.delete(self.world, former, wanted)
        self.state[block.address] = kind.create(self.world, wanted)

    def written_as(self, texts: Iterable[str]) -> "Terraform":
        """The same state under another text."""
        return self._with(block for text in texts for block in hcl.parse(text))

    def edit(
        self, address: str, *, ignoring: tuple[str, ...] | None = None, **attributes: Value
    ) -> "Terraform":
        """The same state under other blocks, as after an edit of the configuration."""
        return self._with(edited(self.whole, address, ignoring=ignoring, **attributes))

    def _with(self, blocks: Iterable[Block]) -> "Terraform":
        other = Terraform(self.world, blocks, self.known, self.run)
        gone = {
            block.attributes["from"].path
            for block in other.whole
            if block.kind == "removed" and _forgets(block)
        }
        other.state = {address: made for address, made in self.state.items() if address not in gone}
        left = other.state.keys() - {block.address for block in other.blocks}
        assert not left, f"an apply would destroy {left}"
        return other

    def _is_ready(self, block: Block) -> bool:
        try:
            self._declared(block)
            hcl.answered(block.attributes.get("depends_on", []), self._made)
        except Unwritten:
            return False
        return True

    def _declared(self, block: Block) -> Attributes:
        return KINDS[block.labels[0]].normal(self._members(block))

    def _members(self, block: Block) -> Attributes:
        """Attributes and blocks alike, as the provider's schema has them: a block is a list of its contents."""
        found = {
            name: hcl.answered(value, self._know)
            for name, value in block.attributes.items()
            if name not in NOT_THE_PROVIDERS
        }
        for inner in block.blocks:
            if inner.kind not in NOT_THE_PROVIDERS:
                found.setdefault(inner.kind, []).append(self._members(inner))
        return found

    def _know(self, path: str) -> Value:
        if path in self.known:
            return self.known[path]
        for block in self.whole:
            if block.kind == "locals" and path.startswith("local."):
                return hcl.answered(block.attributes[path.removeprefix("local.")], self._know)
        if found := EXTERNAL.fullmatch(path):
            return self._external(found.group(1))[found.group(2)]
        address, _, attribute = path.rpartition(".")
        if address not in self.state:
            raise Unwritten(path)
        return KINDS[address.partition(".")[0]].names(self.state[address])[attribute]

    def _external(self, address: str) -> Mapping[str, str]:
        (block,) = (block for block in self.whole if block.address == address)
        return self.run(block.attributes["program"], block.attributes["query"])

    def _made(self, path: str) -> Value:
        if path not in self.state:
            raise Unwritten(path)
        return self.state[path]


def _ignored(block: Block) -> list[str]:
    lifecycle = block.inner("lifecycle")
    return [each.path for each in lifecycle.attributes["ignore_changes"]] if lifecycle else []


def _forgets(block: Block) -> bool:
    lifecycle = block.inner("lifecycle")
    return lifecycle is not None and lifecycle.attributes["destroy"] is False


def _filled(wanted: Value, read: Value) -> Value:
    """What nested blocks leave out is computed: as it is read."""
    if isinstance(wanted, dict) and isinstance(read, dict):
        return {**read, **{name: _filled(value, read.get(name)) for name, value in wanted.items()}}
    if isinstance(wanted, list) and isinstance(read, list) and len(wanted) == len(read):
        return [_filled(one, other) for one, other in zip(wanted, read, strict=True)]
    return wanted
