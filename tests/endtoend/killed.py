"""`teal deploy` killed at any moment goes on where it was, and leaves nothing behind."""

from tests.endtoend.kills import kill_and_go_on
from tests.endtoend.stage import Stage


async def good_revision(made: Stage) -> None:
    shop = await made.shop("good")
    file = shop.file(shop.revision(TEAL_DEMO_VERSION="2"))
    outcome = await kill_and_go_on(shop, file, ("provisioning", "watching", "settling"), ends_in="succeeded")
    assert (outcome.is_good, outcome.code) == (True, 0), outcome


async def bad_revision(made: Stage) -> None:
    shop = await made.shop("bad")
    file = shop.file(shop.revision(TEAL_DEMO_ERROR_RATE="0.3"))
    outcome = await kill_and_go_on(
        shop, file, ("provisioning", "shifting", "rolling_back"), ends_in="rolled_back"
    )
    assert (outcome.is_good, outcome.code) == (True, 3), outcome


SCENES = (
    good_revision,
    bad_revision,
)
