"""``aws_ecs_task_definition``: every change makes another revision, and by default takes the former one away."""

from collections.abc import Collection

from sandbox.world.world import World
from tests.iac.kind import ECS, Attributes, Kind

MEMBERS = {
    "family": "family",
    "network_mode": "networkMode",
    "requires_compatibilities": "requiresCompatibilities",
    "cpu": "cpu",
    "memory": "memory",
    "container_definitions": "containerDefinitions",
}


def normal(declared: Attributes) -> Attributes:
    """Numbers of CPU and memory are text to the API."""
    return declared | {name: str(declared[name]) for name in ("cpu", "memory") if name in declared}


def read(world: World, arn: str, declared: Attributes) -> Attributes | None:
    """DescribeTaskDefinition of the very revision in the state; later ones are none of its business."""
    found = world.call(ECS, "DescribeTaskDefinition", {"taskDefinition": arn})["taskDefinition"]
    return {name: found[member] for name, member in MEMBERS.items() if member in found} | {
        "skip_destroy": declared.get("skip_destroy", False)  # the provider's own: no API knows it
    }


def create(world: World, wanted: Attributes) -> str:
    """RegisterTaskDefinition."""
    asked = {member: wanted[name] for name, member in MEMBERS.items() if name in wanted}
    return str(world.call(ECS, "RegisterTaskDefinition", asked)["taskDefinition"]["taskDefinitionArn"])


def update(world: World, arn: str, wanted: Attributes, changed: Collection[str]) -> None:
    """Nothing can be changed in a revision."""
    raise AssertionError(f"{arn} is replaced for {changed}, in {world} by {wanted}")


def delete(world: World, arn: str, wanted: Attributes) -> None:
    """DeregisterTaskDefinition, which leaves it INACTIVE, unless `skip_destroy` keeps it."""
    if not wanted["skip_destroy"]:
        world.call(ECS, "DeregisterTaskDefinition", {"taskDefinition": arn})


DEFINITION = Kind(
    read=read,
    create=create,
    update=update,
    delete=delete,
    normal=normal,
    is_replaced=True,
    defaults={"skip_destroy": False},
)
