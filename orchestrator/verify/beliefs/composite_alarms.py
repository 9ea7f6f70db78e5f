"""Composite alarms under a permission that names alarms."""

from orchestrator.verify.beliefs.belief import (
    Belief,
    Need,
    Seen,
    as_believed,
    no_session,
    refused,
    unclear,
    wrong,
)
from orchestrator.verify.journal import Made
from orchestrator.verify.means import Calls, Refusal, Unnarrowed
from orchestrator.verify.place import template
from orchestrator.verify.scene import Scene, policy

ACTION = "cloudwatch:DescribeAlarms"


async def ask(scene: Scene) -> Seen:
    """Make one, and read it in a session that allows all alarms by name, and in one that allows everything."""
    name = f"{scene.wanted.name}-all"
    params = {
        "AlarmName": name,
        "AlarmRule": f'ALARM("{scene.place.alarms[0]}")',
        "Tags": template.tags(scene.wanted),
    }
    try:
        async with scene.a(Made(kind="alarm", name=name), ("cloudwatch", "PutCompositeAlarm", params)):
            account = (await scene.blue())["serviceArn"].split(":")
            named = f"{':'.join(account[:2])}:cloudwatch:{account[3]}:{account[4]}:alarm:*"
            found: dict[str, str] = {}
            for kind, resource in (("alarm:*", named), ("*", "*")):
                async with scene.means.narrow(policy(([ACTION], [resource]))) as calls:
                    found[kind] = await _read(calls, name)
    except Unnarrowed as why:
        return no_session(why)
    except Refusal as refusal:
        return refused(refusal)
    words = "; ".join(f"on `{kind}`: {said}" for kind, said in found.items())
    facts = {"on_alarms": found["alarm:*"], "on_everything": found["*"]}
    if found["*"] != "returned":
        return unclear(words, **facts)
    return (wrong if found["alarm:*"] == "returned" else as_believed)(words, **facts)


async def _read(calls: Calls, name: str) -> str:
    try:
        shown = await calls(
            "cloudwatch",
            "DescribeAlarms",
            AlarmNames=[name],
            AlarmTypes=["MetricAlarm", "CompositeAlarm", "LogAlarm"],
        )
    except Refusal as refusal:
        return refusal.code
    return "returned" if shown.get("CompositeAlarms") else "left out without error"


COMPOSITE_ALARMS = Belief(
    name="composite-alarms",
    believes="A composite alarm is returned under `cloudwatch:DescribeAlarms` on `*` alone, as the statement "
    "ReadAlarms of Teal's least policy gives it (docs/iam/read.json), and left out under `alarm:*`.",
    asked_by="PutCompositeAlarm, and DescribeAlarms in two sessions: on `alarm:*`, and on `*`.",
    rests_on="botocore's model of DescribeAlarms: the permission must be on `*`",
    if_wrong="Nothing breaks: the statement allows more than is needed, and may be narrowed to `alarm:*`.",
    ask=ask,
    needs=frozenset({Need.THROW_AWAY, Need.SESSION}),
    actions=("cloudwatch:PutCompositeAlarm", "sts:AssumeRole", "sts:GetFederationToken"),
)
