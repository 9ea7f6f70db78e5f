"""Examples that stand below every command's help, so that a line can be copied and changed."""

EXAMPLES: dict[str, tuple[str, ...]] = {
    "demo": ("teal demo", "teal demo --json", "teal demo --evidence"),
    "sandbox": (
        "teal sandbox --minute 5s --load 50",
        "teal sandbox --test-listener",
        "teal sandbox --empty --json",
    ),
    "init": (
        "teal init --service prod/checkout",
        "teal init --service prod/checkout --output checkout.yaml --force",
        "teal init --all prod --output rollouts/",
    ),
    "deploy": (
        "teal deploy -f rollout.yaml",
        "teal deploy --service prod/checkout --task-definition checkout:43 --plan linear",
        "teal deploy -f rollout.yaml --timeout 2h --on-interrupt leave",
        "teal deploy --undo prod/checkout",
    ),
    "undo": (
        "teal undo prod/checkout",
        'teal undo checkout-3f9a1c07 --override "prices are wrong since 14:00"',
    ),
    "preflight": (
        "teal preflight -f rollout.yaml",
        "teal preflight --service prod/checkout --task-definition checkout:43",
    ),
    "diff": (
        "teal diff -f rollout.yaml",
        "teal diff --service prod/checkout --task-definition checkout:43 --json",
    ),
    "start": (
        'teal start -f rollout.yaml --key "$BUILD_ID"',
        "teal start -f rollout.yaml --watch",
        'rollout=$(teal start -f rollout.yaml --key "$BUILD_ID" --quiet)',
        "teal -p prod start --service prod/checkout --task-definition checkout:43",
        'teal start --undo checkout-3f9a1c07 --override "prices are wrong since 14:00"',
    ),
    "outputs": (
        "teal outputs --service prod/checkout",
        "teal outputs --service prod/checkout --json",
        "teal -p prod outputs --service prod/checkout --allow-unknown --json",
    ),
    "list": (
        "teal list --active",
        "teal list --service prod/checkout --phase rolled_back",
        "teal -p prod list --json",
        "teal list --output wide",
    ),
    "get": ("teal get prod/checkout", "teal get checkout-3f9a1c07 --json", "teal status prod/checkout"),
    "watch": ("teal watch prod/checkout", "teal watch checkout-3f9a1c07 --timeout 1h"),
    "wait": (
        "teal wait checkout-3f9a1c07 --timeout 2h",
        "teal wait checkout-3f9a1c07 --until step:1 --timeout 20m",
        "teal wait prod/checkout --until approval",
    ),
    "events": ("teal events checkout-3f9a1c07", "teal events prod/checkout --follow --json"),
    "approve": (
        'teal approve prod/checkout --reason "dashboards are fine"',
        "teal approve checkout-3f9a1c07 --step 2",
    ),
    "reject": ('teal reject prod/checkout --reason "prices are wrong"',),
    "pause": ('teal pause prod/checkout --reason "waiting for the database"',),
    "resume": ("teal resume prod/checkout",),
    "promote": ('teal promote prod/checkout --reason "seen enough"', "teal promote prod/checkout --full"),
    "back": ('teal back prod/checkout --to 10% --reason "one more look"',),
    "rollback": (
        'teal rollback prod/checkout --reason "customers complain"',
        "teal rollback prod/checkout --direct --dry-run",
        'teal rollback prod/checkout --direct --yes --reason "the server is away"',
    ),
    "abandon": ('teal abandon checkout-3f9a1c07 --yes --reason "moved by hand"',),
    "services": ("teal services", "teal services prod/checkout --json"),
    "serve": ("teal serve", "teal serve --host 0.0.0.0 --port 8080 --settings settings.yaml"),
    "simulate": (
        "teal simulate -f rollout.yaml --rps 250 --error-rate 0.1%",
        "teal simulate -f rollout.yaml --rps 10 --defect total --defect 5x --plot harm.svg",
    ),
    "verify-account": (
        "teal verify-account --subnets subnet-0aaa,subnet-0bbb --security-group sg-0123 --dry-run",
        "teal verify-account --subnets subnet-0aaa,subnet-0bbb --security-group sg-0123 --yes -o seen/",
        "teal verify-account --service test/checkout --only preflight,good",
        "teal verify-account --clean",
    ),
    "evidence": ("teal evidence events.json",),
    "report": (
        "teal report checkout-3f9a1c07",
        "teal report checkout-3f9a1c07 --json",
        "teal report checkout-3f9a1c07 --log events.json",
    ),
    "tokens": (
        "teal tokens create --name ci --role operator --service prod/checkout --expires 30d",
        "teal tokens create --name ci --role operator --output ci.token",
        "teal -p prod tokens list --output wide",
        "teal tokens revoke t-3f9a1c0712ab34cd",
    ),
    "login": (
        "teal login prod --server https://teal.example.com",
        "teal -p prod login",
    ),
    "profile": (
        "teal profile list",
        "teal profile use prod",
        "teal profile set ci --server https://teal.example.com --token-env TEAL_CI_TOKEN",
    ),
    "completion": (
        'eval "$(teal completion bash)"                                # in ~/.bashrc',
        'eval "$(teal completion zsh)"                                 # in ~/.zshrc, after compinit',
        "teal completion fish > ~/.config/fish/completions/teal.fish",
    ),
    "schema": ("teal schema > rollout.schema.json",),
    "migrate": ("teal migrate",),
    "backup": ("teal backup /var/backups/teal.db",),
    "restore": ("teal restore /var/backups/teal.db",),
    "check-store": ("teal check-store",),
    "version": ("teal version", "teal version --json"),
}


def epilog(command: str) -> str:
    """The examples of a command as click prints them: a paragraph that is not wrapped."""
    lines = EXAMPLES.get(command, ())
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)]) if lines else ""
