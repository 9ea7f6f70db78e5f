"""The list of what AWS refuses against a real account, for whoever asks: ``pytest -m aws tests/verify``.

The environment names the account and a place in it: TEAL_VERIFY_ACCOUNT (its number), TEAL_VERIFY_VPC,
TEAL_VERIFY_SUBNETS (two, of two zones), TEAL_VERIFY_SECURITY_GROUP, and a certificate for HTTPS listeners where there
is one (TEAL_VERIFY_CERTIFICATE). What Teal believes of AWS is asked by ``teal verify-account``.
"""

import os
import time
from collections.abc import Iterator

import pytest

from tests.verify.account import Unnamed, named_by, open_account
from tests.verify.check import Check, made
from tests.verify.place import Place
from tests.verify.refusals import CHECKS


@pytest.fixture(scope="module")
def real() -> Iterator[Place]:
    try:
        named = named_by(os.environ)
        account = open_account(named, lambda span: time.sleep(span.total_seconds())) if named else None
    except Unnamed as lack:
        pytest.fail(str(lack))
    if account is None:
        pytest.skip("no account is named: see the first lines of this file")
    yield account.place
    assert account.place.close() == []


@pytest.mark.aws
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_aws_answers_as_believed(check: Check, real: Place) -> None:
    outcome = made(check, real)
    if outcome.is_as_believed is None:
        pytest.skip(outcome.answer)
    assert outcome.is_as_believed, outcome.answer
