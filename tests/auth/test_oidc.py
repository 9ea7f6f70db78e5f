"""Tokens of an issuer: genuine ones are believed, and whatever else anybody makes up is not."""

import asyncio
import base64
import hmac
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.jwk import OctKey, RSAKey

from api.auth.keys import keys_of
from api.problems import Forbidden, IssuerAway, Unauthenticated
from orchestrator.core.domain.roles import Principal, Role
from orchestrator.settings import JobRule, Person
from tests.auth.conftest import Gate
from tests.auth.issuer import AUDIENCE, FakeIssuer, an_issuer

pytestmark = pytest.mark.machine


def known(gate: Gate, token: str) -> Principal:
    return asyncio.run(gate.issuers.principal_of(token))


def refused(gate: Gate, token: str) -> str:
    with pytest.raises(Unauthenticated) as caught:
        known(gate, token)
    assert caught.value.challenge == 'Bearer realm="teal", error="invalid_token"'
    return caught.value.why


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "alg", ["RS256", "RS384", "RS512", "PS256", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
)
def test_genuine_token_is_believed_whatever_good_signature_it_has(gate: Gate, alg: str) -> None:
    key = gate.issuer.new_key("k2", alg)
    gate.issuer.keys = [gate.issuer.keys[0], key]
    with pytest.warns() if alg == "EdDSA" else _nothing():  # joserfc warns whoever signs by the old name
        token = gate.issuer.token(gate.issuer.claims(gate.clock.now()), alg=alg, key=key)
    assert known(gate, token) == Principal(
        name="operator@teal.example", role=Role.OPERATOR, source="http", groups=("release",)
    )


class _nothing:  # noqa: N801 - reads as a word
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


def test_token_signed_by_somebody_elses_key_is_refused(gate: Gate) -> None:
    forged = gate.issuer.token(gate.issuer.claims(gate.clock.now()), key=gate.issuer.new_key("k1"))
    assert "signature" in refused(gate, forged)


def test_token_whose_claims_were_changed_is_refused(gate: Gate) -> None:
    head, _, signature = gate.token().split(".")
    claims = gate.issuer.claims(gate.clock.now(), groups=["leads"])
    assert "signature" in refused(gate, f"{head}.{part(claims)}.{signature}")


@pytest.mark.parametrize("alg", ["none", "None", "nOnE"])
def test_token_without_a_signature_is_refused(gate: Gate, alg: str) -> None:
    claims = gate.issuer.claims(gate.clock.now())
    assert refused(gate, f"{part({'alg': alg, 'kid': 'k1'})}.{part(claims)}.") != ""


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
@pytest.mark.parametrize("form", ["PEM", "DER"])
def test_public_key_is_never_taken_for_a_shared_secret(gate: Gate, alg: str, form: str) -> None:
    public = gate.issuer.keys[0]
    assert isinstance(public, RSAKey)
    secret = public.as_pem(private=False) if form == "PEM" else public.as_der(private=False)
    signed = f"{part({'alg': alg, 'kid': 'k1'})}.{part(gate.issuer.claims(gate.clock.now()))}"
    digest = hmac.digest(secret, signed.encode(), f"sha{alg[2:]}")
    signature = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert "signed" in refused(gate, f"{signed}.{signature}")


def test_secret_among_the_published_keys_is_never_used(gate: Gate) -> None:
    secret = OctKey.import_key({"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXM", "kid": "k9"})
    keys = {"keys": [secret.as_dict(private=True)]}
    gate.issuer.answers["/keys"] = (200, json.dumps(keys).encode())
    forged = gate.issuer.token(gate.issuer.claims(gate.clock.now()), alg="HS256", key=secret)
    assert refused(gate, forged) != ""


def test_key_of_one_kind_verifies_no_signature_of_another(gate: Gate) -> None:
    elliptic = gate.issuer.new_key("k1", "ES256")  # the same name as the published RSA key
    forged = gate.issuer.token(gate.issuer.claims(gate.clock.now()), alg="ES256", key=elliptic)
    assert "signature" in refused(gate, forged)


def test_key_that_is_published_for_something_else_verifies_nothing(gate: Gate) -> None:
    good = gate.token()
    public = {**gate.issuer.keys[0].as_dict(private=False)}
    for purpose in ({"use": "enc"}, {"alg": "RS512"}, {"key_ops": ["encrypt"]}):
        gate.issuer.answers["/keys"] = (200, json.dumps({"keys": [{**public, **purpose}]}).encode())
        gate.set_up(gate.one)
        assert refused(gate, good) != "", purpose


def test_weak_key_is_not_believed() -> None:
    weak = rsa.generate_private_key(65537, 1024).public_key().public_numbers()
    one = {
        "kty": "RSA",
        "kid": "weak",
        "e": "AQAB",
        "n": base64.urlsafe_b64encode(weak.n.to_bytes(128)).decode(),
    }
    assert keys_of({"keys": [one]}) == ()


@pytest.mark.parametrize(
    "header",
    [
        {"kid": "nobody"},
        {"kid": "../../keys"},
        {"kid": "k1' OR '1'='1"},
        {"kid": 7},
        {"crit": ["exp"]},
        {"crit": ["b64"], "b64": False},
        {"typ": "logout+jwt"},
        {"typ": "secevent+jwt"},
    ],
)
def test_tricks_in_the_header_lead_nowhere(gate: Gate, header: dict[str, Any]) -> None:
    _, body, signature = gate.token().split(".")
    told = {"alg": "RS256", "kid": "k1", **header}
    refused(gate, f"{part(told)}.{body}.{signature}")
    assert set(gate.issuer.asked) <= {"/.well-known/openid-configuration", "/keys"}


def test_keys_that_a_token_brings_along_are_not_looked_at(gate: Gate) -> None:
    own = gate.issuer.new_key("mine")
    with an_issuer() as other:
        other.keys = [own]
        forged = gate.issuer.token(
            gate.issuer.claims(gate.clock.now()),
            key=own,
            kid="mine",
            jku=f"{other.url}/keys",
            jwk=own.as_dict(private=False),
        )
        refused(gate, forged)
        assert other.asked == []


def test_token_without_a_key_id_is_believed_only_while_there_is_one_key(gate: Gate) -> None:
    token = gate.issuer.token(gate.issuer.claims(gate.clock.now()), kid=None)
    assert known(gate, token).role is Role.OPERATOR
    gate.issuer.keys = [*gate.issuer.keys, gate.issuer.new_key("k2")]
    gate.set_up(gate.one)
    refused(gate, token)


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"iss": "https://evil.example"}, "issuer"),
        ({"iss": ["x"]}, "issuer"),
        ({"iss": None}, "issuer"),
        ({"aud": "another"}, "audience"),
        ({"aud": None}, "audience"),
        ({"aud": [7]}, "audience"),
        ({"aud": [AUDIENCE, "another"]}, "several audiences"),
        ({"azp": "another"}, "another party"),
        ({"exp": None}, "exp"),
        ({"exp": "tomorrow"}, "exp"),
        ({"exp": 1e400}, "read"),
        ({"iat": None}, "iat"),
        ({"sub": None}, "sub"),
        ({"sub": 5}, "sub"),
    ],
)
def test_claim_that_does_not_hold_is_refused(gate: Gate, claims: dict[str, Any], why: str) -> None:
    assert why in refused(gate, gate.token(**claims)) or why == "read"


def test_several_audiences_are_fine_when_it_was_made_for_this_one(gate: Gate) -> None:
    assert known(gate, gate.token(aud=[AUDIENCE, "another"], azp=AUDIENCE)).role is Role.OPERATOR


@pytest.mark.parametrize(
    ("claim", "seconds", "is_good"),
    [
        ("exp", -29, True),
        ("exp", -31, False),
        ("nbf", 29, True),
        ("nbf", 31, False),
        ("iat", 29, True),
        ("iat", 31, False),
    ],
)
def test_clocks_may_differ_by_half_a_minute(gate: Gate, claim: str, seconds: int, is_good: bool) -> None:
    token = gate.token(**{claim: int(gate.clock.now().timestamp()) + seconds})
    if is_good:
        assert known(gate, token).role is Role.OPERATOR
    else:
        refused(gate, token)


@pytest.mark.parametrize("text", ["", ".", "..", "a.b.c", "....", "e30.e30.e30", "x" * 20_000, "a.b.c.d.e"])
def test_text_that_is_no_token_is_refused(gate: Gate, text: str) -> None:
    refused(gate, text)
    assert gate.issuer.asked == []


# keys -----------------------------------------------------------------------------------------------------------


def test_keys_are_asked_for_once_for_many_tokens(gate: Gate) -> None:
    token = gate.token()

    async def many() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(20):
                group.create_task(gate.issuers.principal_of(token))

    asyncio.run(many())
    assert gate.issuer.asked == ["/.well-known/openid-configuration", "/keys"]


def test_rotated_key_is_found_by_asking_again_at_most_every_half_minute(gate: Gate) -> None:
    known(gate, gate.token())
    gate.issuer.rotate("k2")
    token = gate.token()
    for _ in range(5):
        refused(gate, token)  # too soon to ask again
    assert gate.issuer.asked.count("/keys") == 1
    gate.clock.move(timedelta(seconds=30))
    assert known(gate, token).role is Role.OPERATOR
    assert gate.issuer.asked.count("/keys") == 2


def test_withdrawn_key_is_no_longer_believed_once_the_keys_were_read_again(gate: Gate) -> None:
    old = gate.issuer.token(
        gate.issuer.claims(gate.clock.now(), exp=int(gate.clock.now().timestamp()) + 9000)
    )
    known(gate, old)
    gate.issuer.rotate("k2")
    gate.clock.move(timedelta(minutes=10))
    refused(gate, old)


def test_keys_serve_on_while_the_issuer_is_away_but_not_for_ever(gate: Gate) -> None:
    exp = int((gate.clock.now() + timedelta(days=2)).timestamp())
    token = gate.token(exp=exp)
    known(gate, token)
    gate.issuer.is_away = True
    gate.clock.move(timedelta(hours=23))
    assert known(gate, token).role is Role.OPERATOR
    gate.clock.move(timedelta(hours=2))
    with pytest.raises(IssuerAway):
        known(gate, token)
    gate.issuer.is_away = False
    gate.clock.move(timedelta(seconds=30))
    assert known(gate, token).role is Role.OPERATOR


def test_issuer_that_never_answered_lets_nobody_in_and_says_try_again(gate: Gate) -> None:
    gate.issuer.is_away = True
    with pytest.raises(IssuerAway) as caught:
        known(gate, gate.token())
    assert (caught.value.http_status, "try again" in caught.value.next_step) == (503, True)


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/.well-known/openid-configuration", (200, b"[]")),
        ("/.well-known/openid-configuration", (200, b"<html>")),
        ("/.well-known/openid-configuration", (302, b"")),
        ("/.well-known/openid-configuration", (200, b'{"issuer": "https://evil.example", "jwks_uri": "https://evil.example"}')),
        ("/keys", (200, b"[" * 100_000)),
        ("/keys", (200, b" " * 600_000)),
        ("/keys", (302, b"")),
    ],
)  # fmt: skip
def test_answer_of_an_issuer_that_is_none_is_not_believed(
    gate: Gate, path: str, answer: tuple[int, bytes]
) -> None:
    gate.issuer.answers[path] = answer
    with pytest.raises(IssuerAway):
        known(gate, gate.token())


@pytest.mark.parametrize("place", ["http://192.0.2.1/keys", "file:///etc/passwd", "ftp://x", 7, None])
def test_keys_are_asked_for_over_https_or_on_this_machine(gate: Gate, place: object) -> None:
    gate.issuer.discovery["jwks_uri"] = place
    with pytest.raises(IssuerAway):
        known(gate, gate.token())


def test_unknown_key_in_the_set_spoils_no_other(gate: Gate) -> None:
    public = gate.issuer.keys[0].as_dict(private=False)
    keys = {"keys": [{"kty": "AKP", "kid": "pq"}, 5, {"kty": "RSA"}, {"kty": "EC", "crv": "P-9"}, public]}
    gate.issuer.answers["/keys"] = (200, json.dumps(keys).encode())
    assert known(gate, gate.token()).role is Role.OPERATOR


# people and jobs ------------------------------------------------------------------------------------------------


def test_highest_role_of_ones_groups_counts(gate: Gate) -> None:
    assert known(gate, gate.token(groups=["release", "leads", "other"])).role is Role.APPROVER


def test_person_of_the_settings_has_the_role_scope_and_name_written_there(gate: Gate) -> None:
    person = Person(
        name="operator",
        also=("operator@teal.example",),
        role=Role.VIEWER,
        services=("prod/*",),
        groups=("on-call",),
    )
    gate.set_up(gate.one, people=(person,))
    assert known(gate, gate.token()) == Principal(
        name="operator",
        role=Role.VIEWER,
        source="http",
        services=("prod/*",),
        groups=("release", "on-call"),
    )


@pytest.mark.parametrize("spelt", ["Operator@Teal.Example", "OPERATOR@TEAL.EXAMPLE"])
def test_person_is_the_same_however_their_issuer_spells_them(gate: Gate, spelt: str) -> None:
    gate.set_up(gate.one, people=(Person(name="operator@teal.example", role=Role.VIEWER),))
    found = known(gate, gate.token(email=spelt))
    assert (found.name, found.role) == ("operator@teal.example", Role.VIEWER)


@pytest.mark.parametrize(
    "claims",
    [
        {"groups": ["nobody"]},
        {"groups": None},
        {"groups": {"release": True}},
        {"email": None},
        {"email": 5},
        {"email": "x\ny"},
        {"email": "x" * 300},
        {"email_verified": False},
        {"email_verified": None},
        {"email_verified": "yes"},
    ],
)
def test_person_without_role_or_proven_name_is_forbidden(gate: Gate, claims: dict[str, Any]) -> None:
    with pytest.raises(Forbidden):
        known(gate, gate.token(**claims))


JOB = JobRule(
    claims=(("repository", "shop/checkout"), ("ref", "refs/heads/release-*")),
    role=Role.OPERATOR,
    services=("prod/checkout",),
)
CLAIMS = {
    "repository": "shop/checkout",
    "ref": "refs/heads/release-7",
    "actor": "author-on-ci",
    "email": None,
}


def test_job_gets_its_rules_role_and_scope_and_acts_for_whoever_set_it_off(gate: Gate) -> None:
    gate.differing(jobs=(JOB,))
    assert known(gate, gate.token(**CLAIMS)) == Principal(
        name="author-on-ci", role=Role.OPERATOR, source="http", services=("prod/checkout",)
    )


def test_author_is_known_again_by_their_name_on_ci_and_lends_the_job_nothing(gate: Gate) -> None:
    author = Person(name="author", also=("author-on-ci",), role=Role.ADMIN, groups=("release",))
    gate.differing(jobs=(JOB,))
    gate.set_up(gate.settings.issuers[0], people=(author,))
    found = known(gate, gate.token(**CLAIMS))
    assert (found.name, found.role, found.groups) == ("author", Role.OPERATOR, ())


@pytest.mark.parametrize(
    "changes",
    [
        {"repository": "shop/checkout2"},
        {"repository": "evil/shop/checkout"},
        {"repository": "Shop/checkout"},
        {"repository": ["shop/checkout"]},
        {"ref": "refs/heads/main"},
        {"ref": None},
        {"actor": None},
    ],
)
def test_job_that_fits_no_rule_or_names_nobody_is_forbidden(gate: Gate, changes: dict[str, Any]) -> None:
    gate.differing(jobs=(JOB,))
    with pytest.raises(Forbidden):
        known(gate, gate.token(**{**CLAIMS, **changes}))


def test_rules_of_jobs_do_not_add_up(gate: Gate) -> None:
    wide = JobRule(claims=(("repository", "*"),), role=Role.VIEWER)
    gate.differing(jobs=(wide, JOB))
    assert known(gate, gate.token(**CLAIMS)).role is Role.VIEWER


def test_rule_without_claims_fits_no_job(gate: Gate) -> None:
    gate.differing(jobs=(JobRule(claims=(), role=Role.ADMIN),))
    with pytest.raises(Forbidden):
        known(gate, gate.token(**CLAIMS))


def test_one_issuer_may_serve_people_and_jobs_by_audience(gate: Gate, running: FakeIssuer) -> None:
    gate.set_up(gate.one, replace(gate.one, audience="teal-ci", jobs=(JOB,)))
    assert known(gate, gate.token()).name == "operator@teal.example"
    assert known(gate, gate.token(**CLAIMS, aud="teal-ci")).name == "author-on-ci"
    assert running.asked.count("/keys") == 1


def test_refusals_tell_nothing_of_the_token(gate: Gate) -> None:
    token = gate.token(aud="another-one")
    with pytest.raises(Unauthenticated) as caught:
        known(gate, token)
    assert token not in str(caught.value)
    assert "another-one" not in str(caught.value)
