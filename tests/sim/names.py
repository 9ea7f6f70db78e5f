"""The kinds of trouble by name: which of them a scenario has, so that it can be counted how often each is drawn."""

from datetime import timedelta

from orchestrator.core.rollout.spec import Ending
from sandbox.world.kernel.faults import Fault
from tests.sim.scenario import Scenario

LATE_LONG = timedelta(seconds=25)


def name_of_fault(fault: Fault) -> str:
    """Of one call to AWS that fails."""
    if fault.ahead:
        return "call: late, signed ahead"
    if fault.when == "late":
        return "call: late by more than 25 s" if fault.delay > LATE_LONG else "call: late"
    return f"call: fails {fault.when} it took effect"


def drawn(scenario: Scenario) -> frozenset[str]:
    """The kinds of trouble that a scenario has."""
    found = {name_of_fault(fault) for fault in scenario.faults}
    found |= {f"store: {spell.kind}" for spell in scenario.spells}
    found |= {f"commit: {one.kind}" for one in scenario.commits}
    found |= {f"stopped: {stop.where}" for stop in scenario.stops}
    found |= {f"gate: {gate}" for gate in scenario.gates}
    found |= {f"somebody {edit.what}" for edit in scenario.edits}
    found |= {f"blue {mishap.what}" for mishap in scenario.mishaps}
    found |= _of_commands(scenario)
    says = {
        "SQL store": scenario.store == "sql",
        "killed": bool(scenario.deaths),
        "upgrade": bool(scenario.upgrades),
        "two engines": scenario.workers > 1,
        "clock stepped": bool(scenario.clock_steps),
        "outage": bool(scenario.outages),
        "several rollouts": bool(scenario.neighbours),
        "another start": bool(scenario.starts),
        "freeze": bool(scenario.closed),
        "alarm state by hand": bool(scenario.by_hand),
        "dead hook": scenario.dead_hook,
        "a hook is told": scenario.is_told,
        "one way": scenario.one_way,
        "plan auto": scenario.plan.auto is not None,
        "test rule": scenario.test_rule,
        "sticky base": scenario.sticky,
        "green stays": scenario.ending is not Ending.SETTLE,
        "no room": scenario.room is not None,
        "blue in settling": scenario.blue_in_settling != "good",
        "reads go back": bool(scenario.behind),
    }
    return frozenset(found | {name for name, is_so in says.items() if is_so})


def _of_commands(scenario: Scenario) -> set[str]:
    found = {f"command: {command.kind}" for command in scenario.commands}
    found |= {f"command: {command.again} again" for command in scenario.commands if command.again}
    return found | {"command: two at once" for command in scenario.commands if command.together}
