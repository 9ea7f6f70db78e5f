"""Who the caller is."""

from orchestrator.sandbox.world.errors import Json
from orchestrator.sandbox.world.kernel import Kernel
from orchestrator.sandbox.world.operation import Operation, operation


def operations(kernel: Kernel) -> dict[str, Operation]:
    """GetCallerIdentity."""

    def identity(_: Json) -> Json:
        return {
            "UserId": "AIDASANDBOXUSER",
            "Account": kernel.account,
            "Arn": f"arn:aws:iam::{kernel.account}:user/somebody",
        }

    return {"GetCallerIdentity": operation(identity)}
