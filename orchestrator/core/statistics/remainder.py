"""Requests without an answer, told from requests whose answer counts in the next period.

CloudWatch counts requests and answers, and AWS does not say whether a load balancer counts a request when it is routed
or when it is answered. If when it is routed, a period's requests less its answers are also what was in flight at its
end, less what was at its start: chance, which weighs more beside fewer requests. So the remainders of consecutive
periods are summed with their signs, which gives such a boundary back, and only a sum higher than any before is new.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

LEARNED_AFTER = 3  # periods in which a colour shows how far its sum falls back; until then chance is presumed


@dataclass(frozen=True, slots=True, kw_only=True)
class Fall:
    """How far a sum of remainders has fallen back from its highest, beside the requests of that period."""

    by: int = 0
    requests: int = 1

    def or_greater(self, other: "Fall") -> "Fall":
        """The greater of two, as chance scales: by the root of the requests."""
        is_greater = other.by**2 * self.requests > self.by**2 * other.requests
        return other if is_greater else self

    def at(self, requests: int) -> int:
        """What it comes to beside so many requests, rounded up."""
        square = -(-(self.by**2) * requests // self.requests)
        return math.isqrt(square - 1) + 1 if square else 0


PRESUMED = Fall(by=1, requests=1)  # the root of the requests: what seconds in flight come to


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What one period adds to the requests that got no answer."""

    most: int = 0  # taking nothing for in flight
    sure: int = 0  # beyond what may be in flight


@dataclass(frozen=True, slots=True, kw_only=True)
class Remainder:
    """One colour's requests less its answers, summed over the periods at known weights."""

    net: int = 0
    most: int = 0  # the highest sum so far
    sure: int = 0  # the highest so far beyond what may be in flight
    fall: Fall = Fall()
    seen: int = 0  # periods
    weight: int | None = None  # green's, in the last of them

    def add(self, *, requests: int, remainder: int, weight: int | None) -> tuple["Remainder", News]:
        """The sum one period on, and what is new in it.

        Where answers were seen to come late, the first period at another weight says only where its sum begins: more
        requests are in flight at a greater weight, and none of those is lost.
        """
        net = self.net + remainder
        most = max(self.most, net)
        is_beginning = self.fall.by > 0 and self.seen > 0 and weight != self.weight
        sure = max(self.sure, net if is_beginning else net - self._in_flight(requests))
        after = Remainder(
            net=net,
            most=most,
            sure=sure,
            fall=self.fall.or_greater(Fall(by=most - net, requests=requests)) if requests else self.fall,
            seen=self.seen + 1,
            weight=weight,
        )
        return after, News() if is_beginning else News(most=most - self.most, sure=sure - self.sure)

    def _in_flight(self, requests: int) -> int:
        learned = Fall(by=3 * self.fall.by, requests=4 * self.fall.requests)  # half as much again as was seen
        known = learned if self.seen >= LEARNED_AFTER else learned.or_greater(PRESUMED)
        return known.at(requests)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remainders:
    """Both colours' sums."""

    green: Remainder = Remainder()
    blue: Remainder = Remainder()

    def take(
        self, *, weight: int | None, green: tuple[int, int], blue: tuple[int, int]
    ) -> tuple["Remainders", "BothNews"]:
        """The sums one period on, and what is new on each: (requests, remainder) of either colour."""
        of_green, green_news = self.green.add(requests=green[0], remainder=green[1], weight=weight)
        of_blue, blue_news = self.blue.add(requests=blue[0], remainder=blue[1], weight=weight)
        return Remainders(green=of_green, blue=of_blue), BothNews(green=green_news, blue=blue_news)

    def anew(self) -> "Remainders":
        """From nothing, with what was learned of how late green's answers come."""
        return Remainders(green=Remainder(fall=self.green.fall))


@dataclass(frozen=True, slots=True, kw_only=True)
class BothNews:
    """What one period adds on each colour."""

    green: News
    blue: News


def of_history(history: Iterable[tuple[int, int]]) -> tuple[list[int], Fall]:
    """What was new in consecutive periods of (requests, remainder), and how far their sum fell back."""
    sums, found = Remainder(), []
    for requests, remainder in history:
        sums, news = sums.add(requests=requests, remainder=remainder, weight=None)
        found.append(news.most)
    return found, sums.fall
