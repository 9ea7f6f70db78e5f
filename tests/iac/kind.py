"""What a resource type is to Terraform's AWS provider: how it reads, and what it sends.

Source of all of them: the provider's own code (hashicorp/terraform-provider-aws, ``internal/service``). Each read makes
the Describe call of the resource's Read function. Each update sends what its Update function sends, which is not the
same everywhere: ECS gets the members that changed, a rule its whole action list, a scalable target always both bounds.
"""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.world.kernel.errors import AwsRefusal
from sandbox.world.world import World

Attributes = dict[str, Any]
ECS, ELB, SCALING = "ecs", "elbv2", "application-autoscaling"


def as_it_is(declared: Attributes) -> Attributes:
    """Nothing to put into another form."""
    return declared


def by_arn(arn: str) -> Attributes:
    """What others can refer to, where an ARN is the id."""
    return {"arn": arn, "id": arn}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One resource type.

    `read` gets the id and what was declared, since the provider reads a forward in the shape that was declared, and
    takes over what no API shows. An attribute that a block leaves out is its default; where it has none it is computed:
    as it is read.
    """

    read: Callable[[World, str, Attributes], Attributes | None]
    create: Callable[[World, Attributes], str]
    update: Callable[[World, str, Attributes, Collection[str]], None]
    delete: Callable[[World, str, Attributes], None] | None = None  # None: nothing here is ever made anew
    normal: Callable[[Attributes], Attributes] = as_it_is  # what was declared, in the form of what is read
    is_replaced: bool = False  # every change destroys it and makes another
    defaults: Attributes = field(default_factory=dict)
    names: Callable[[str], Attributes] = by_arn


def one(world: World, service: str, operation: str, member: str, **params: Any) -> Attributes | None:  # noqa: ANN401
    """The single thing that a Describe call finds; None if there is none."""
    try:
        found = world.call(service, operation, params)[member]
    except AwsRefusal as refusal:
        if refusal.code.endswith("NotFound"):
            return None
        raise
    return found[0] if found else None


def as_set(items: Collection[Any]) -> list[Any]:
    """A set as Terraform compares it: its order says nothing."""
    return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))


def tag_list(tags: Mapping[str, str], key: str = "Key", value: str = "Value") -> list[Attributes]:
    """Tags as an API takes them."""
    return [{key: name, value: text} for name, text in tags.items()]


def elb_tags(world: World, arn: str) -> Attributes:
    """The tags of a rule, a listener or a target group."""
    found = world.call(ELB, "DescribeTags", {"ResourceArns": [arn]})["TagDescriptions"]
    return {tag["Key"]: tag["Value"] for tag in found[0].get("Tags", ())}


def change_elb_tags(world: World, arn: str, wanted: Attributes) -> None:
    """AddTags, and RemoveTags for those that are declared no more."""
    gone = [key for key in elb_tags(world, arn) if key not in wanted]
    if wanted:
        world.call(ELB, "AddTags", {"ResourceArns": [arn], "Tags": tag_list(wanted)})
    if gone:
        world.call(ELB, "RemoveTags", {"ResourceArns": [arn], "TagKeys": gone})
