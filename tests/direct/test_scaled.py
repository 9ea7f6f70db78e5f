"""Break glass on a service that scales: green's own scaling is named, and a command takes it away first."""

from orchestrator.core.break_glass.leftovers import commands, leftovers
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.spec import ServiceName
from sandbox.scenarios.scenery_scaling import scale_by
from tests.direct.glass import Glass


def test_greens_scaling_is_named_and_goes_before_its_tasks() -> None:
    with Glass() as glass:
        scale_by(glass.world, glass.scenery, "requests", "steps")
        rollout = glass.start(glass.spec(glass.revision()))
        row = glass.until(rollout, Phase.SHIFTING)
        assert row.green is not None
        place = glass.run(glass.cloud.direct().look(ServiceName(cluster="prod", service="checkout")))
        assert place.scaled == (row.green.name,)
        assert any(words.startswith(f"the scaling of {row.green.name}") for words in leftovers(place))
        operations = [words.split()[2] for words in commands(place)]
        assert operations.index("deregister-scalable-target") < operations.index("delete-service")
        assert "register-scalable-target" in operations, "blue's scale-in is let go again"


def test_without_scaling_there_is_nothing_to_name() -> None:
    with Glass() as glass:
        rollout = glass.start(glass.spec(glass.revision()))
        glass.until(rollout, Phase.SHIFTING)
        place = glass.run(glass.cloud.direct().look(ServiceName(cluster="prod", service="checkout")))
        assert place.scaled == ()
        assert not any("deregister" in words for words in commands(place))
