"""Rollouts worth a golden row: the World of each, the way to its moment, and what people do afterwards.

What builds a World and what people do afterwards is called again by whoever reads the row later, so both stay as they
are; the way to the moment is gone by the generator alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import NAMED_PLANS
from orchestrator.core.gates.alarms import AlarmsSpec
from orchestrator.core.gates.compare import CompareSpec
from orchestrator.core.gates.guard import GuardSpec
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.rollout.spec import (
    ApprovalSpec,
    Background,
    Capacity,
    DrainSpec,
    Ending,
    Limits,
    OnFailure,
)
from tests.store.rows.stage import Recorded
from tests.store.rows.ways import (
    BAD,
    ERRS,
    FIRST,
    SECOND,
    Bring,
    GoOn,
    alarmed,
    asked,
    blue_emptied,
    blue_wanted_again,
    called_back_from_its_deletion,
    careful,
    command,
    compared,
    deletion_unseen,
    everything_asked,
    first_deployment,
    former_deregistered,
    homeward,
    in_turn,
    killed_at_its_making,
    listener_deleted,
    not_made_yet,
    of_one_rule,
    once_more_the_same,
    outside_hours,
    probing,
    protected,
    recorded,
    rule_changed_by_hand,
    run,
    second_swap,
    seen,
    somebody_scales,
    steps,
    swapping,
    then,
    to,
    used_by_another_rule,
    waiting_for_a_second_approval,
    watched_by_a_group,
    with_images,
)
from tests.store.rows.worlds import (
    busy,
    failing_from,
    pinned,
    quiet,
    scaling,
    sticky_rule,
    tried_out,
    unreachable,
    unscaled,
    unseen_from,
    unstartable_from,
    with_alarms,
)
from tests.support.rehearsal import MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One golden row's story. `phase` is where its rollout is at that moment, `ends` where it comes to."""

    phase: Phase
    bring: Bring
    ends: Phase = Phase.SUCCEEDED
    build: Callable[[], Recorded] = field(default=lambda: Recorded())
    go_on: GoOn = lambda stage, rollout: None  # what people do afterwards
    ending: Ending = Ending.SETTLE
    within: timedelta = timedelta(minutes=30)
    is_logged: bool = False  # the row's file holds its audit log too
    runs: str = ""  # what blue runs at the end; empty: its former revision or the new one
    has_rules: bool = True  # False: somebody deleted them
    # What others have changed in the World and the end therefore does not give back, as patterns of its lines.
    theirs: Mapping[str, str] = field(default_factory=dict)


ALONE = GatesSpec(guard=GuardSpec(on=False), alarms=AlarmsSpec(), compare=CompareSpec(warm_up=0))
APPROVED = ApprovalSpec(approvers=("group:release", "other"), required=2, timeout=timedelta(minutes=20))
PATIENT = Limits(provision=timedelta(minutes=5), hold=timedelta(minutes=30), unseen=6 * MINUTE)
ROLLBACK, RESUME = command(CommandKind.ROLLBACK, reason="the totals are wrong"), command(CommandKind.RESUME)
P = Phase
SCALED = r"ecs DescribeServices checkout\.(desired|running)Count "

SCENARIOS: dict[str, Scenario] = {
    # before traffic
    "pending-new": Scenario(phase=P.PENDING, build=quiet, bring=to(P.PENDING)),
    "pending-outside-hours": Scenario(phase=P.PENDING, build=quiet, bring=outside_hours),
    "preparing-throttled": Scenario(phase=P.PREPARING, build=quiet, bring=not_made_yet),
    "provisioning-images": Scenario(phase=P.PROVISIONING, build=quiet, bring=with_images),
    "provisioning-probing": Scenario(phase=P.PROVISIONING, build=unreachable, bring=probing),
    "provisioning-killed": Scenario(phase=P.PROVISIONING, build=quiet, bring=killed_at_its_making),
    "provisioning-stepped": Scenario(
        phase=P.PROVISIONING,
        build=lambda: scaling(desired=6),
        bring=to(
            P.PROVISIONING,
            3,
            capacity=Capacity.STEPPED,
            background=Background.SAFE,
            plan=steps(100, 500, 1000),
        ),
    ),
    "provisioning-half-approved": Scenario(
        phase=P.PROVISIONING,
        build=tried_out,
        bring=waiting_for_a_second_approval,
        go_on=command(CommandKind.APPROVE),
    ),
    # traffic
    "shifting-compared": Scenario(
        phase=P.SHIFTING, build=lambda: busy(rate=100, environment=ERRS), bring=compared
    ),
    "shifting-images": Scenario(
        phase=P.SHIFTING, build=quiet, bring=then(with_images, seen(green_percent=10.0))
    ),
    "shifting-everything-asked": Scenario(
        is_logged=True,
        phase=P.SHIFTING,
        build=lambda: tried_out(),
        bring=everything_asked,
        theirs={r"elbv2 Describe(Rules|Tags) ": "a rule of others"},
    ),
    "shifting-alarms": Scenario(phase=P.SHIFTING, build=with_alarms, bring=alarmed),
    "shifting-paused": Scenario(
        is_logged=True,
        phase=P.SHIFTING,
        build=quiet,
        bring=then(to(P.SHIFTING, 5), command(CommandKind.PAUSE, reason="lunch"), run(40)),
        go_on=RESUME,
    ),
    "shifting-resumed": Scenario(
        phase=P.SHIFTING,
        build=lambda: Recorded(requests_per_second=10, rules=2),
        bring=then(of_one_rule, command(CommandKind.PAUSE, reason="lunch"), run(20), RESUME, run(1)),
    ),
    "shifting-failed": Scenario(
        phase=P.SHIFTING,
        bring=then(to(P.SHIFTING, 100, BAD, on_failure=OnFailure.HOLD), command(CommandKind.PAUSE), run(2)),
        go_on=ROLLBACK,
        ends=P.ROLLED_BACK,
    ),
    "shifting-half-approved": Scenario(
        is_logged=True,
        phase=P.SHIFTING,
        build=quiet,
        bring=then(
            to(P.SHIFTING, 70, plan=steps(100, 1000, approval=True), approval=APPROVED),
            command(CommandKind.APPROVE, by=FIRST),
            run(10),
        ),
        go_on=command(CommandKind.APPROVE),
    ),
    "shifting-with-a-wish": Scenario(
        phase=P.SHIFTING,
        build=quiet,
        bring=then(to(P.SHIFTING, 5, plan=steps(100, 1000, bake=600)), command(CommandKind.PROMOTE)),
        go_on=in_turn(seen(phase="watching"), command(CommandKind.PROMOTE, by=FIRST)),
    ),
    "shifting-intervention": Scenario(
        phase=P.SHIFTING,
        build=lambda: busy(minutes=20),
        bring=then(
            to(
                P.SHIFTING,
                0,
                {"TEAL_DEMO_ERROR_SHARED": "0.4", "TEAL_DEMO_SHARED_ABOVE": "0.2"},
                plan=steps(50, 300, 1000, bake=60),
                gates=ALONE,
            ),
            recorded(EventKind.INTERVENTION_BEGUN),
            run(5),
        ),
        ends=P.ROLLED_BACK,
    ),
    "shifting-outage": Scenario(
        is_logged=True,
        phase=P.SHIFTING,
        build=failing_from(74, until=300),
        bring=then(
            to(P.SHIFTING, plan=steps(50, 300, 1000, bake=60), gates=ALONE, limits=PATIENT),
            recorded(EventKind.INTERVENTION_ENDED),
            run(3),
        ),
    ),
    "shifting-blind": Scenario(
        phase=P.SHIFTING,
        build=unseen_from(120, until=320),
        bring=then(
            to(P.SHIFTING, plan=steps(100, 300, 1000, bake=20), limits=PATIENT),
            recorded(EventKind.EVIDENCE_LOST),
        ),
    ),
    "shifting-blind-from-the-first": Scenario(
        phase=P.SHIFTING,
        build=unseen_from(40, until=320),
        bring=then(
            to(P.SHIFTING, plan=steps(100, 1000, bake=60), limits=PATIENT), recorded(EventKind.EVIDENCE_LOST)
        ),
    ),
    "shifting-auto": Scenario(
        phase=P.SHIFTING,
        build=lambda: busy(rate=400, minutes=1),
        bring=to(P.SHIFTING, 90, plan=NAMED_PLANS["auto"]),
        within=timedelta(hours=1),
    ),
    "shifting-careful": Scenario(
        phase=P.SHIFTING,
        build=lambda: busy(rate=400, minutes=1),
        bring=careful,
        within=timedelta(hours=1),
    ),
    "watching-control-group": Scenario(
        phase=P.WATCHING,
        build=lambda: busy(rate=400, minutes=1),
        bring=watched_by_a_group,
        within=timedelta(hours=1),
    ),
    "shifting-drifted": Scenario(
        is_logged=True,
        phase=P.SHIFTING,
        bring=then(to(P.SHIFTING, 5, plan=steps(100, 1000, bake=60)), rule_changed_by_hand),
        go_on=ROLLBACK,
        theirs={r"elbv2 DescribeRules ": "stickiness that somebody turned on"},
        ends=P.ROLLED_BACK,
    ),
    "shifting-without-listener": Scenario(
        phase=P.SHIFTING,
        bring=then(to(P.SHIFTING, 5), listener_deleted),
        go_on=ROLLBACK,
        has_rules=False,
        theirs={r"elbv2 ": "the listener that somebody deleted"},
        ends=P.ROLLED_BACK,
    ),
    "shifting-blue-emptied": Scenario(
        phase=P.SHIFTING,
        build=unscaled,
        bring=then(to(P.SHIFTING, 5, plan=steps(100, 1000, bake=60)), blue_emptied),
        go_on=in_turn(blue_wanted_again, run(30), ROLLBACK),
        ends=P.ROLLED_BACK,
    ),
    "shifting-leaping": Scenario(
        phase=P.SHIFTING,
        build=lambda: Recorded(desired=4, requests_per_second=10),
        bring=then(
            to(P.SHIFTING, 5, plan=steps(100, 500, 1000, bake=120), capacity=Capacity.STEPPED),
            command(CommandKind.PAUSE),
            run(1),
            command(CommandKind.PROMOTE, full=True),
            run(1),
        ),
        go_on=RESUME,
    ),
    "shifting-gone-back": Scenario(
        phase=P.SHIFTING,
        build=quiet,
        bring=then(
            to(P.SHIFTING, 0, plan=steps(100, 500, 1000, bake=20)),
            seen(green_percent=50.0),
            command(CommandKind.BACK, to=Tenths(100)),
            run(5),
        ),
    ),
    "shifting-scaled-by-others": Scenario(
        phase=P.SHIFTING,
        build=lambda: scaling("cpu", "evening"),
        bring=then(to(P.SHIFTING, 5, plan=steps(100, 1000, bake=60)), somebody_scales),
        go_on=ROLLBACK,
        ends=P.ROLLED_BACK,
        theirs={
            r"application-autoscaling DescribeScalableTargets.*Capacity": "bounds that somebody has set",
            SCALED: "what the policies do within them",
        },
    ),
    # everything on green
    "watching": Scenario(phase=P.WATCHING, build=quiet, bring=to(P.WATCHING, 8)),
    "watching-pinned": Scenario(
        phase=P.WATCHING,
        build=pinned,
        bring=to(P.WATCHING, 40),
        theirs={r"elbv2 DescribeTargetGroupAttributes ": "sticky sessions"},
    ),
    "watching-first-deployment": Scenario(
        phase=P.WATCHING,
        build=lambda: Recorded(desired=0, requests_per_second=10),
        bring=first_deployment,
        theirs={r"(ecs DescribeServices|application-autoscaling) ": "the service has tasks at last"},
    ),
    # blue takes over
    "settling-before-home": Scenario(phase=P.SETTLING, build=quiet, bring=to(P.SETTLING, 3)),
    "settling-homeward": Scenario(phase=P.SETTLING, build=scaling, bring=then(to(P.SETTLING), homeward)),
    "settling-forced": Scenario(phase=P.SETTLING, build=quiet, bring=once_more_the_same),
    "settling-protected": Scenario(phase=P.SETTLING, build=quiet, bring=protected),
    "settling-blue-does-not-start": Scenario(
        phase=P.SETTLING,
        build=unstartable_from(60, until=200),
        bring=then(to(P.SETTLING), recorded(EventKind.PAGED), run(2)),
        go_on=in_turn(run(130), RESUME),
        within=timedelta(hours=1),
    ),
    "settling-tried-again": Scenario(
        is_logged=True,
        phase=P.SETTLING,
        build=unstartable_from(60, until=200),
        bring=then(to(P.SETTLING), recorded(EventKind.PAGED), run(130), RESUME, run(3)),
        within=timedelta(hours=1),
    ),
    # green stays
    "retiring-swapped": Scenario(
        phase=P.RETIRING,
        build=scaling,
        bring=then(swapping(Ending.KEEP), recorded(EventKind.TRAFFIC_ON_GREEN)),
        ending=Ending.KEEP,
    ),
    "retiring-kept-drained": Scenario(
        phase=P.RETIRING,
        build=lambda: scaling("requests", "cpu", "steps"),
        bring=then(swapping(Ending.KEEP), recorded(EventKind.BLUE_DRAINED)),
        ending=Ending.KEEP,
    ),
    "retiring-deleting": Scenario(
        phase=P.RETIRING,
        build=lambda: scaling("requests", "steps", "evening"),
        bring=deletion_unseen,
        ending=Ending.DELETE,
    ),
    "retiring-second-swap": Scenario(
        phase=P.RETIRING,
        build=unscaled,
        bring=second_swap,
        ending=Ending.DELETE,
    ),
    # back
    "rolling-back-before-traffic": Scenario(
        phase=P.ROLLING_BACK,
        build=scaling,
        bring=then(to(P.PROVISIONING, 4), ROLLBACK, asked("delete_service")),
        ends=P.ROLLED_BACK,
    ),
    "rolling-back-from-traffic": Scenario(
        phase=P.ROLLING_BACK,
        build=sticky_rule,
        bring=then(
            to(P.SHIFTING, 15, drain=DrainSpec(after=20 * SECOND, slices=3, every=5 * SECOND)),
            ROLLBACK,
            run(8),
        ),
        ends=P.ROLLED_BACK,
    ),
    "rolling-back-cleaning-up": Scenario(
        phase=P.ROLLING_BACK,
        build=quiet,
        bring=then(to(P.SHIFTING, 5), used_by_another_rule, ROLLBACK, asked("delete_target_group"), run(4)),
        theirs={r"elbv2 ": "a rule of others, and the group that it leads to"},
        ends=P.ROLLED_BACK,
    ),
    "rolling-back-settling": Scenario(
        phase=P.ROLLING_BACK,
        build=scaling,
        bring=then(
            to(P.SETTLING),
            homeward,
            former_deregistered,
            ROLLBACK,
            recorded(EventKind.BLUE_UPDATE_ASKED),
            run(12),
        ),
        runs="checkout:3",
        theirs={
            r"ecs (ListTaskDefinitions|DescribeTaskDefinition) ": "the revision that somebody deregistered"
        },
        ends=P.ROLLED_BACK,
    ),
    "rolling-back-swap": Scenario(
        is_logged=True,
        phase=P.ROLLING_BACK,
        build=lambda: scaling("requests", "cpu", "steps", "forecast", "evening"),
        bring=then(
            swapping(Ending.KEEP),
            recorded(EventKind.BLUE_DRAINED),
            run(1),
            ROLLBACK,
            recorded(EventKind.BLUE_CALLED_BACK),
        ),
        theirs={SCALED: "what its policies do once they may again"},
        ending=Ending.KEEP,
        ends=P.ROLLED_BACK,
    ),
    "rolling-back-blue-made-anew": Scenario(
        phase=P.ROLLING_BACK,
        build=unscaled,
        bring=called_back_from_its_deletion,
        theirs={r"ecs DescribeServices checkout\.created": "it was made anew"},
        ending=Ending.DELETE,
        ends=P.ROLLED_BACK,
    ),
    # over
    "succeeded": Scenario(is_logged=True, phase=P.SUCCEEDED, build=quiet, bring=to(P.SUCCEEDED)),
    "rolled-back": Scenario(
        is_logged=True,
        phase=P.ROLLED_BACK,
        bring=then(
            with_images,
            seen(green_percent=10.0),
            used_by_another_rule,
            ROLLBACK,
            run(60),
            seen(phase="rolled_back"),
        ),
        ends=P.ROLLED_BACK,
    ),
    "abandoned": Scenario(
        is_logged=True,
        phase=P.ABANDONED,
        build=quiet,
        bring=then(
            to(P.SHIFTING, 5), command(CommandKind.ABANDON, reason="by hand"), seen(phase="abandoned")
        ),
        ends=P.ABANDONED,
    ),
}
