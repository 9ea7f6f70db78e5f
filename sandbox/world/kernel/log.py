"""The append-only log of calls, on which invariants are checked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import overload

from sandbox.world.kernel.errors import AwsRefusal, CallLost, Json


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call. `answer` is what the World did, also if the caller never saw it; `error` what the caller saw."""

    at: datetime
    service: str
    operation: str
    params: Json
    answer: Json | None
    error: AwsRefusal | CallLost | None
    by: str = ""  # the ARN of the caller; empty: a user of the account


class CallLog(Sequence[CallRecord]):
    """Records in the order of the calls. With a limit, the oldest are dropped (`dropped` counts them)."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._records: list[CallRecord] = []
        self.dropped = 0

    def append(self, record: CallRecord) -> None:
        """Add a record."""
        self._records.append(record)
        if (
            self._limit is not None and len(self._records) >= 2 * self._limit
        ):  # in lots: dropping costs little
            surplus = len(self._records) - self._limit
            del self._records[:surplus]
            self.dropped += surplus

    def of(self, *operations: str) -> list[CallRecord]:
        """The records of these operations."""
        return [record for record in self._records if record.operation in operations]

    @overload
    def __getitem__(self, index: int) -> CallRecord: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[CallRecord]: ...
    def __getitem__(self, index: int | slice) -> CallRecord | Sequence[CallRecord]:
        return self._records[index]

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[CallRecord]:
        return iter(self._records)
