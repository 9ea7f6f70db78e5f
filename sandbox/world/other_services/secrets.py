"""AWS Secrets Manager and the parameters of AWS Systems Manager: which there are. Values are not in this World."""

from datetime import datetime

from sandbox.world.kernel.errors import AwsRefusal, Json, not_here
from sandbox.world.kernel.kernel import Kernel
from sandbox.world.kernel.operation import Operation, operation


class Secrets:
    """The account's secrets and parameters, by name."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.secrets: dict[str, datetime | None] = {}  # ARN → since when it waits for its end
        self.parameters: set[str] = set()

    def secret_operations(self) -> dict[str, Operation]:
        """Secrets Manager's operations by their AWS names."""
        return {"DescribeSecret": operation(self.describe_secret, "SecretId")}

    def parameter_operations(self) -> dict[str, Operation]:
        """Systems Manager's operations by their AWS names."""
        return {
            "DescribeParameters": operation(
                self.describe_parameters, "ParameterFilters", "NextToken", "MaxResults"
            )
        }

    def keep(self, name: str) -> str:
        """Keep a secret; its ARN, which ends in six characters of AWS's own."""
        arn = self._kernel.arn("secretsmanager", f"secret:{name}-{self._kernel.hex_id(6)}")
        self.secrets[arn] = None
        return arn

    def drop(self, arn: str) -> None:
        """Delete a secret: it waits for its end, and cannot be read any more."""
        self.secrets[arn] = self._kernel.now

    def describe_secret(self, params: Json) -> Json:
        """DescribeSecret, of one that waits for its end too."""
        arn = params["SecretId"]
        if arn not in self.secrets:
            raise AwsRefusal("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
        name = arn.rpartition(":")[2].rpartition("-")[0]
        deleted = self.secrets[arn]
        return {"ARN": arn, "Name": name} | ({"DeletedDate": deleted} if deleted else {})

    def describe_parameters(self, params: Json) -> Json:
        """DescribeParameters by their names."""
        wanted: list[str] = []
        for one in params.get("ParameterFilters", ()):
            if one.get("Key") != "Name" or one.get("Option", "Equals") != "Equals":
                raise not_here(f"DescribeParameters by {one}")
            wanted += one["Values"]
        found = sorted(self.parameters & set(wanted))
        return {"Parameters": [{"Name": name, "Type": "SecureString"} for name in found]}
