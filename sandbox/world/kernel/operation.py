"""One AWS operation as the World knows it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sandbox.world.kernel.errors import AwsRefusal, Json, not_here

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Operation:
    """What runs an operation, and the parameters it understands; any other is refused by name."""

    run: Callable[[Json], Json]
    knows: frozenset[str]

    def __call__(self, params: Json) -> Json:
        """The answer. Raises AwsRefusal."""
        if not params.keys() <= self.knows:
            raise not_here(f"parameter {', '.join(sorted(params.keys() - self.knows))}")
        return self.run(params)


def operation(run: Callable[[Json], Json], *knows: str) -> Operation:
    """An operation that understands these top-level parameters."""
    return Operation(run, frozenset(knows))


def only(given: Json, known: Iterable[str], where: str) -> None:
    """Refuse members of a nested structure that the World would otherwise drop in silence."""
    strange = given.keys() - set(known)
    if strange:
        raise not_here(f"{where} member {', '.join(sorted(strange))}")


def page(items: Sequence[T], token: str | None, size: int, *, code: str) -> tuple[Sequence[T], str | None]:
    """One page of `items` and the token of the next. Raises AwsRefusal with `code` for a token it never gave."""
    start = 0
    if token:
        if not token.isdecimal() or int(token) > len(items):
            raise AwsRefusal(code, "The token is invalid")
        start = int(token)
    end = start + size
    return items[start:end], (str(end) if end < len(items) else None)


def new_tags(given: Iterable[Json], key: str, value: str, *, limit_code: str) -> dict[str, str]:
    """The tags of a resource that is made with them. Raises AwsRefusal as `tag_changes`."""
    tags: dict[str, str] = {}
    tag_changes(tags, list(given), key, value, limit_code=limit_code)
    return tags


def tag_changes(tags: dict[str, str], added: list[Json], key: str, value: str, *, limit_code: str) -> None:
    """Put tags on a resource, 50 at most. Raises AwsRefusal with `limit_code` beyond that, or for ``aws:``."""
    wanted = tags | {tag[key]: tag.get(value, "") for tag in added}
    if any(name.startswith("aws:") for name in wanted):
        raise AwsRefusal("InvalidParameterException", "Tag keys must not begin with aws:")
    if len(wanted) > 50:
        raise AwsRefusal(limit_code, "A resource can have 50 tags at most")
    tags.update(wanted)
