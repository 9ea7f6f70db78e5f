"""Reads that meet several copies go back and forth for a while, and then answer what is so."""

from collections.abc import Callable

import pytest

from sandbox.world import AwsRefusal
from tests.sandbox.world.places import Shop, Wire, calm, seconds, shop
from tests.sandbox.world.test_scaling import register, targets

LONGEST = 2.0


def several_copies() -> Shop:
    s = shop(calm(staleness=seconds(LONGEST), staleness_share=0.5, reads_go_back=True))
    s.world.advance(seconds(LONGEST))
    return s


def weight(s: Shop) -> Wire:
    return s.actions()[0]["ForwardConfig"]["TargetGroups"][0]["Weight"]


def groups(s: Shop) -> list[str]:
    found = s.world.call("elbv2", "DescribeTargetGroups", {})["TargetGroups"]
    return [group["TargetGroupName"] for group in found]


def looks(s: Shop, look: Callable[[Shop], Wire], lasts: float = LONGEST) -> list[Wire]:
    """What forty looks in a row saw."""
    seen = []
    for _ in range(40):
        s.world.advance(seconds(lasts / 40))
        seen.append(look(s))
    return seen


def goes_back(seen: list[Wire], old: Wire, new: Wire) -> bool:
    """True if the old was seen after the new, and nothing else ever was."""
    assert all(one in (old, new) for one in seen), seen
    return new in seen and old in seen[seen.index(new) :]


def split_anew(s: Shop) -> None:
    s.split(blue=7)


def scale(s: Shop) -> None:
    s.update(desiredCount=4)


def raise_the_limit(s: Shop) -> None:
    register(s, MaxCapacity=20)


def delete_a_group(s: Shop) -> None:
    s.world.call("elbv2", "DeleteTargetGroup", {"TargetGroupArn": s.group("green")})


@pytest.mark.parametrize(
    ("change", "look", "old", "new"),
    [
        (split_anew, weight, 1, 7),
        (scale, lambda s: s.service()["desiredCount"], 3, 4),
        (raise_the_limit, lambda s: targets(s)[0]["MaxCapacity"], 12, 20),
        (delete_a_group, lambda s: "green" in groups(s), True, False),
        (lambda s: s.split(green=1), lambda s: set(s.states()), {"healthy"}, {"unused"}),
    ],
    ids=["rules", "services", "scalable targets", "target groups", "target health"],
)
def test_a_later_read_may_answer_an_older_state_until_all_copies_agree(
    change: Callable[[Shop], None], look: Callable[[Shop], Wire], old: Wire, new: Wire
) -> None:
    s = several_copies()
    s.group("green")
    s.world.advance(seconds(LONGEST))
    assert set(map(str, looks(s, look))) == {str(old)}
    change(s)
    assert goes_back(looks(s, look), old, new)
    assert set(map(str, looks(s, look))) == {str(new)}


def test_one_target_group_that_is_unknown_fails_the_whole_call() -> None:
    s = shop()
    green = s.group("green")
    s.world.call("elbv2", "DeleteTargetGroup", {"TargetGroupArn": green})
    with pytest.raises(AwsRefusal, match="TargetGroupNotFound"):
        s.world.call("elbv2", "DescribeTargetGroups", {"TargetGroupArns": [s.scenery.target_group, green]})


def test_a_group_just_made_may_be_unknown_to_a_read_that_follows() -> None:
    s = several_copies()

    def is_known(_: Shop) -> bool:
        try:
            s.world.call("elbv2", "DescribeTargetGroups", {"TargetGroupArns": [green]})
        except AwsRefusal as refusal:
            assert refusal.code == "TargetGroupNotFound"  # noqa: PT017 - both ends are looked at
            return False
        return True

    green = s.group("green")
    assert goes_back(looks(s, is_known), old=False, new=True)
    assert set(looks(s, is_known)) == {True}
