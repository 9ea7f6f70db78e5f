"""``make verify-aws``: what AWS refuses, asked of a real account, if and only if the environment names one."""

import os
import sys
import time
from collections.abc import Callable, Mapping
from datetime import timedelta

from tests.verify.account import Account, Unnamed, named_by, open_account
from tests.verify.check import Outcome, made
from tests.verify.marks import table
from tests.verify.refusals import CHECKS

HOW = """
Nothing was asked of AWS. To ask a real account, name it and a place in it, and run `make verify-aws` again:

  TEAL_VERIFY_ACCOUNT=123456789012         the account's number; it must be the one of the credentials found
  TEAL_VERIFY_VPC=vpc-…                    a network, with
  TEAL_VERIFY_SUBNETS=subnet-…,subnet-…    two subnets in two zones and
  TEAL_VERIFY_SECURITY_GROUP=sg-…          a security group
  TEAL_VERIFY_CERTIFICATE=arn:…            (optional) a certificate, for checks of HTTPS listeners

Credentials and region are found as every AWS tool finds them. It makes two internal load balancers, some target groups,
a cluster, a task definition and services without tasks (one wants a task for a moment), all named teal-verify-…, and
removes them; a few minutes and a few cents. Use an account in which nothing else is at stake."""


def main(
    environment: Mapping[str, str],
    say: Callable[[str], None],
    pause: Callable[[timedelta], None] = lambda span: time.sleep(span.total_seconds()),
) -> int:
    """Run the list if an account is named; the exit code: 0 as believed or not asked, 1 otherwise, 2 not begun."""
    try:
        named = named_by(environment)
    except Unnamed as lack:
        say(f"verify-aws: {lack}")
        return 2
    if named is None:
        for words in table({}):
            say(words)
        say(HOW)
        return 0
    try:
        account = open_account(named, pause)
    except Unnamed as lack:
        say(f"verify-aws: {lack}")
        return 2
    return _run(account, say)


def _run(account: Account, say: Callable[[str], None]) -> int:
    outcomes: dict[str, Outcome] = {}
    try:
        for check in CHECKS:
            outcome = outcomes[check.name] = made(check, account.place)
            verdict = {True: "as believed", False: "OTHERWISE", None: "not made"}[outcome.is_as_believed]
            say(f"{verdict:<12} {check.name}: {outcome.answer}")
    finally:
        left = account.place.close()
        for words in left:
            say(f"left behind: {words}")
    say("")
    for words in table(outcomes):
        say(words)
    is_otherwise = any(outcome.is_as_believed is False for outcome in outcomes.values())
    return 1 if is_otherwise or left else 0


if __name__ == "__main__":
    sys.exit(main(os.environ, print))
