"""What cannot be started is refused in sentences that say what to do, and nothing is touched."""

from sandbox.scenarios.scenery import furnish, register
from tests.endtoend.stage import Ended, Shop, Stage

WRONG = """\
service: checkout
revision: {{task_definition: {revision}}}
plan: [{{weight: 50, bake: soon}}, {{weight: 20, bake: 2s}}]
metrics: {{period: 7s}}
ending: {{swap: leave}}
colour: green
"""
NOWHERE = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/prod-lb/1/2/3"
HELD = """\
service: prod/{service}
revision: {{task_definition: {revision}}}
plan: [{{weight: 50, bake: 10m}}, {{weight: 100, bake: 2s}}]
metrics: {{period: 1s, lag: 2 periods}}
"""


def is_plain(ended: Ended, code: int, *words: str) -> None:
    """The command ended with this code and said these words, in sentences."""
    assert ended.code == code, ended
    assert "Traceback" not in ended.err + ended.out, ended
    for word in words:
        assert word in ended.err, ended


async def untouched(shop: Shop, before: object) -> None:
    """Nothing was started and nothing on AWS changed."""
    assert await shop.rollouts() == ()
    assert await shop.state() == before


async def shared_with_a_neighbour(shop: Shop) -> None:
    """Have the shop's rule forward to a second service too."""
    neighbour = furnish(
        shop.sandbox.world,
        service="neighbour",
        desired=1,
        listener_port=shop.sandbox.proxy.reserve(),
        load_balancer=shop.scenery.load_balancer,
        environment={"TEAL_DEMO_VERSION": "1"},
    )
    groups = [shop.scenery.target_group, neighbour.target_group]
    forward = {"TargetGroups": [{"TargetGroupArn": group, "Weight": 1} for group in groups]}
    actions = [{"Type": "forward", "ForwardConfig": forward}]
    await shop.call("elbv2", "ModifyRule", RuleArn=shop.scenery.rules[0], Actions=actions)


async def what_is_not_there(made: Stage) -> None:
    shop = await made.shop("shop", is_used=False)
    before = await shop.state()
    missing_service = await shop.teal("deploy", "--service", "prod/nothing", "--task-definition", "shop:1")
    is_plain(missing_service, 1, "service prod/nothing", "Check the names of cluster and service")
    no_cluster = await shop.teal("deploy", "--service", "moon/shop", "--task-definition", "shop:1")
    is_plain(no_cluster, 1, "service moon/shop", "there is no such cluster")
    missing_revision = await shop.teal("deploy", "--service", "prod/shop", "--task-definition", "shop:99")
    is_plain(missing_revision, 2, "task definition shop:99 does not exist")
    rule = await shop.deploy(shop.file(shop.revision(), f"traffic: {{rules: ['{NOWHERE}']}}"))
    is_plain(await rule.ended(), 2, NOWHERE)
    await untouched(shop, before)


async def who_cannot_be_asked(made: Stage) -> None:
    shop = await made.shop("shop2", is_used=False)
    before = await shop.state()
    file = shop.file(shop.revision())
    no_credentials = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    is_plain(await shop.teal("deploy", "-f", file, **no_credentials), 1, "credentials")
    down = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    is_plain(await shop.teal("deploy", "-f", file, **down), 1, "Check the network, AWS_ENDPOINT_URL")
    shop.fault("throttling")
    is_plain(await shop.teal("deploy", "-f", file), 1, "Rate exceeded", "give the command again")
    shop.fault("throttling", end=True)
    await untouched(shop, before)


async def file_that_is_wrong(made: Stage) -> None:
    shop = await made.shop("shop3", is_used=False)
    before = await shop.state()
    file = shop.file("shop3:1", text=WRONG)
    ended = await (await shop.deploy(file)).ended()
    is_plain(ended, 2, *(f"{file}:{line}: " for line in (1, 3, 4, 5, 6)))
    print(ended.err)
    missing = await shop.teal("deploy", "-f", str(shop.folder / "none.yaml"))
    is_plain(missing, 2, "none.yaml")
    await untouched(shop, before)
    assert not (shop.folder / "teal.db").exists() or await shop.rollouts() == ()


async def what_another_rollout_holds(made: Stage) -> None:
    shop = await made.shop("shop4")
    await shared_with_a_neighbour(shop)
    before = await shop.state()
    new = shop.revision()
    deploy = await shop.deploy(shop.file(new, text=HELD))
    view = await shop.until(lambda view: view.green_percent == 50)
    second = await shop.teal("start", "-f", shop.file(new, text=HELD))
    is_plain(second, 5, f"prod/shop4 has an active rollout, {view.id}", f"teal rollback {view.id}")
    newer = register(shop.sandbox.world, family="neighbour").rpartition("/")[2]
    other = await shop.teal("start", "--service", "prod/neighbour", "--task-definition", newer)
    is_plain(other, 5, view.id, f"teal rollback {view.id}")
    assert len(await shop.rollouts()) == 1
    assert (await shop.teal("rollback", shop.name)).code == 0
    assert (await deploy.ended()).code == 3
    assert await shop.changes(before) == []


SCENES = (
    what_is_not_there,
    who_cannot_be_asked,
    file_that_is_wrong,
    what_another_rollout_holds,
)
