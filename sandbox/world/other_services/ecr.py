"""Amazon ECR: which images there are."""

from sandbox.world.kernel.errors import AwsRefusal, Json
from sandbox.world.kernel.kernel import Kernel
from sandbox.world.kernel.operation import Operation, only, operation


class Images:
    """The account's repositories: name → tag → digest."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.repositories: dict[str, dict[str, str]] = {}

    def operations(self) -> dict[str, Operation]:
        """The operations by their AWS names."""
        return {"DescribeImages": operation(self.describe, "registryId", "repositoryName", "imageIds")}

    def push(self, repository: str, tag: str) -> str:
        """Put an image into a repository; its whole name, as a task definition writes it."""
        self.repositories.setdefault(repository, {})[tag] = f"sha256:{self._kernel.hex_id(64)}"
        return f"{self.registry}/{repository}:{tag}"

    @property
    def registry(self) -> str:
        """The host of the account's registry."""
        return f"{self._kernel.account}.dkr.ecr.{self._kernel.region}.amazonaws.com"

    @property
    def dual_stack_registry(self) -> str:
        """The same registry's host with addresses of IPv4 and IPv6."""
        return f"{self._kernel.account}.dkr-ecr.{self._kernel.region}.on.aws"

    def describe(self, params: Json) -> Json:
        """DescribeImages of this account's registry, by tag or digest."""
        if params.get("registryId", self._kernel.account) != self._kernel.account:
            raise AwsRefusal(
                "AccessDeniedException", "User is not authorized to perform: ecr:DescribeImages", 400
            )
        name = params["repositoryName"]
        tags = self.repositories.get(name)
        if tags is None:
            raise AwsRefusal(
                "RepositoryNotFoundException",
                f"The repository with name '{name}' does not exist in the registry",
            )
        return {"imageDetails": [self._detail(name, tags, which) for which in params.get("imageIds", ())]}

    def _detail(self, name: str, tags: dict[str, str], which: Json) -> Json:
        only(which, ("imageTag", "imageDigest"), "imageIds")
        digest = which.get("imageDigest") or tags.get(which.get("imageTag", ""))
        if digest not in tags.values():
            raise AwsRefusal("ImageNotFoundException", f"The image with imageId {which} does not exist")
        return {
            "registryId": self._kernel.account,
            "repositoryName": name,
            "imageDigest": digest,
            "imageTags": [tag for tag, known in tags.items() if known == digest],
        }
