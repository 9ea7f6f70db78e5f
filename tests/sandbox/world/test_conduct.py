"""How virtual tasks misbehave, as their environment or a script says, and what the metrics show of it."""

from datetime import timedelta

import pytest

from tests.sandbox.world.places import Shop, Wire, seconds, shop
from tests.sandbox.world.test_metrics import read
from tests.support.virtual_traffic import VirtualTraffic

RATE = 50


class Street:
    """A shop with users, and a green beside blue that has no weight yet."""

    def __init__(self, **green: str) -> None:
        self.s = shop()
        self.green = self.s.group("green")
        self.s.split(blue=1, green=0)
        params = self.s.green_params(self.green, taskDefinition=self.s.define(**green))
        self.s.world.call("ecs", "CreateService", params)
        self.s.world.advance(seconds(30))
        self.traffic = VirtualTraffic(self.s.world, self.s.scenery.listeners[0], RATE, seed=1)

    def errors(self, weight: int, *, during: float = 60) -> tuple[float, float]:
        """Blue's and green's share of errors with this weight on green, in percent."""
        self.s.split(blue=100 - weight, green=weight)
        self.s.world.advance(seconds(2))
        totals = self.traffic.totals
        before = (totals.answered.copy(), totals.errors.copy())
        self.s.world.advance(seconds(during))
        shares = []
        for group in (self.s.scenery.target_group, self.green):
            answered = totals.answered[group] - before[0][group]
            shares.append(100 * (totals.errors[group] - before[1][group]) / answered if answered else 0.0)
        return shares[0], shares[1]


def codes(s: Shop) -> dict[str, float]:
    """Answers of all groups of the load balancer by their code."""
    s.world.advance(timedelta(minutes=5))
    kinds = ("2XX", "4XX", "5XX")
    return {kind: sum(read(s, f"HTTPCode_Target_{kind}_Count", group=False)) for kind in kinds}


def test_errors_may_have_a_status_of_their_own() -> None:
    s = shop(environment={"TEAL_DEMO_ERROR_RATE": "0.5", "TEAL_DEMO_ERROR_STATUS": "403"})
    VirtualTraffic(s.world, s.scenery.listeners[0], RATE)
    s.world.advance(seconds(60))
    seen = codes(s)
    assert seen["5XX"] == 0
    assert seen["4XX"] == pytest.approx(seen["2XX"], rel=0.15)


def test_unanswered_requests_show_only_in_what_is_missing() -> None:
    s = shop(environment={"TEAL_DEMO_UNANSWERED": "0.2"})
    traffic = VirtualTraffic(s.world, s.scenery.listeners[0], RATE)
    s.world.advance(seconds(60))
    traffic.stop()
    seen = codes(s)
    requests = sum(read(s, "RequestCount"))
    assert requests == RATE * 60
    assert 1 - sum(seen.values()) / requests == pytest.approx(0.2, abs=0.03)
    assert sum(read(s, "HTTPCode_ELB_504_Count", group=False)) == requests - sum(seen.values())


def test_a_green_that_exhausts_what_is_shared_hurts_blue_while_it_serves() -> None:
    street = Street(TEAL_DEMO_ERROR_SHARED="0.3")
    assert street.errors(0) == (0, 0)
    blue, green = street.errors(50)
    assert blue == pytest.approx(30, abs=5)
    assert green == pytest.approx(30, abs=5)
    assert street.errors(0) == (0, 0)


def test_the_harm_may_begin_at_a_weight() -> None:
    street = Street(TEAL_DEMO_ERROR_SHARED="0.3", TEAL_DEMO_SHARED_ABOVE="0.2")
    assert street.errors(20) == (0, 0)
    assert street.errors(30)[0] == pytest.approx(30, abs=5)


def test_an_outage_hits_both_colours_for_a_while_whatever_their_weights() -> None:
    street = Street()
    street.s.world.virtual_tasks.fail_all(0.4, until=street.s.world.now + seconds(62))
    blue, green = street.errors(50, during=58)
    assert blue == pytest.approx(40, abs=5)
    assert green == pytest.approx(40, abs=5)
    street.s.world.advance(seconds(5))
    assert street.errors(10) == (0, 0)


def latencies(s: Shop) -> list[Wire]:
    return read(s, "TargetResponseTime", "p50", oldest_first=True)


def test_a_leak_makes_answers_slower_until_the_task_dies_of_it() -> None:
    s = shop(environment={"TEAL_DEMO_LEAK_AFTER": "30"}, desired=1)
    VirtualTraffic(s.world, s.scenery.listeners[0], RATE)
    s.world.advance(seconds(85))
    (task,) = s.world.call("ecs", "ListTasks", {"cluster": "prod", "serviceName": "checkout"})["taskArns"]
    s.world.advance(timedelta(minutes=4))
    shown = s.world.call("ecs", "DescribeTasks", {"cluster": "prod", "tasks": [task]})["tasks"][0]
    assert shown["containers"][0]["exitCode"] == 137
    slow = latencies(s)
    assert slow[0] < 0.5
    assert max(slow) > 0.5
    slowest = max(read(s, "TargetResponseTime", "Maximum"))
    assert slowest > 1.0
