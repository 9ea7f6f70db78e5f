"""Mistakes between a settings file's values that are each right alone: a name given twice, a hook nobody may reach.

They are looked for in what was written, as in ``rollout_file/cross_checks.py``: a value that is wrong by
itself has its own mistake.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator

from orchestrator.config.gates.window import is_ordered
from orchestrator.config.settings_file.secrets import Secrets
from orchestrator.config.text.quantities import shown
from orchestrator.config.text.yaml_document import Document, Value
from orchestrator.core.domain.errors import Mistake
from orchestrator.core.domain.identity import identity_of
from orchestrator.outbound.addresses import refusal_before
from orchestrator.outbound.targets import target_of
from orchestrator.settings import Hosts

PATHS = frozenset({"repository", "project_path", "job_workflow_ref", "workflow_ref", "sub"})
"""Claims whose value begins with the owner of a repository or project, up to a slash."""
IDENTITIES = PATHS | {
    "repository_id",
    "repository_owner",
    "repository_owner_id",
    "project_id",
    "namespace_id",
    "namespace_path",
    "organization_id",
    "organization_slug",
    "pipeline_id",
    "pipeline_slug",
}
"""Claims that say whose job it is, as GitHub, GitLab, CircleCI, Bitbucket and Buildkite name them."""
_KEY_BYTES = range(24, 65)  # Standard Webhooks


def settings_relations(document: Document, secrets: Secrets) -> Iterator[Mistake]:
    """Every mistake between values, and in secrets by their form."""
    if not isinstance(document.value, dict):
        return
    yield from _twice(document, "accounts", "alias")
    yield from _twice(document, "hooks", "name")
    yield from _twice(document, "people", "slack")
    yield from _names(document)
    yield from _accounts(document)
    yield from _issuers(document)
    yield from _hooks(document, _hosts(document))
    yield from _prometheus(document)
    yield from _freezes(document)
    yield from _forms(document, secrets)


def _twice(document: Document, section: str, key: str) -> Iterator[Mistake]:
    first: dict[str, int] = {}
    for index, entry in _entries(document, section):
        value = entry.get(key)
        if not isinstance(value, str):
            continue
        if value in first:
            what = (
                f"{section}[{index + 1}].{key}: {shown(value)} is also that of {section}[{first[value] + 1}]"
            )
            yield document.mistake(f"/{section}/{index}/{key}", what, "give each its own")
        first.setdefault(value, index)


def _names(document: Document) -> Iterator[Mistake]:
    """A name is one person's, whether it is their name or one by which a door knows them."""
    first: dict[str, tuple[int, str, bool]] = {}
    for index, entry in _entries(document, "people"):
        for pointer, name in _written(index, entry):
            is_token = "/tokens/" in pointer
            known = first.setdefault(identity_of(name), (index, name, is_token))
            if known[0] != index:
                what = f"people[{index + 1}]: {shown(name)} is also a name of people[{known[0] + 1}]"
                case = "" if known[1] == name else f", as {shown(known[1])}: case makes nobody another person"
                yield document.mistake(pointer, what + case, "let each name be one person's")
            elif known[2] != is_token:
                what = f"people[{index + 1}]: {shown(name)} is the name of a person and of a token"
                yield document.mistake(pointer, what, "give the token a name of its own")


def _written(index: int, entry: dict[str, Value]) -> Iterator[tuple[str, str]]:
    """Every name that a person's entry holds, with its place."""
    name = entry.get("name")
    if isinstance(name, str):
        yield f"/people/{index}/name", name
    for key in ("also", "tokens"):
        for at, also in enumerate(_texts(entry.get(key))):
            yield f"/people/{index}/{key}/{at}", also


def _accounts(document: Document) -> Iterator[Mistake]:
    for index, entry in _entries(document, "accounts"):
        if "external_id" in entry and "role" not in entry:
            what = f"accounts[{index + 1}].external_id: there is no role that could ask for it"
            yield document.mistake(f"/accounts/{index}/external_id", what, "write the role's ARN as role")


def _issuers(document: Document) -> Iterator[Mistake]:
    first: dict[tuple[str, str], int] = {}
    for index, entry in _entries(document, "issuers"):
        url, audience, jobs = entry.get("url"), entry.get("audience"), entry.get("jobs")
        if (
            isinstance(url, str)
            and isinstance(audience, str)
            and first.setdefault((url, audience), index) != index
        ):
            what = (
                f"issuers[{index + 1}]: the same issuer and audience as issuers[{first[url, audience] + 1}]"
            )
            yield document.mistake(f"/issuers/{index}/url", what, "write both as one")
        if jobs and entry.get("roles"):
            what = f"issuers[{index + 1}].roles: the issuer's tokens are CI jobs', as it has jobs"
            yield document.mistake(f"/issuers/{index}/roles", what, "write the role into each job's rule")
        if isinstance(jobs, list):
            for at, job in enumerate(jobs):
                yield from _job(
                    document, f"/issuers/{index}/jobs/{at}", f"issuers[{index + 1}].jobs[{at + 1}]", job
                )


def _job(document: Document, pointer: str, name: str, job: Value) -> Iterator[Mistake]:
    claims = job.get("claims") if isinstance(job, dict) else None
    if not isinstance(claims, dict):
        return
    place = f"{pointer}/claims"
    example = "write {repository: example-org/checkout, ref: refs/heads/main}"
    if not claims:
        yield document.mistake(place, f"{name}.claims: every job of this issuer would match", example)
        return
    identities = {claim: str(value) for claim, value in claims.items() if claim in IDENTITIES}
    if not identities:
        what = f"{name}.claims: no claim says whose job it is"
        yield document.mistake(place, what, f"add one such as repository or project_path: {example}")
    elif not any(_names_an_owner(claim, value) for claim, value in identities.items()):
        what = f"{name}.claims: {', '.join(identities)} would match the jobs of strangers too"
        yield document.mistake(place, what, "write the owner out before any *: example-org/*")


def _names_an_owner(claim: str, pattern: str) -> bool:
    """True if whatever matches the pattern belongs to one owner."""
    fixed = re.split(r"[*?\[]", pattern, maxsplit=1)[0]
    if fixed == pattern:
        return True
    # GitHub and GitLab write sub as repo:owner/name:…, others as organization:acme:….
    return claim in PATHS and ("/" in fixed or fixed.count(":") >= 2)


def _hooks(document: Document, hosts: Hosts) -> Iterator[Mistake]:
    for index, entry in _entries(document, "hooks"):
        url = entry.get("url")
        if not isinstance(url, str):
            continue
        try:
            found = refusal_before(target_of(url), hosts)
        except ValueError:
            continue
        if found is not None:
            yield document.mistake(f"/hooks/{index}/url", f"hooks[{index + 1}].url: {found[0]}", found[1])


def _prometheus(document: Document) -> Iterator[Mistake]:
    assert isinstance(document.value, dict)
    servers = document.value.get("prometheus")
    for name, entry in servers.items() if isinstance(servers, dict) else ():
        url = entry.get("url") if isinstance(entry, dict) else None
        if not isinstance(entry, dict) or not isinstance(url, str) or not entry.get("token"):
            continue
        try:
            target = target_of(url)
        except ValueError:
            continue
        if target.scheme != "https" and not target.is_loopback:
            what = f"prometheus.{name}.url: the token would go to {target.host} without TLS"
            yield document.mistake(f"/prometheus/{name}/url", what, "write https, or remove the token")


def _freezes(document: Document) -> Iterator[Mistake]:
    for index, entry in _entries(document, "freezes"):
        if not is_ordered(entry.get("from"), entry.get("to")):
            what = (
                f"freezes[{index + 1}].to: {shown(entry.get('to'))} is not after {shown(entry.get('from'))}"
            )
            yield document.mistake(f"/freezes/{index}/to", what, "write a later date")


def _forms(document: Document, secrets: Secrets) -> Iterator[Mistake]:
    """Secrets that were found and cannot be what they should be."""
    for pointer, secret in secrets.found.items():
        text = secret.reveal()
        if pointer == "/slack/token" and not text.startswith("xoxb-"):
            what = "slack.token: what was found is no token of a bot: it does not begin with xoxb-"
            yield document.mistake(pointer, what, "take the Bot User OAuth Token from the app's page")
        if pointer.startswith("/hooks/") and not _is_key(text):
            at = int(pointer.split("/")[2]) + 1
            what = f"hooks[{at}].secret: what was found is not whsec_ and base64 of 24 to 64 bytes"
            yield document.mistake(pointer, what, 'make one: echo "whsec_$(openssl rand -base64 32)"')


def _is_key(text: str) -> bool:
    try:
        key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return False
    return text.startswith("whsec_") and len(key) in _KEY_BYTES


def _hosts(document: Document) -> Hosts:
    assert isinstance(document.value, dict)
    hosts = document.value.get("hosts")
    if not isinstance(hosts, dict):
        return Hosts()
    return Hosts(allowed=_texts(hosts.get("allowed")), private=_texts(hosts.get("private")))


def _texts(value: Value) -> tuple[str, ...]:
    return tuple(_only_texts(value)) if isinstance(value, list) else ()


def _only_texts(values: Iterable[Value]) -> Iterator[str]:
    yield from (value for value in values if isinstance(value, str))


def _entries(document: Document, section: str) -> Iterator[tuple[int, dict[str, Value]]]:
    assert isinstance(document.value, dict)
    entries = document.value.get(section)
    if isinstance(entries, list):
        yield from ((index, entry) for index, entry in enumerate(entries) if isinstance(entry, dict))
