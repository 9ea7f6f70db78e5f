"""CBOR (RFC 8949) as far as AWS's RPC protocol needs it: no tag but 1, the moment."""

import struct
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BREAK = object()
_SIMPLE = {20: False, 21: True, 22: None, 23: None}
_FLOATS = {25: ">e", 26: ">f", 27: ">d"}


def dumps(value: object) -> bytes:
    """The value in CBOR; integers in their shortest form, floats as doubles, datetimes tagged."""
    out = bytearray()
    _write(out, value)
    return bytes(out)


def _head(out: bytearray, major: int, number: int) -> None:
    if number < 24:
        out.append(major << 5 | number)
        return
    for extra, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 1 << 8 * size:
            out.append(major << 5 | extra)
            out.extend(number.to_bytes(size, "big"))
            return
    raise ValueError(f"{number} is too large for CBOR")


def _write(out: bytearray, value: object) -> None:
    match value:
        case None | bool():
            out.append(0xF6 if value is None else 0xF5 if value else 0xF4)
        case int():
            _head(out, 0 if value >= 0 else 1, value if value >= 0 else -1 - value)
        case float():
            out.append(0xFB)
            out.extend(struct.pack(">d", value))
        case str():
            encoded = value.encode()
            _head(out, 3, len(encoded))
            out.extend(encoded)
        case bytes():
            _head(out, 2, len(value))
            out.extend(value)
        case datetime():
            _head(out, 6, 1)
            _write(out, (value - _EPOCH) / timedelta(seconds=1))
        case list() | tuple():
            _head(out, 4, len(value))
            for item in value:
                _write(out, item)
        case dict():
            _head(out, 5, len(value))
            for key, inner in value.items():
                _write(out, key)
                _write(out, inner)
        case _:
            raise ValueError(f"{type(value).__name__} has no CBOR form here")


def loads(data: bytes) -> object:
    """The one value in `data`. Raises ValueError."""
    reader = _Reader(data)
    value = reader.item()
    if value is _BREAK or reader.at != len(data):
        raise ValueError("not exactly one item")
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        piece = self.data[self.at : self.at + size]
        if len(piece) != size:
            raise ValueError("the data ends too early")
        self.at += size
        return piece

    def item(self) -> object:
        initial = self.take(1)[0]
        major, extra = initial >> 5, initial & 31
        if major == 7:
            return self._simple(extra)
        number = None if extra == 31 else self._number(extra)
        match major:
            case 0 | 1 if number is not None:
                return number if major == 0 else -1 - number
            case 2:
                return b"".join(self._chunks(number, 2))
            case 3:
                return b"".join(self._chunks(number, 3)).decode()
            case 4:
                return self._items(number)
            case 5:
                flat = self._items(None if number is None else 2 * number)
                return dict(zip(flat[::2], flat[1::2], strict=True))
            case 6 if number == 1:
                seconds = self.item()
                if isinstance(seconds, int | float):
                    return _EPOCH + timedelta(seconds=seconds)
        raise ValueError(f"item {initial:#x} is not supported")

    def _number(self, extra: int) -> int:
        if extra < 24:
            return extra
        if extra > 27:
            raise ValueError(f"length {extra} is not supported")
        return int.from_bytes(self.take(1 << extra - 24), "big")

    def _chunks(self, length: int | None, major: int) -> list[bytes]:
        if length is not None:
            return [self.take(length)]
        chunks = []
        while (initial := self.take(1)[0]) != 0xFF:
            if initial >> 5 != major:
                raise ValueError("a chunk of another type")
            chunks.append(self.take(self._number(initial & 31)))
        return chunks

    def _items(self, count: int | None) -> list[object]:
        if count is not None:
            return [self.item() for _ in range(count)]
        items = []
        while (value := self.item()) is not _BREAK:
            items.append(value)
        return items

    def _simple(self, extra: int) -> object:
        if extra in _SIMPLE:
            return _SIMPLE[extra]
        if extra in _FLOATS:
            form = _FLOATS[extra]
            return struct.unpack(form, self.take(struct.calcsize(form)))[0]
        if extra == 31:
            return _BREAK
        raise ValueError(f"simple value {extra} is not supported")
