"""docs/verify-account.md: what `teal verify-account` does, and the beliefs that it asks about."""

from docs.pages.markdown import code, document, table
from orchestrator.verify.beliefs.belief import Need
from orchestrator.verify.beliefs.registry import BELIEFS
from orchestrator.verify.beliefs.unasked import UNASKED
from orchestrator.verify.plan import PRICED_FOR, PRICED_ON, dry_run
from orchestrator.verify.rollouts.parts import PARTS
from orchestrator.verify.wanted import Wanted

NEEDS = {
    Need.THROW_AWAY: "a throw-away service",
    Need.USERS: "requests of this machine",
    Need.SESSION: "a narrower session",
    Need.BALANCER: "a load balancer",
}
LEAST = Wanted(id="0a1b2c3d", subnets=("subnet-0aaa", "subnet-0bbb"), security_group="sg-0123")
BEGIN = """$ teal verify-account --subnets subnet-0aaa,subnet-0bbb --security-group sg-0123 --dry-run
$ teal verify-account --subnets subnet-0aaa,subnet-0bbb --security-group sg-0123 --yes --output seen/"""
NAMED = "$ teal verify-account --service test/checkout --only preflight,rollback-shifting --yes"
CLEAN = "$ teal verify-account --clean"


def page() -> str:
    """The page's text."""
    plan = dry_run(LEAST, "us-east-1")
    return document(
        "Teal in your own account",
        "`orchestrator/verify`",
        "What Teal does rests on how AWS behaves, and some of that is written nowhere. `teal verify-account` asks your "
        "account: it makes a small service, rolls it out and back in every way with Teal's own engine, asks what Teal "
        "believes of AWS, removes everything, and writes down what it saw. Use an account in which nothing "
        "else is at stake.",
        code(BEGIN, "console"),
        "Without `--yes` it says what it will make, about what that costs, how long it takes and which permissions it "
        f"needs, and asks at a terminal whether to go on. All of it takes about {plan.minutes / 60:.1f} hours and "
        f"{plan.dollars:.2f} US dollars by general prices of {PRICED_FOR} in {PRICED_ON}, which "
        "are to be checked; `--only` "
        "limits it. The permissions are those that the run needs and no others: each write is allowed on what has the "
        "run's name, or the name of a rollout of it; words in capitals in it are yours to replace.",
        "## What you name",
        "Two subnets in two zones, because only you know which of yours reach the image's registry, and a "
        "security group, "
        "because only you may open a port: it must let the machine that runs `teal` reach port 80, and its own members "
        "each other's port 8080. The VPC follows from the subnets. Everything else is made, unless you name it:",
        table(
            ["option", "what it is for"],
            [
                [
                    "`--listener ARN`",
                    "No load balancer is made: a rule on this listener takes requests with a header of "
                    "the run's, and no user's.",
                ],
                ["`--private`", "An internal load balancer, and tasks without public addresses."],
                ["`--service CLUSTER/SERVICE`", "Your own service instead of a throw-away one; see below."],
                [
                    "`--role ARN`",
                    "A role that your credentials may assume, to try narrower permissions. Without it a user's "
                    "own federated session is asked for, or the role that you are.",
                ],
                ["`--namespace ARN`", "A Service Connect namespace."],
                ["`--certificate ARN`", "A certificate, for an HTTPS listener of a moment."],
            ],
        ),
        "## Your own service",
        code(NAMED, "console"),
        "Rolls out what the service runs already (`force`), so your users meet no other revision; the bad "
        "revision is a "
        "copy whose tasks cannot start, which no user can meet. Nothing else of it is touched, and beliefs that change "
        "the service are not asked. These are real rollouts: blue's tasks are replaced at the end "
        "of `good`. What may cost is "
        "what they add: a green of as many tasks as the service runs, for as long as each rollout lasts.",
        "## Parts",
        table(
            ["part", "what is played", "minutes, about"],
            [
                ["`preflight`", "what speaks against a rollout", "0"],
                *([f"`{part.name}`", part.says, f"{part.minutes:g}"] for part in PARTS),
                ["`beliefs`", "all of those below", f"{sum(belief.minutes for belief in BELIEFS):.0f}"],
            ],
        ),
        "`rollback` means every `rollback-…`. A belief's name is a part too.",
        "## The report",
        "`report.json` for programs and `report.md` to read: every call and how long it took, every refusal "
        "with code and "
        "message, when each minute's datapoints could be read and whether they changed, what became of each "
        "rollout, and "
        "each belief. Account numbers, ARNs, names, ids and addresses are replaced by placeholders such as "
        "`<ecs service 1>`, the same for the same thing; tokens by `<token>`. Of your own service it has no "
        "sentence of AWS's, of preflight or of a rollout's log, since those name what nobody can "
        "know beforehand: codes, "
        "kinds, numbers and times alone. Before it is written, whatever others said in it is searched for every name "
        "that the run knows and for every form of an identifier; one that is found stops it.",
        "It exits 0 if every rollout ended as it was to end, no belief is wrong and nothing is left; 1 if not; 2 if it "
        "cannot begin; 130 if it was interrupted; 5 if another run on the service is not over.",
        "## What is left",
        "Everything is written to a journal before it is made (in `$XDG_STATE_HOME/teal/verify`), and has the tag "
        "`teal:verify` with the run's id; what a rollout makes has Teal's own tags, which name the run's "
        "service. Whatever ends a run, be it Ctrl-C, an error or a full disk, it removes it all, and still writes its "
        "report; a second Ctrl-C leaves what is there. What a run that was killed has left is removed by:",
        code(CLEAN, "console"),
        "That is refused where the credentials or the region are not those of the run, which its journal holds, and "
        "while the run is under way. A line of the journal that is torn is named, and what it may have announced is "
        "looked for by its name.",
        "What AWS does not let go stays in the journal and is told, with the command that removes it by hand; so is a "
        "rollout of your own service that could not be taken back. The exit code is 1 then.",
        "## Beliefs",
        table(
            ["belief", "Teal believes", "how it is asked", "needs", "where it is wrong"],
            [
                [
                    f"`{belief.name}`",
                    belief.believes,
                    belief.asked_by,
                    ", ".join(NEEDS[need] for need in Need if need in belief.needs) or "–",
                    belief.if_wrong,
                ]
                for belief in BELIEFS
                if belief not in UNASKED
            ],
        ),
        "The report names these too, and says why they are not asked:",
        table(
            ["belief", "Teal believes", "where it is wrong"],
            [[f"`{belief.name}`", belief.believes, belief.if_wrong] for belief in UNASKED],
        ),
    )
