"""What strangers may have written down: so many refused calls a minute are in the audit log, the rest is counted."""

from dataclasses import dataclass, field

from api.http.telemetry.flood import Bucket

OF_ONE_PER_MINUTE, OF_ALL_PER_MINUTE = 10.0, 60.0
ADDRESSES_MAX = 4096


@dataclass(slots=True)
class Strangers:
    """Refused calls of nobody known, by address and in all."""

    _all: Bucket = field(default_factory=lambda: Bucket(OF_ALL_PER_MINUTE / 60, OF_ALL_PER_MINUTE))
    _of: dict[str, Bucket] = field(default_factory=dict)

    def may_keep(self, address: str) -> bool:
        """True if one more call from this address may be kept."""
        mine = self._of.get(address)
        if mine is None:
            self._make_room()
            mine = self._of[address] = Bucket(OF_ONE_PER_MINUTE / 60, OF_ONE_PER_MINUTE)
        return mine.take() and self._all.take()

    def _make_room(self) -> None:
        """Forget who has been quiet; all, where everybody was busy: the bound for all holds still."""
        if len(self._of) >= ADDRESSES_MAX:
            self._of = {address: bucket for address, bucket in self._of.items() if not bucket.is_full}
        if len(self._of) >= ADDRESSES_MAX:
            self._of.clear()
