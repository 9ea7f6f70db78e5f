"""docs/settings.md: every key of the server's settings file, from its published schema."""

from docs.pages.markdown import code, document, table
from docs.pages.rollout_file import HEAD, rows
from orchestrator.config.settings_file.models import settings_schema
from orchestrator.outbound.addresses import NEVER

EXAMPLE = """\
public_url: https://teal.example.com
accounts:                          # rollout files name one: account: production
  - {alias: production, role: "arn:aws:iam::123456789012:role/teal", external_id: "teal-7f3a", region: eu-west-1}
registries: ["123456789012.dkr.ecr.eu-west-1.amazonaws.com/*"]
hosts:
  allowed: ["*.example.com"]
  private: [smoke.internal]
issuers:
  - {url: "https://login.example.com", audience: teal, roles: {release: approver, engineering: operator}}
  - url: https://token.actions.githubusercontent.com
    audience: teal
    jobs:
      - claims: {repository: example-org/checkout, ref: refs/heads/main}
        role: operator
        services: ["production:prod/checkout"]
people:
  - {name: author@example.com, slack: U024BE7LH, also: [author-on-github], groups: [release]}
slack:
  token: {env: TEAL_SLACK_TOKEN}
  signing_secret: {file: /run/secrets/slack-signing}
  channel: "#deploys"
  team: T1H9RESGL
  groups: {release: S0615G0KT}
freezes:
  - {from: 2026-12-19, to: 2027-01-03, zone: Europe/Berlin, reason: year's end}
  - {from: "2026-11-27 06:00", to: "2026-11-30 12:00", zone: Europe/Berlin, reason: sale, services: ["prod/shop-*"]}
hooks:
  - {name: pager, url: "https://events.example.com/teal", secret: {env: TEAL_PAGER_KEY}, events: [held, paged]}
"""


def page() -> str:
    """The page's text."""
    schema = settings_schema()
    return document(
        "The settings file",
        "the models of `orchestrator/config/settings_file/models.py`",
        "What a server needs beside its environment: who has access, which AWS accounts, image registries "
        "and hosts "
        "are allowed, and who is notified. It is the operator's word: nothing in a rollout file can widen it. "
        "`teal serve --settings FILE` reads it, or any command whose `TEAL_SETTINGS` names it; "
        "`teal serve --check` reads it and ends. Without a file every setting has its default. A whole one:",
        code(EXAMPLE, "yaml"),
        "Every mistake is named at once, each as `file:line: what is wrong: what to write instead`, and the "
        "server does "
        "not start (exit code 2). Editors complete the file from its JSON Schema, `settings.schema.json` here and "
        "`teal schema --settings`.",
        "## Secrets",
        "A secret never stands in the file. `{env: NAME}` takes it from an environment variable, "
        "`{file: /path}` from a "
        "file, whose last newline is left out. A file that every user of the machine may read is refused; "
        "`chmod o-rwx` closes it. Secrets are read once, when the server starts, and appear in no log, error or "
        "event.",
        "## Services and accounts",
        "A service is named `cluster/service`; one of an account that `accounts` lists is named with its alias "
        "before "
        "it, `production:prod/checkout`, at every door and in every list. Patterns of services (`services` "
        "above) are "
        "matched against that name: `prod/*` is every service of the cluster `prod` under the server's own "
        "credentials, "
        "`production:prod/*` of the same cluster in that account. Without any pattern, every service is meant.",
        "## People",
        "One person is one identity: names are compared trimmed, without case and in Unicode's composed form, at "
        "every door and in `approvers`, and are shown as they were written. Two people whose names differ in case "
        "alone are refused. Groups (`group:release`) are compared to the letter. A token may not have a person's "
        "name, so that nobody makes one that acts in their name: `tokens` of a person lists the names of those that "
        "they carry themselves, and what comes by one is theirs; the token's id is in the log and the audit log. An "
        "email address is believed where the issuer says `email_verified: true`; where an issuer does not, name "
        "another claim as `name_claim`.",
        "## Images",
        "A pattern of `registries` is matched against the image as the task definition writes it, with and without "
        "its tag or digest; names without a registry are Docker Hub's (`nginx` is `docker.io/library/nginx`). "
        "Before the "
        "first slash `*` stands for parts of the registry's name alone. A revision with any other image is "
        "refused by "
        "preflight, and again when its rollout begins.",
        "## Hosts",
        "Requests that somebody else named go to public addresses over https. `hosts.private` opens single "
        "hosts whose "
        "addresses are private, loopback or link-local, and lets them do without TLS. A host is resolved once, "
        "all its "
        "addresses are judged, and the connection is made to these; redirects are not followed. Never reached, "
        f"also where a private host leads there: {', '.join(f'`{network}`' for network in NEVER)} (metadata and "
        "credentials of clouds), and addresses that are no host's.",
        "## Bounds",
        "`teal serve` has its engine in one process and its doors in another, which is started again if it ends. What "
        "the doors may be asked is bounded, and a rollback is accepted whatever else is asked of them: "
        "`bounds` has the figures. Where there is no room for one more connection, the one goes whose client has said "
        "nothing for longest, of the address that has most. Behind a proxy every connection has the proxy's address: "
        "name it in `trusted_proxies`, and clients are told apart by the last address in `X-Forwarded-For` that is no "
        "proxy's. Files are read, plans simulated and AWS asked for callers in turn; a rollout file has at most 20 "
        "levels and 10,000 values. Of calls without a token ten a minute of an address, and sixty in all, are in the "
        "audit log, which keeps the newest thousand of them.",
        "## Freezes",
        "`freezes` is one calendar for every rollout: while one is in force no rollout of the services it names "
        "starts "
        "and no green grows; what is under way holds, or is rolled back if its file says `at_close: rollback`. "
        "Rollbacks "
        "and traffic that returns to blue are never held up. `teal serve` keeps its calendar in the store when it "
        "starts, so "
        "that every engine of the store keeps to it (within ten seconds), also a `teal deploy` on somebody's "
        "machine. "
        "Several servers of one store should have the same calendar: the last one to start says what the store "
        "holds. "
        "Without `freezes` the store's stays as it is; `freezes: []` empties it. A date as `to` means the end "
        "of that "
        "day, in `zone`.",
        "Emergencies go through: a rollout started with `override: why` in its file, or `--override 'why'`, is "
        "bound by "
        "neither freeze nor window. That takes the role approver at the server's door, and is in the audit log as "
        "`window_overridden` and with the webhooks and messages that people get.",
        "## Every key",
        table(HEAD, rows(schema, schema)),
    )
