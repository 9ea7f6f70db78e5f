"""Faults in core/domain: the words of the domain, and the chain of the log."""

from tests.mutants.fault import Fault

EVENT_CHAIN = "orchestrator/core/domain/event_chain.py"
PHASES = "orchestrator/core/domain/phases.py"
COMMANDS = "orchestrator/core/domain/commands.py"
CALENDAR = "orchestrator/core/domain/calendar.py"
PLAN = "orchestrator/core/domain/plan.py"

BY_EVENT_CHAIN = "tests/core/domain/test_event_chain.py"
BY_HOLDS = "tests/core/test_holds.py"
BY_ROLLING_BACK = "tests/core/phases/test_rolling_back.py"
BY_CALENDAR = "tests/core/domain/test_calendar.py"
BY_SETTLING = "tests/core/phases/test_settling.py"

FAULTS = (
    Fault(
        name="the chain leaves the number out",
        file=EVENT_CHAIN,
        text="hashed = [before, rollout, number, event.kind,",
        instead="hashed = [before, rollout, event.kind,",
        breaks="A log in which events changed places is broken.",
        caught_by=(
            f"{BY_EVENT_CHAIN}::test_a_link_is_the_hash_of_the_one_before_the_rollout_the_number_and_the_whole_event",
        ),
    ),
    Fault(
        name="the chain leaves the facts out",
        file=EVENT_CHAIN,
        text="event.message, dict(event.facts)]",
        instead="event.message]",
        breaks="A log in which a fact was changed is broken.",
        caught_by=(
            f"{BY_EVENT_CHAIN}::test_a_link_is_the_hash_of_the_one_before_the_rollout_the_number_and_the_whole_event",
        ),
    ),
    Fault(
        name="the chain leaves the rollout out",
        file=EVENT_CHAIN,
        text="hashed = [before, rollout, number,",
        instead="hashed = [before, number,",
        breaks="A log that was copied from another rollout is broken.",
        caught_by=(
            f"{BY_EVENT_CHAIN}::test_a_link_is_the_hash_of_the_one_before_the_rollout_the_number_and_the_whole_event",
        ),
    ),
    Fault(
        name="the chain leaves the time out",
        file=EVENT_CHAIN,
        text="event.at.isoformat(), event.message",
        instead="event.message",
        breaks="A log in which a time was changed is broken.",
        caught_by=(
            f"{BY_EVENT_CHAIN}::test_a_link_is_the_hash_of_the_one_before_the_rollout_the_number_and_the_whole_event",
        ),
    ),
    Fault(
        name="the chain has no links",
        file=EVENT_CHAIN,
        text="hashed = [before, rollout,",
        instead="hashed = [str(), rollout,",
        breaks="A log from which an event was taken out is broken.",
        caught_by=(
            f"{BY_EVENT_CHAIN}::test_a_link_is_the_hash_of_the_one_before_the_rollout_the_number_and_the_whole_event",
        ),
    ),
    Fault(
        name="settling is on blue's side",
        file=PHASES,
        text=(
            "return self in (Phase.PENDING, Phase.PREPARING, Phase.PROVISIONING, Phase.SHIFTING, "
            "Phase.WATCHING)"
        ),
        instead=(
            "return self in (Phase.PENDING, Phase.PREPARING, Phase.PROVISIONING, Phase.SHIFTING, "
            "Phase.WATCHING, Phase.SETTLING)"
        ),
        breaks="Once the watch has passed green is the safe side.",
        caught_by=(f"{BY_HOLDS}::test_in_settling_a_hold_calls_people_and_never_rolls_back",),
    ),
    Fault(
        name="a rollback cannot be ordered in settling",
        file=COMMANDS,
        text="Phase.SETTLING: frozenset({_K.PAUSE, _K.RESUME, _K.ROLLBACK, _K.ABANDON}),",
        instead="Phase.SETTLING: frozenset({_K.PAUSE, _K.RESUME, _K.ABANDON}),",
        breaks="A rollback can be ordered until green is gone.",
        caught_by=(
            f"{BY_ROLLING_BACK}::test_a_rollback_in_settling_gives_blue_its_former_revision_and_leaves_the_weights",
        ),
    ),
    Fault(
        name="a freeze binds nobody",
        file=CALENDAR,
        text=(
            "        return not self.services or any(fnmatchcase(service, pattern) for pattern in "
            "self.services)"
        ),
        instead="        return any(fnmatchcase(service, pattern) for pattern in self.services)",
        breaks="A freeze without services is for every service.",
        caught_by=(
            f"{BY_CALENDAR}::test_a_freeze_is_for_the_services_it_names_and_for_all_where_it_names_none",
        ),
    ),
    Fault(
        name="blue gets everything back in one step",
        file=PLAN,
        text=("    Tenths(900),\n    Tenths(500),\n    NONE,\n)"),
        instead=("    NONE,\n    NONE,\n    NONE,\n)"),
        breaks="Traffic returns to blue in three steps.",
        caught_by=(f"{BY_SETTLING}::test_traffic_comes_home_only_after_two_looks_at_a_steady_blue",),
    ),
)
