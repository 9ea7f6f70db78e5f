"""What blue's deployment configuration is given back as, after the way back has switched off what watches."""

import json
from typing import Any

import pytest

from orchestrator.core.cloud.deployment_configuration import given_back, unwatched
from orchestrator.core.domain.ids import Json

HOOK = {"hookTargetArn": "arn:aws:lambda:eu-west-1:1:function:check", "lifecycleStages": ["PRE_SCALE_UP"]}
BASE = {
    "maximumPercent": 200,
    "minimumHealthyPercent": 100,
    "deploymentCircuitBreaker": {"enable": True, "rollback": True},
    "alarms": {"alarmNames": ["a"], "enable": True, "rollback": True},
    "lifecycleHooks": [HOOK],
}


def text(configuration: dict[str, Any]) -> Json:
    return Json(json.dumps(configuration))


@pytest.mark.parametrize("seen", [text(BASE), unwatched(text(BASE))], ids=["as it was", "as Teal made it"])
def test_what_nobody_else_has_changed_is_given_back_to_the_letter(seen: Json) -> None:
    assert given_back(text(BASE), seen) == text(BASE)


def test_what_others_have_set_since_stays_and_is_watched_as_before() -> None:
    theirs = {**json.loads(unwatched(text(BASE))), "maximumPercent": 150}
    assert json.loads(given_back(text(BASE), text(theirs))) == {**BASE, "maximumPercent": 150}


def test_giving_back_is_over_once_it_reads_back() -> None:
    theirs = text({**json.loads(unwatched(text(BASE))), "maximumPercent": 150})
    once = given_back(text(BASE), theirs)
    assert json.loads(given_back(text(BASE), once)) == json.loads(once)
