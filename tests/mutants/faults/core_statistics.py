"""Faults in core/statistics: the sequential test and the comparison."""

from tests.mutants.fault import Fault

SEQUENTIAL_TEST = "orchestrator/core/statistics/sequential_test.py"
COMPARISON = "orchestrator/core/statistics/comparison.py"
REMAINDER = "orchestrator/core/statistics/remainder.py"

BY_SEQUENTIAL_TEST = "tests/core/statistics/test_sequential_test.py"
BY_COMPARE = "tests/core/gates/test_compare.py"
BY_SHIFTING = "tests/core/phases/test_shifting.py"
BY_COMPARISON = "tests/core/statistics/test_comparison.py"
BY_REMAINDER = "tests/core/statistics/test_remainder.py"

FAULTS = (
    Fault(
        name="evidence is not tempered",
        file=SEQUENTIAL_TEST,
        text="log_add_exp(mass, entering) + min(ratio / self.phi, ceiling)",
        instead="log_add_exp(mass, entering) + min(ratio * self.phi, ceiling)",
        breaks="Where blue's events cluster, evidence counts for less.",
        caught_by=(f"{BY_SEQUENTIAL_TEST}::test_evidence_agrees_with_sixty_digits",),
    ),
    Fault(
        name="one interval decides",
        file=SEQUENTIAL_TEST,
        text="ceiling = math.inf if self.clip is None else math.log(self.clip)",
        instead="ceiling = math.inf",
        breaks="One interval multiplies the evidence by ten at most.",
        caught_by=(f"{BY_SEQUENTIAL_TEST}::test_evidence_agrees_with_sixty_digits",),
    ),
    Fault(
        name="evidence has mass twice",
        file=SEQUENTIAL_TEST,
        text="return (1 - self.first_mass) * self.hazard * (1 - self.hazard) ** (interval - 2)",
        instead="return self.hazard",
        breaks="The prior's masses sum to one: evidence exceeds 1/alpha with probability alpha at most.",
        caught_by=(f"{BY_SEQUENTIAL_TEST}::test_evidence_agrees_with_sixty_digits",),
    ),
    Fault(
        name="the grids are swapped",
        file=SEQUENTIAL_TEST,
        text=("FAIL_GRID = Grid(lo=1.25, hi=60.0, n=40)\nPROMOTE_GRID = Grid(lo=0.2, hi=0.8, n=20)"),
        instead=("FAIL_GRID = Grid(lo=0.2, hi=0.8, n=20)\nPROMOTE_GRID = Grid(lo=1.25, hi=60.0, n=40)"),
        breaks="A failure is evidence of a green that is worse, a promotion of one that is not.",
        caught_by=(
            f"{BY_SEQUENTIAL_TEST}::test_no_true_ratio_within_the_margin_lets_evidence_for_a_failure_grow",
        ),
    ),
    Fault(
        name="the margin counts for nothing",
        file=SEQUENTIAL_TEST,
        text="scaled, near = share * margin, math.log1p(share * (margin - 1))",
        instead="scaled, near = share, math.log1p(0.0)",
        breaks="Green may be `margin` times as bad as blue before it counts as worse.",
        caught_by=(f"{BY_SEQUENTIAL_TEST}::test_evidence_agrees_with_sixty_digits",),
    ),
    Fault(
        name="green's share of events is blue's",
        file=SEQUENTIAL_TEST,
        text="log_ratio = _log_ratio_of(sample.green_events, sample.events, sample.share, margin)",
        instead="log_ratio = _log_ratio_of(sample.blue_events, sample.events, sample.share, margin)",
        breaks="It is green's errors that speak against green.",
        caught_by=(f"{BY_SEQUENTIAL_TEST}::test_evidence_agrees_with_sixty_digits",),
    ),
    Fault(
        name="dispersion is ignored",
        file=SEQUENTIAL_TEST,
        text="return Dispersion(phi=min(PHI_MAX, max(1.0, estimate)), estimate=estimate)",
        instead="return Dispersion(phi=1.0, estimate=estimate)",
        breaks="How much blue's counts vary is learnt from its last hour.",
        caught_by=(
            f"{BY_SEQUENTIAL_TEST}::test_independent_counts_have_no_dispersion_and_pairs_have_about_two",
        ),
    ),
    Fault(
        name="a failed stream recovers",
        file=COMPARISON,
        text="failed_at=stream.failed_at or (at if is_over else None),",
        instead="failed_at=at if is_over else None,",
        breaks="A failure is latched: later intervals never take it back.",
        caught_by=(f"{BY_COMPARE}::test_a_failure_stays_one_whatever_comes_after",),
    ),
    Fault(
        name="five events are not needed",
        file=COMPARISON,
        text="is_over = onset.log_e >= stream.threshold and onset.green_events >= EVENTS_LEAST",
        instead="is_over = onset.log_e >= stream.threshold",
        breaks="A handful of odd requests decides nothing.",
        caught_by=(f"{BY_COMPARE}::test_four_errors_decide_nothing_however_few_blue_has",),
    ),
    Fault(
        name="evidence begins anew at each weight",
        file=COMPARISON,
        text=(
            "            stream,\n"
            "            mirror=replace(stream.mirror, sums=(), intervals=0),\n"
            "            absolute=replace(stream.absolute, requests=0, events=0) if "
            "stream.absolute else None,\n"
            "            at_weight=0,"
        ),
        instead=(
            "            stream,\n"
            "            onset=Onset(margin=stream.onset.margin, phi=stream.onset.phi),\n"
            "            mirror=replace(stream.mirror, sums=(), intervals=0),\n"
            "            absolute=replace(stream.absolute, requests=0, events=0) if "
            "stream.absolute else None,\n"
            "            at_weight=0,"
        ),
        breaks="Evidence that green is worse goes on from weight to weight.",
        caught_by=(
            f"{BY_COMPARE}::test_a_new_weight_begins_what_shows_green_well_and_carries_what_speaks_against_it",
        ),
    ),
    Fault(
        name="shown well at one weight is shown at all",
        file=COMPARISON,
        text=(
            "            stream,\n"
            "            mirror=replace(stream.mirror, sums=(), intervals=0),\n"
            "            absolute=replace(stream.absolute, requests=0, events=0) if "
            "stream.absolute else None,\n"
            "            at_weight=0,"
        ),
        instead=("            stream,\n            at_weight=0,"),
        breaks="Green is shown not to be worse at each weight anew.",
        caught_by=(
            f"{BY_SHIFTING}::test_evidence_against_green_goes_on_to_the_next_weight_and_what_speaks_for_it_begins_anew",
        ),
    ),
    Fault(
        name="server errors are not errors",
        file=COMPARISON,
        text="return counts.answers_5xx + counts.connection_errors, counts.requests",
        instead="return counts.connection_errors, counts.requests",
        breaks="Answers of 5xx and connection errors are green's errors.",
        caught_by=(f"{BY_COMPARE}::test_green_that_fails_five_times_as_often_as_blue_fails",),
    ),
    Fault(
        name="requests in flight are lost requests",
        file=COMPARISON,
        text=(
            "return replace(stream, remainders=after), replace(whole, green_events=found.green.sure), whole"
        ),
        instead="return replace(stream, remainders=after), whole, whole",
        breaks="Requests in flight are not held against green.",
        caught_by=(
            f"{BY_COMPARISON}::test_requests_that_may_still_be_answered_are_not_held_against_green_and_do_not_show_it_to_be_well",
        ),
    ),
    Fault(
        name="requests in flight count in every period",
        file=REMAINDER,
        text="        most = max(self.most, net)\n",
        instead="        most = self.most + max(0, remainder)\n",
        breaks="A request that is answered in the next period is not lost.",
        caught_by=(f"{BY_REMAINDER}::test_what_the_next_period_answers_is_given_back_and_counts_only_once",),
    ),
)
