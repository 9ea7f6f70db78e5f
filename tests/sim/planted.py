"""Faults put into the product, one at a time, each of which breaks a promise: does the simulation notice?

``python -m tests.sim.planted [NAME …] [--cpu-seconds 120]`` plays seeds with each until an oracle complains, and prints
which did, at which seed, after how many seconds of CPU; or that the fault survived. A fault is data: its name, the
promise that it breaks, and what it puts in the place of which function of the product.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

from orchestrator.core.cloud.effects import DeregisterScaling, UpdateService
from orchestrator.core.cloud.forward_action import with_weights, without_green
from orchestrator.core.cloud.resources import AlarmSeen, RuleSeen
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.verdict import Answer, Verdict, fail, passed
from orchestrator.core.gates.scene import Colour
from orchestrator.core.rollout import rule_lists
from orchestrator.core.tick.draft import Draft
from orchestrator.core.traffic import rules
from orchestrator.core.traffic.rule_looks import Found, Look
from orchestrator.ports.commands import CommandSeen
from orchestrator.store.memory.store import MemoryStore
from tests.sim.run import play_seed
from tests.support.garbage import look_seldom

Make = Callable[[Any], object]  # from what is there to what is put in its place
CORE = "orchestrator.core."


@dataclass(frozen=True, slots=True)
class Planted:
    """One fault. `places`: (module, attribute, and what makes the fault of what is there)."""

    name: str
    promise: int
    places: tuple[tuple[str, str, Make], ...]


@dataclass(frozen=True, slots=True)
class Caught:
    """How it went: the seed that gave it away (None: it survived), who said so, and what that took."""

    fault: Planted
    seed: int | None
    seeds: int
    cpu_seconds: float
    oracles: tuple[str, ...] = ()
    how: str = ""
    said: dict[str, int] = field(default_factory=dict)  # every oracle that complained: at which seed first

    def __str__(self) -> str:
        took = f"{self.seeds} seeds, {self.cpu_seconds:.0f} CPU-s"
        if self.seed is None:
            return f"{self.fault.name:62} {self.fault.promise:3}  SURVIVED {took}"
        return f"{self.fault.name:62} {self.fault.promise:3}  seed {self.seed} ({took}): {', '.join(self.oracles)}"


@contextmanager
def planted(fault: Planted) -> Iterator[None]:
    """The product with this fault in it."""
    kept: list[tuple[object, str, object]] = []
    try:
        for where, name, make in fault.places:
            owner: Any = import_module(where)
            *path, last = name.split(".")
            for part in path:
                owner = getattr(owner, part)
            was = owner.__dict__[last]
            kept.append((owner, last, was))
            setattr(owner, last, make(was))
        yield
    finally:
        for owner, last, was in reversed(kept):
            setattr(owner, last, was)


def hunt(
    fault: Planted,
    *,
    cpu_seconds: float = 120.0,
    first: int = 0,
    seeds: int | None = None,
    is_thorough: bool = False,
) -> Caught:
    """Play seeds with a fault until one breaks a promise. `is_thorough`: go on, to hear every oracle."""
    began, played, said, found = time.process_time(), 0, dict[str, int](), None
    with planted(fault):
        for seed in range(first, first + (seeds or 10**6)):
            if time.process_time() - began > cpu_seconds:
                break
            broken = play_seed(seed).broken
            played += 1
            for one in broken:
                said.setdefault(one.oracle or "the play", seed)
            if broken and found is None:
                names = tuple(dict.fromkeys(one.oracle or "the play" for one in broken))
                spent = time.process_time() - began
                found = Caught(fault, seed, played, spent, names, str(broken[0]), said)
                if not is_thorough:
                    break
    return found or Caught(fault, None, played, time.process_time() - began)


def _instead(what: object) -> Make:
    return lambda _: what


def _fault(name: str, promise: int, *places: tuple[str, str, Make]) -> Planted:
    return Planted(name, promise, tuple((f"{CORE}{where}", what, make) for where, what, make in places))


def _always(value: object) -> Make:
    """A function that answers this, whatever it is asked."""
    return _instead(lambda *_, **__: value)


def _unless(condition: Callable[..., bool], value: object = None) -> Make:
    """As it was, but where the condition holds of what it is given: then it answers this and does nothing."""

    def make(was: Any) -> object:  # noqa: ANN401 - any function
        def faulty(*given: Any, **named: Any) -> object:  # noqa: ANN401 - any function's
            return value if condition(*given, **named) else was(*given, **named)

        return faulty

    return make


def _in(*phases: Phase) -> Callable[..., bool]:
    return lambda draft, *_, **__: draft.row.phase in phases


def _is(*kinds: CommandKind) -> Callable[..., bool]:
    return lambda draft, command: command.kind in kinds


def _ready_at_once(_: object) -> object:
    def is_ready(draft: Draft, what: str, waiting: str) -> bool:
        draft.change(ready_since=None, waiting_for=waiting or what)
        return not waiting

    return is_ready


def _without_fails(was: Any) -> object:  # noqa: ANN401 - a function
    def ask_gates(draft: Draft, judged: Colour) -> tuple[Answer, ...]:
        answers: tuple[Answer, ...] = was(draft, judged)
        if judged is Colour.GREEN:
            return answers
        return tuple(replace(a, verdict=Verdict.PASS) if a.verdict is Verdict.FAIL else a for a in answers)

    return ask_gates


def _passes(name: str) -> Make:
    return lambda _: lambda *__, **___: passed(name, "it is well")


def _passes_alarms(was: Any) -> object:  # noqa: ANN401 - a function
    def by_state(spec: object, seen: AlarmSeen, scene: object) -> object:
        return was(spec, replace(seen, state="OK", fired_at=None), scene)

    return by_state


def _calls_dead(was: Any) -> object:  # noqa: ANN401 - a function
    def of_targets(service: object, scene: Any) -> object:  # noqa: ANN401 - a scene
        words = "green takes traffic and none of 3 targets is healthy"
        return fail("health", words) if scene.weight > 0 else was(service, scene)

    return of_targets


def _health_holds(was: Any) -> object:  # noqa: ANN401 - a function
    def without_healthy(seen: object, scene: object) -> Answer:
        answer: Answer = was(seen, scene)
        return replace(answer, verdict=Verdict.HOLD, clears_when="a target is healthy", sure_after=None)

    return without_healthy


def _blind_to(*found: Found) -> Make:
    """The looks that found this are passed over."""

    def make(was: Any) -> object:  # noqa: ANN401 - a function
        def faulty(draft: Draft, looks: tuple[Look, ...], **named: object) -> object:
            return was(draft, tuple(look for look in looks if look.found not in found), **named)

        return faulty

    return make


def _looks_as_wanted(was: Any) -> object:  # noqa: ANN401 - a function
    def look(draft: Draft, rule: Any) -> Look:  # noqa: ANN401 - a rule's state
        found: Look = was(draft, rule)
        if draft.row.phase not in (Phase.SHIFTING, Phase.SETTLING):
            return found
        return Look(rule=replace(rule, verified=rule.wanted), found=Found.AS_WRITTEN, actions=found.actions)

    return look


def _waives(was: Any) -> object:  # noqa: ANN401 - a function
    def may_leave(draft: Draft, answers: tuple[Answer, ...]) -> object:
        draft.change(waived_step=draft.row.progress.step)
        return was(draft, answers)

    return may_leave


def _no_bake(was: Any) -> object:  # noqa: ANN401 - a function
    def may_leave(draft: Draft, answers: tuple[Answer, ...]) -> object:
        bake = replace(draft.row.progress.bake, done=timedelta(hours=1))
        draft.change(bake=bake)
        return was(draft, answers)

    return may_leave


def _no_end(was: Any) -> object:  # noqa: ANN401 - a function
    def apply(draft: Draft) -> object:
        ending = was(draft)
        is_back = ending is not None and ending.kind in (CommandKind.ROLLBACK, CommandKind.REJECT)
        return None if is_back else ending

    return apply


def _slow_rollback(was: Any) -> object:  # noqa: ANN401 - a function
    def write_blue(draft: Draft, *rest: object) -> None:
        if draft.row.end is not None and draft.now > draft.row.end.at + timedelta(seconds=12):
            was(draft, *rest)

    return write_blue


def _one_rule_only(was: Any) -> object:  # noqa: ANN401 - a function
    def write_blue(draft: Draft, rule: Any, *rest: object) -> None:  # noqa: ANN401 - a rule's state
        if rule.arn == draft.row.rules[0].arn:
            was(draft, rule, *rest)

    return write_blue


def _by_own_form(_: object) -> object:
    def restore(draft: Draft, rule: Any, seen: RuleSeen) -> None:  # noqa: ANN401 - a rule's state
        green = rule_lists.green_of(draft.row, rule)
        assert green is not None
        mended = without_green(seen.actions, blue=rule.blue_group, green=green)
        rules.ask_write(draft, rule, rules.write_of(rule, mended, None, to_safety=False))

    return restore


def _from_the_first_list(_: object) -> object:
    def without_traffic(rule: Any, actions: object, green: object) -> object:  # noqa: ANN401 - a rule's state
        del actions
        listed = with_weights(rule.base, blue=rule.blue_group, green=green, weight=Tenths(0))
        return listed, Tenths(0)

    return without_traffic


def _loses(was: Any) -> object:  # noqa: ANN401 - a method
    async def add_command(store: MemoryStore, rollout: Any, command: Any, *, check: Any) -> object:  # noqa: ANN401
        if command.kind is CommandKind.PAUSE:
            check(await store.load(rollout))
            return CommandSeen(command=command, state="accepted", text="")  # type: ignore[arg-type]
        return await was(store, rollout, command, check=check)

    return add_command


def _gives_to_all(was: Any) -> object:  # noqa: ANN401 - a method
    """Whoever has not asked for two seconds gets what is due, whoever else holds it."""
    asked: dict[tuple[int, str], datetime] = {}

    async def lease_due(store: MemoryStore, *, owner: str, now: datetime, **named: Any) -> object:  # noqa: ANN401
        last = asked.get((id(store), owner))
        if last is not None and now - last < timedelta(seconds=2):
            return ()
        for row in store._active.values():
            if row.owner not in (None, owner):
                row.owner = row.lease_until = None
        asked[id(store), owner] = now
        return await was(store, owner=owner, now=now, **named)

    return lease_due


def _holds_for_all(_: object) -> object:
    return lambda store, leased: store._rows[leased.stored.rollout.id]


def _commits_anything(was: Any) -> object:  # noqa: ANN401 - a method
    async def commit(store: MemoryStore, leased: Any, decision: Any) -> object:  # noqa: ANN401 - the port's
        row = store._rows[leased.stored.rollout.id]
        stored = replace(leased.stored, version=row.version)
        return await was(store, replace(leased, stored=stored), decision)

    return commit


def _silent_drift(was: Any) -> object:  # noqa: ANN401 - a function
    def hold_for(draft: Draft, looks: tuple[Look, ...]) -> None:
        kept = (Found.UNREAD, Found.DOUBTED, Found.GONE)
        was(draft, tuple(look for look in looks if look.found in kept))

    return hold_for


def _leaps(was: Any) -> object:  # noqa: ANN401 - a function
    def go_to_step(draft: Draft, step: int) -> None:
        last = len(draft.row.plan.steps) - 1
        was(draft, last if step == draft.row.progress.step + 1 else step)

    return go_to_step


def _unread_passes(was: Any) -> object:  # noqa: ANN401 - a function
    def judge_one(spec: object, scene: Any) -> object:  # noqa: ANN401 - a scene
        is_read = any(isinstance(seen, AlarmSeen) for seen in scene.alarms.values())
        return was(spec, scene) if is_read else passed("alarms", "nobody looked")

    return judge_one


def _without_alarms(was: Any) -> object:  # noqa: ANN401 - a function
    return lambda row, now: replace(was(row, now), alarms=(), alarms_since=None)


def _without_rules(was: Any) -> object:  # noqa: ANN401 - a function
    return lambda row, now: replace(was(row, now), rules=(), listeners=())


def _raises(_: object) -> object:
    def write_blue(draft: Draft, rule: Any, held: Any, share: float) -> None:  # noqa: ANN401 - a rule
        green = rule_lists.known_green_of(draft.row, rule)
        weight = Tenths(min(1000, round(share * 1000) + 100))
        is_new = draft.row.end is not None and draft.now < draft.row.end.at + timedelta(seconds=3)
        listed = with_weights(held, blue=rule.blue_group, green=green, weight=weight if is_new else Tenths(0))
        rules.ask_write(
            draft, rule, rules.write_of(rule, listed, weight if is_new else Tenths(0), to_safety=True)
        )

    return write_blue


def _updates_blue(was: Any) -> object:  # noqa: ANN401 - a function
    def check(draft: Draft) -> None:
        was(draft)
        update = UpdateService(
            cluster=draft.blue.cluster,
            service=draft.blue.name,
            task_definition=draft.green.for_blue,
            desired=draft.blue.desired,
            deployment_configuration=None,
            attempt=1,
        )
        draft.ask(update, "update blue too soon")

    return check


def _untold(was: Any) -> object:  # noqa: ANN401 - a method
    def tell(draft: Draft, kind: EventKind, message: str, **facts: Any) -> None:  # noqa: ANN401 - facts
        if kind is not EventKind.EFFECT_ASKED:
            was(draft, kind, message, **facts)

    return tell


def _takes_blues_scaling(was: Any) -> object:  # noqa: ANN401 - a function
    def restore(draft: Draft) -> object:
        if draft.blue.scaling is not None and draft.row.blue_scaling.is_scaling_touched:
            draft.ask(DeregisterScaling(cluster=draft.blue.cluster, service=draft.blue.name), "tidy up")
        return was(draft)

    return restore


def _gives_back_less(was: Any) -> object:  # noqa: ANN401 - a function
    return lambda draft, scaling: was(draft, replace(scaling, min_capacity=max(0, scaling.min_capacity - 1)))


def _other_weight(was: Any) -> object:  # noqa: ANN401 - a function
    def listed(row: Any, rule: Any, weight: Tenths | None) -> object:  # noqa: ANN401 - a row and a rule
        return was(row, rule, Tenths(weight + 40) if weight and weight < 900 else weight)

    return listed


def _with_one_task(was: Any) -> object:  # noqa: ANN401 - a class
    return lambda **given: was(**{**given, "desired": 1})


GIVEN: tuple[Planted, ...] = (
    _fault(
        "a FAIL while watching is passed over",
        3,
        ("phases.shifting", "_failure_ends_it", _unless(_in(Phase.WATCHING), value=False)),
    ),
    _fault("a breaching alarm passes", 3, ("gates.alarms", "_breached", _passes("alarms"))),
    _fault("an alarm that fires passes", 3, ("gates.alarms", "_by_state", _passes_alarms)),
    _fault("no healthy target only holds", 3, ("gates.health", "_without_healthy", _health_holds)),
    _fault(
        "blue short of capacity is no matter",
        1,
        ("phases.shifting", "cannot_take_all", _always("")),
        ("phases.provisioning", "cannot_take_all", _always("")),
    ),
    _fault("every approval is given", 1, ("phases.shifting", "is_approved", _always(True))),
    _fault("no hold is too long", 12, ("decide", "_limit_holds", _always(None))),
    _fault("one look is enough to be ready", 1, ("tick.draft", "Draft.is_ready_twice", _ready_at_once)),
    _fault("a FAIL in settling goes on", 3, ("evaluation.evaluate", "ask_gates", _without_fails)),
    _fault(
        "late creations are forgotten",
        6,
        ("tick.draft", "Draft.may_land_late", _instead(property(lambda _: False))),
    ),
    _fault(
        "green's tasks are stopped at once",
        1,
        ("phases.removing_green", "_empty_at", lambda _: lambda d: d.now),
    ),
    _fault(
        "green leaves the rules before it has drained",
        1,
        ("traffic.leaving_rules", "not_drained", _always("")),
    ),
    _fault("green that somebody raised is left", 10, ("traffic.rules", "write", _blind_to(Found.RAISED))),
    _fault(
        "blue that somebody raised is no rollback",
        10,
        ("phases.shifting", "drift_ends_it", _blind_to(Found.TAKEN_BACK)),
    ),
    _fault("blue's scaling is not restored", 7, ("phases.removing_green", "_restore_scaling", _always(""))),
)
OWN: tuple[Planted, ...] = (
    _fault(
        "a FAIL while shifting is passed over",
        3,
        ("phases.shifting", "_failure_ends_it", _unless(_in(Phase.SHIFTING), value=False)),
    ),
    _fault("steps are left without evidence", 1, ("phases.shifting", "_may_leave", _always(True))),
    _fault("every step is as if promoted", 1, ("phases.shifting", "_may_leave", _waives)),
    _fault("a step takes no time", 1, ("phases.shifting", "_may_leave", _no_bake)),
    _fault("what a gate holds for is forgotten", 1, ("phases.shifting", "_hold_for", _always(None))),
    _fault(
        "green is as large as it happens to be", 1, ("phases.shifting", "hold_until_carried", _always(None))
    ),
    _fault("what was written counts as read", 10, ("traffic.rule_looks", "look", _looks_as_wanted)),
    _fault(
        "rules that are changed or unread hold nothing", 10, ("traffic.rule_looks", "hold_for", _always(None))
    ),
    _fault("drift is not said", 10, ("traffic.rule_looks", "hold_for", _silent_drift)),
    _fault("pauses are said, and not made", 9, ("apply_commands", "_apply", _unless(_is(CommandKind.PAUSE)))),
    _fault(
        "resuming is said, and not done", 9, ("apply_commands", "_apply", _unless(_is(CommandKind.RESUME)))
    ),
    _fault(
        "going back is said, and not done", 9, ("apply_commands", "_apply", _unless(_is(CommandKind.BACK)))
    ),
    _fault(
        "a promotion is said, and not done",
        9,
        ("apply_commands", "_apply", _unless(_is(CommandKind.PROMOTE))),
    ),
    _fault(
        "an approval is said, and not counted",
        9,
        ("apply_commands", "_apply", _unless(_is(CommandKind.APPROVE))),
    ),
    _fault("a rollback is said, and not begun", 9, ("decide", "apply_commands", _no_end)),
    _fault(
        "an abandoned rollout goes on", 9, ("decide", "_abandon", lambda _: lambda draft, __: _live(draft))
    ),
    Planted(
        "pauses are accepted and lost",
        9,
        (("orchestrator.store.memory.store", "MemoryStore.add_command", _loses),),
    ),
    Planted(
        "commands are applied again and again",
        9,
        (("orchestrator.store.memory.rows", "Row.answer", _always(None)),),
    ),
    Planted(
        "a row has two writers",
        5,
        (
            ("orchestrator.store.memory.store", "MemoryStore.lease_due", _gives_to_all),
            ("orchestrator.store.memory.store", "MemoryStore._held", _holds_for_all),
            ("orchestrator.store.memory.store", "MemoryStore.commit", _commits_anything),
        ),
    ),
    Planted(
        "a service may have two rollouts",
        5,
        (("orchestrator.store.memory.store", "MemoryStore._take", _always(None)),),
    ),
    Planted(
        "a rule may have two rollouts",
        5,
        (("orchestrator.engine.tick", "claims_of", _always(frozenset())),),
    ),
    _fault(
        "blue's scale-in is not suspended",
        4,
        ("scaling.blue_floor", "keep", _always(None)),
        ("scaling.blue_floor", "is_held", _always(True)),
    ),
    _fault("a rollback begins after a while", 4, ("phases.rolling_back", "_write_blue", _slow_rollback)),
    _fault(
        "a rollback writes the first rule alone", 3, ("phases.rolling_back", "_write_blue", _one_rule_only)
    ),
    _fault(
        "a rollback writes the list of the start",
        8,
        ("traffic.rules", "without_traffic", _from_the_first_list),
    ),
    _fault(
        "rules get back another form of their list", 8, ("traffic.leaving_rules", "_restore", _by_own_form)
    ),
    _fault(
        "traffic goes back to a blue on the bad revision",
        3,
        ("phases.blue_former", "is_steady_again", _always(True)),
    ),
    _fault("settling does not look at blue", 1, ("phases.settling", "_check_blue", _always(None))),
    _fault("traffic comes home at once", 1, ("phases.settling", "RETURN_STEPS", _instead((Tenths(0),)))),
    _fault(
        "blue need not be ready for traffic to come home",
        1,
        ("phases.settling", "_is_ready_twice", _always(True)),
    ),
    _fault(
        "blue is not looked at in settling",
        1,
        ("phases.settling", "_check_blue", _always(None)),
        ("phases.settling", "_is_ready_twice", _always(True)),
    ),
    _fault(
        "green's targets are not looked at",
        1,
        ("gates.health", "_of_targets", _passes("health")),
        ("phases.shifting", "hold_until_carried", _always(None)),
        ("phases.provisioning", "_is_ready_twice", _always(True)),
    ),
    _fault("a green that is well is called dead", 11, ("gates.health", "_of_targets", _calls_dead)),
    _fault(
        "what is made has no tag", 6, ("phases.preparing", "tags_of", _always((("teal:managed", "true"),)))
    ),
    _fault("green's groups stay", 6, ("phases.removing_green", "_remove_group", _always(""))),
    _fault("green's service stays", 6, ("phases.removing_green", "_remove_green", _always(""))),
    _fault("blue's count is not restored", 7, ("phases.removing_green", "_restore_count", _always(""))),
    _fault(
        "blue's configuration is not restored",
        7,
        ("phases.removing_green", "_restore_configuration", _always("")),
    ),
    _fault("nobody is ever called", 12, ("tick.draft", "Draft.page", _always(None))),
    _fault(
        "one look is enough to fail",
        11,
        ("evaluation.evaluate", "_agreed", lambda _: lambda d, answer, c: answer),
    ),
    _fault(
        "a green that ECS has given up is waited for",
        3,
        ("phases.provisioning", "_follow_start", _always(None)),
    ),
    _fault(
        "green need not be ready for its first traffic",
        1,
        ("phases.provisioning", "_is_ready_twice", _always(True)),
    ),
    _fault("blue is given its former revision late", 4, ("phases.blue_former", "_ask", _always(None))),
    _fault(
        "rules are not read, and count as written",
        10,
        ("phases.shifting", "needs", _without_rules),
        ("traffic.rule_looks", "look", _looks_as_wanted),
    ),
    _fault("a step is skipped", 1, ("phases.shifting", "go_to_step", _leaps)),
    _fault(
        "alarms are not read, and pass",
        2,
        ("phases.shifting", "needs", _without_alarms),
        ("gates.alarms", "_judge_one", _unread_passes),
    ),
    _fault(
        "a rollback gives green more at first",
        3,
        ("phases.rolling_back", "_write_blue", _raises),
        ("decide", "_assert_promises", _always(None)),
    ),
    _fault(
        "blue is updated while green still grows",
        4,
        ("phases.shifting", "_check_both_colours", _updates_blue),
    ),
    _fault("blue takes the revision over with one task", 4, ("phases.settling", "Attempt", _with_one_task)),
    _fault("what is asked for is not told", 6, ("tick.draft", "Draft.tell", _untold)),
    _fault(
        "blue's scaling is taken away", 6, ("phases.removing_green", "_restore_scaling", _takes_blues_scaling)
    ),
    _fault("blue gets a lower minimum back", 7, ("scaling.blue_floor", "_give_back", _gives_back_less)),
    _fault(
        "an old answer is taken for somebody's change",
        11,
        ("traffic.rule_looks", "_is_earlier", _always(False)),
    ),
    _fault("another weight is written than was told", 11, ("traffic.rules", "listed", _other_weight)),
    _fault("the end does not look at the rules", 11, ("phases.last_look", "_rule", _always(()))),
    _fault(
        "people's changes of blue's scaling are lost",
        7,
        ("scaling.blue_floor", "with_theirs", lambda _: lambda k, s: k),
    ),
)
FAULTS: tuple[Planted, ...] = (*GIVEN, *OWN)


def _live(draft: Draft) -> None:
    decide = import_module(f"{CORE}decide")
    decide._live(draft)


def named(names: Iterable[str]) -> tuple[Planted, ...]:
    """The faults whose names hold one of these; all of them where none is named."""
    asked = tuple(names)
    return tuple(fault for fault in FAULTS if not asked or any(one in fault.name for one in asked))


def main() -> int:
    """Hunt each fault that is named; 1 if one survived."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim.planted", description=__doc__)
    parser.add_argument("names", nargs="*", help="faults, by a part of their names; none: all")
    parser.add_argument("--cpu-seconds", type=float, default=120.0, help="for each fault, at most")
    parser.add_argument("--start", type=int, default=0, help="the first seed")
    parser.add_argument(
        "--thorough", action="store_true", help="go on after the first complaint, to hear every oracle"
    )
    asked = parser.parse_args()
    look_seldom()
    found = []
    for fault in named(asked.names):
        caught = hunt(fault, cpu_seconds=asked.cpu_seconds, first=asked.start, is_thorough=asked.thorough)
        found.append(caught)
        print(caught, flush=True)
        if asked.thorough:
            print(f"    {caught.said}", flush=True)
    survived = [caught.fault.name for caught in found if caught.seed is None]
    print(
        f"{len(found) - len(survived)} of {len(found)} faults caught; survived: {', '.join(survived) or 'none'}"
    )
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
