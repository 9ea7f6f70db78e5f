"""Tags of load balancers, listeners, rules and target groups.

Source: TagList of the ELBv2 API reference, of which the least length is one: a call that brings tags brings some. ECS
takes an empty list (Tags of its API reference).
"""

from sandbox.world.elb.state import Balancing
from sandbox.world.kernel.errors import AwsRefusal, Json
from sandbox.world.kernel.operation import Operation, operation, tag_changes


def given_tags(params: Json) -> list[Json]:
    """The tags of a call, none where it names none. Raises AwsRefusal for an empty list, and for a key said twice."""
    tags: list[Json] = params.get("Tags", [])
    if "Tags" in params and not tags:
        raise AwsRefusal("ValidationError", "At least one tag must be specified")
    if len({tag["Key"] for tag in tags}) < len(tags):
        raise AwsRefusal("DuplicateTagKeys", "A tag key was specified more than once")
    return tags


class ElbTags:
    """DescribeTags, AddTags, RemoveTags; 20 resources a call."""

    def __init__(self, balancing: Balancing) -> None:
        self._all = balancing

    def operations(self) -> dict[str, Operation]:
        """The operations by their AWS names."""
        return {
            "DescribeTags": operation(self.describe, "ResourceArns"),
            "AddTags": operation(self.add, "ResourceArns", "Tags"),
            "RemoveTags": operation(self.remove, "ResourceArns", "TagKeys"),
        }

    def describe(self, params: Json) -> Json:
        """DescribeTags; every resource must exist."""
        return {
            "TagDescriptions": [{"ResourceArn": arn, **self._described(arn)} for arn in self._asked(params)]
        }

    def _described(self, arn: str) -> Json:
        # AWS's model allows no empty list of tags: what has none is described without.
        tags = [{"Key": key, "Value": value} for key, value in self._tags(arn).items()]
        return {"Tags": tags} if tags else {}

    def add(self, params: Json) -> Json:
        """AddTags: adds or replaces by key."""
        given = given_tags(params)
        for tags in [self._tags(arn) for arn in self._asked(params)]:
            tag_changes(tags, given, "Key", "Value", limit_code="TooManyTags")
        return {}

    def remove(self, params: Json) -> Json:
        """RemoveTags; a key that is not there is no error."""
        for tags in [self._tags(arn) for arn in self._asked(params)]:
            for key in params["TagKeys"]:
                tags.pop(key, None)
        return {}

    def _asked(self, params: Json) -> list[str]:
        arns: list[str] = params["ResourceArns"]
        if len(arns) > 20:
            raise AwsRefusal("ValidationError", "Up to 20 resources can be described in a single call")
        return arns

    def _tags(self, arn: str) -> dict[str, str]:
        if ":targetgroup/" in arn:
            return self._all.group(arn).tags
        if ":listener-rule/" in arn:
            return self._all.rule(arn).tags
        if ":listener/" in arn:
            return self._all.listener(arn).tags
        return self._all.load_balancer(arn).tags
