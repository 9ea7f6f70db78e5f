"""An AWS in the same process behind the adapters' one method, instead of a network."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, cast

from orchestrator.aws.client.errors import refused, unanswered
from orchestrator.aws.client.transport import Answer


class Refusal(Protocol):
    """An error answer, as an exception that is no botocore ``ClientError`` carries it."""

    code: str
    message: str
    status: int


class DirectTransport:
    """Calls a function instead of a network: an AWS in the same process.

    `call` raises exceptions of the type `refusal` (which have ``code``, ``message`` and ``status``) for an error
    answer, and of the type `lost` where no answer comes back and the outcome is unknown.
    """

    def __init__(
        self,
        call: Callable[[str, str, Answer], Answer],
        *,
        refusal: type[Exception],
        lost: type[Exception],
    ) -> None:
        self._call, self._refusal, self._lost = call, refusal, lost

    async def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Answer:
        """The function's answer, at once. Raises Outside."""
        try:
            return self._call(service, operation, dict(params))
        except self._refusal as error:
            said = cast(Refusal, error)
            raise refused(
                service, operation, code=said.code, message=said.message, status=said.status
            ) from error
        except self._lost as error:
            raise unanswered(service, operation, why="no answer came in time") from error
