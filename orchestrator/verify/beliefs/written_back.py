"""A deployment configuration that is written back as it was read."""

from orchestrator.verify.beliefs.belief import MEMORY, Belief, Need, Seen, Verdict, as_believed, refused
from orchestrator.verify.means import Refusal
from orchestrator.verify.scene import Scene


async def ask(scene: Scene) -> Seen:
    """Write zero and empty members, and then what was read."""
    name, read = scene.place.service, (await scene.blue())["deploymentConfiguration"]
    written = {
        **read,
        "bakeTimeInMinutes": read.get("bakeTimeInMinutes", 0),
        "alarms": {"alarmNames": [], "enable": False, "rollback": False},
    }
    try:
        await scene.calls(
            "ecs",
            "UpdateService",
            cluster=name.cluster,
            service=name.service,
            deploymentConfiguration=written,
        )
    except Refusal as refusal:
        return refused(refusal, Verdict.WRONG, "ECS refused it", message=refusal.message)
    after = (await scene.blue())["deploymentConfiguration"]
    return as_believed(
        "ECS took a bake time of 0 minutes and an empty list of alarms",
        bake_time_reads_back=after.get("bakeTimeInMinutes"),
        alarms_read_back="alarms" in after,
    )


WRITTEN_BACK = Belief(
    name="written-back",
    believes="A deployment configuration is accepted as it was read, with `bakeTimeInMinutes: 0` and with alarms that "
    "are off and name none.",
    asked_by="UpdateService of the throw-away service with its own configuration and these members.",
    rests_on=MEMORY,
    if_wrong="Settling writes blue's configuration with alarms and the breaker's rollback off, and a rollback restores "
    "it: both would be refused. Settling holds with ECS's reason while green serves, nobody loses traffic, and a "
    "rollback from settling never restores what blue had: it goes on trying and says so.",
    ask=ask,
    needs=frozenset({Need.THROW_AWAY}),
    actions=("ecs:UpdateService",),
)
