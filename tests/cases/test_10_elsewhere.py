"""Names of things in another account or region: refused, and AWS is not even asked about them."""

import pytest

from tests.cases.starts import refused
from tests.support.rehearsal import Rehearsal

OWN, ANOTHER = "eu-west-1:123456789012", "eu-west-1:999999999999"


@pytest.mark.parametrize("key", ["rules", "test_rules", "task_definition"])
@pytest.mark.parametrize("place", [ANOTHER, "us-east-1:123456789012"], ids=["account", "region"])
def test_case_10_a_name_of_another_account_or_region_is_refused_without_a_call_about_it(
    key: str, place: str
) -> None:
    """The finding says whose it is and where the rollout runs; nothing else is said of that name."""
    with Rehearsal(requests_per_second=5) as stage:
        revision = stage.revision()
        named = revision if key == "task_definition" else stage.scenery.rules[0]
        foreign = named.replace(OWN, place)
        spec = stage.spec(revision, **{key: foreign if key == "task_definition" else (foreign,)})
        start = len(stage.world.log)
        words = refused(stage, spec)
        region, account = place.split(":")
        assert f"{foreign} belongs to account {account} in {region}" in words
        assert "the rollout runs in account 123456789012 in eu-west-1" in words
        assert words.count(foreign) == 1
        assert [call.operation for call in stage.world.log[start:] if foreign in str(call.params)] == []
