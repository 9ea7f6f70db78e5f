"""Faults in core/traffic: listener rules."""

from tests.mutants.fault import Fault

RULES = "orchestrator/core/traffic/rules.py"
RULE_LOOKS = "orchestrator/core/traffic/rule_looks.py"
DRIFT = "orchestrator/core/traffic/drift.py"
LEAVING_RULES = "orchestrator/core/traffic/leaving_rules.py"
STICKY_SESSIONS = "orchestrator/core/traffic/sticky_sessions.py"
SWAP_RULES = "orchestrator/core/traffic/swap_rules.py"

BY_RULES = "tests/core/traffic/test_rules.py"
BY_ROLLING_BACK = "tests/core/phases/test_rolling_back.py"
BY_SETTLING = "tests/core/phases/test_settling.py"
BY_STALE_READS = "tests/core/traffic/test_stale_reads.py"
BY_SHIFTING = "tests/core/phases/test_shifting.py"
BY_REMOVING_GREEN = "tests/core/phases/test_removing_green.py"
BY_13_STICKY_SESSIONS = "tests/cases/test_13_sticky_sessions.py"
BY_RETIRING = "tests/core/phases/test_retiring.py"

FAULTS = (
    Fault(
        name="to safety is the wrong way",
        file=RULES,
        text="to_safety = change < 0 if safe_is_less else change > 0",
        instead="to_safety = change > 0 if safe_is_less else change < 0",
        breaks="A write that takes traffic off the colour under suspicion waits for nothing.",
        caught_by=(f"{BY_RULES}::test_writes_lead_from_what_is_seen_to_what_is_wanted",),
    ),
    Fault(
        name="green that somebody raised stays so",
        file=RULES,
        text="mends = found.found is Found.RAISED and safe_is_less",
        instead="mends = found.found is Found.RAISED and not safe_is_less",
        breaks="A weight of green that somebody raised is taken back at once.",
        caught_by=(f"{BY_RULES}::test_writes_lead_from_what_is_seen_to_what_is_wanted",),
    ),
    Fault(
        name="somebody's change is written over",
        file=RULES,
        text=("        if found.found is not Found.AS_WRITTEN and not mends:\n            continue\n"),
        instead="",
        breaks="A rule that somebody changed or that could not be read is left alone.",
        caught_by=(f"{BY_RULES}::test_writes_lead_from_what_is_seen_to_what_is_wanted",),
    ),
    Fault(
        name="a rule is written whatever it holds",
        file=RULES,
        text="write_of(rule, actions, weight, to_safety=to_safety, expects=found.actions)",
        instead="write_of(rule, actions, weight, to_safety=to_safety)",
        breaks="A rule is written only while it holds what the decision was made from.",
        caught_by=(f"{BY_RULES}::test_a_write_stands_only_while_the_rule_holds_what_it_was_decided_from",),
    ),
    Fault(
        name="sticky users stay on green",
        file=RULES,
        text=(
            "    if cookie_life(actions):\n        return without_green_at_all(rule, actions, green), None\n"
        ),
        instead="",
        breaks="A rollback frees users whom a cookie keeps on green.",
        caught_by=(
            f"{BY_ROLLING_BACK}::test_users_whom_a_cookie_keeps_on_green_are_freed_by_greens_leaving_the_rule",
        ),
    ),
    Fault(
        name="a rule is at its weight once it reads so",
        file=RULES,
        text="return all(rule.verified == weight and not rule.is_unwritten for rule in row.rules)",
        instead="return all(rule.verified == weight for rule in row.rules)",
        breaks="A weight counts once it was written last and read back.",
        caught_by=(
            f"{BY_SETTLING}::test_a_write_that_is_not_wanted_any_more_is_written_over_and_not_believed_to_be_unwritten",
        ),
    ),
    Fault(
        name="a weight that may land is not remembered",
        file=RULES,
        text=(
            "                if weight is None or weight in rule.intended\n"
            "                else (*rule.intended, weight),"
        ),
        instead=(
            "                if weight is None or weight in rule.intended\n                else (weight,),"
        ),
        breaks="Every weight that Teal wanted is known as its own if it lands late.",
        caught_by=(f"{BY_RULES}::test_a_wanted_weight_is_noted_on_every_rule_before_it_is_written",),
    ),
    Fault(
        name="an old answer is taken for the rule",
        file=RULE_LOOKS,
        text="    if not _is_earlier(draft.row, was, found):\n",
        instead="    if not _is_earlier(draft.row, was, found) or was.asked_at:\n",
        breaks="A rule that reads as before Teal's last write is doubted.",
        caught_by=(
            f"{BY_STALE_READS}::test_an_earlier_list_right_after_a_write_is_nobodys_change_and_holds",
        ),
    ),
    Fault(
        name="a rollback by hand is drift",
        file=RULE_LOOKS,
        text="    if (rule.verified or 0) > 0:\n",
        instead="    if (rule.verified or 0) < 0:\n",
        breaks="Blue given everything by hand is a rollback.",
        caught_by=(f"{BY_RULES}::test_a_look_at_a_rule_finds",),
    ),
    Fault(
        name="green raised by hand is drift",
        file=RULE_LOOKS,
        text="if share > max(rule.verified or 0, rule.wanted or 0):",
        instead="if share > max(rule.verified or 0, rule.wanted or 0) + 1000:",
        breaks="A weight of green above what Teal wrote is known for what it is.",
        caught_by=(f"{BY_RULES}::test_a_look_at_a_rule_finds",),
    ),
    Fault(
        name="Teal's own late write is drift",
        file=RULE_LOOKS,
        text="late = next((w for w in rule.intended if says_the_same",
        instead="late = next((w for w in rule.intended[:0] if says_the_same",
        breaks="A write of Teal's own that lands late is not taken for somebody's.",
        caught_by=(f"{BY_RULES}::test_a_look_at_a_rule_finds",),
    ),
    Fault(
        name="changed conditions are as written",
        file=RULE_LOOKS,
        text="    if conditions_of(seen) != rule.conditions:",
        instead="    if not conditions_of(seen):",
        breaks="A rule whose conditions somebody changed is drift.",
        caught_by=(f"{BY_RULES}::test_a_look_at_a_rule_finds",),
    ),
    Fault(
        name="an unread rule holds nothing",
        file=RULE_LOOKS,
        text=("            case Found.UNREAD:\n                read(draft, found.rule)\n"),
        instead="            case Found.UNREAD:\n",
        breaks="A rule that could not be read holds.",
        caught_by=(f"{BY_RULES}::test_a_rule_that_is_not_as_written_holds",),
    ),
    Fault(
        name="drift holds nothing",
        file=RULE_LOOKS,
        text=(
            "                draft.hold(HoldKind.DRIFT, found.words, clears_when=clears)\n"
            "            case Found.AS_WRITTEN"
        ),
        instead=("                pass\n            case Found.AS_WRITTEN"),
        breaks="Somebody else's change of a rule holds until it is put right.",
        caught_by=(f"{BY_RULES}::test_a_rule_that_is_not_as_written_holds",),
    ),
    Fault(
        name="an old answer ends a rollback",
        file=RULE_LOOKS,
        text="    return rule.doubted_since if draft.now < rule.doubted_since + STALE_LONGEST else None",
        instead="    return None",
        breaks="A rollback writes again for as long as a raise may still show.",
        caught_by=(f"{BY_RULES}::test_a_write_stands_only_while_the_rule_holds_what_it_was_decided_from",),
    ),
    Fault(
        name="a rollback by hand is fought",
        file=DRIFT,
        text="        if found.found is Found.TAKEN_BACK:\n",
        instead="        if found.found is Found.TAKEN_BACK and draft.row.pause.paused_by:\n",
        breaks="Blue given everything by hand is taken as a rollback.",
        caught_by=(
            f"{BY_SHIFTING}::test_evidence_against_green_goes_on_to_the_next_weight_and_what_speaks_for_it_begins_anew",
        ),
    ),
    Fault(
        name="green leaves the rules before its tasks",
        file=LEAVING_RULES,
        text="    is_drained = not not_drained(draft)\n",
        instead="    is_drained = True\n",
        breaks="Green stays in a rule at weight 0 until its tasks are drained.",
        caught_by=(f"{BY_REMOVING_GREEN}::test_green_is_stopped_only_once_its_last_requests_have_left",),
    ),
    Fault(
        name="targets that drain are not waited for",
        file=LEAVING_RULES,
        text="if isinstance(targets, TargetsSeen) and not (targets.registered or targets.draining):",
        instead="if isinstance(targets, TargetsSeen) and not targets.registered:",
        breaks="Green's targets drain before its service goes.",
        caught_by=(f"{BY_REMOVING_GREEN}::test_green_leaves_the_rule_once_its_targets_are_drained",),
    ),
    Fault(
        name="a rule that was not read is clear",
        file=LEAVING_RULES,
        text=("        case str():\n            return replace(rule, wanted=None), HELD\n"),
        instead=("        case str():\n            return replace(rule, wanted=None), CLEAR\n"),
        breaks="A rule that could not be read keeps what leads to green from being taken away.",
        caught_by=(f"{BY_REMOVING_GREEN}::test_a_rule_that_cannot_be_read_holds_everything_else_back",),
    ),
    Fault(
        name="a late raise is not seen",
        file=LEAVING_RULES,
        text=(
            "    draft.change(on_blue_since=draft.now)\n"
            "    green = rule_lists.known_green_of(draft.row, rule)\n"
        ),
        instead="    green = rule_lists.known_green_of(draft.row, rule)\n",
        breaks="Where a late write gave green traffic, everything that waits for its last request waits anew.",
        caught_by=(
            f"{BY_REMOVING_GREEN}::test_a_late_write_that_gave_green_traffic_again_is_undone_and_green_waits_once_more",
        ),
    ),
    Fault(
        name="nobody waits for cookies",
        file=STICKY_SESSIONS,
        text="    if not lasts or row.spec.sticky is Sticky.CUT or draft.now >= end:\n",
        instead="    if lasts or row.spec.sticky is Sticky.CUT or draft.now >= end:\n",
        breaks="Users whom cookies keep on a colour are waited for.",
        caught_by=(
            f"{BY_13_STICKY_SESSIONS}::test_case_13_pinned_users_leave_blue_slowly_and_it_is_said_how_many_stay",
        ),
    ),
    Fault(
        name="rules of others are not looked at",
        file=SWAP_RULES,
        text="if rule.arn not in ours and _carries(rule, blues):",
        instead="if rule.arn in ours and _carries(rule, blues):",
        breaks="Blue is kept while a rule that is not this rollout's leads to it.",
        caught_by=(
            f"{BY_RETIRING}::test_a_rule_of_others_that_still_gives_blue_traffic_stops_the_retirement_and_is_named",
        ),
    ),
)
