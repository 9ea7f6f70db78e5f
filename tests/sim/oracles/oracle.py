"""Holds every step of a simulation to the promises, by its own reading of the World's log and state (`oracles`).

It shares nothing with what it looks at: shares are fractions, evidence is what the log's answers held, what people want
is their file and their commands, and what Teal says is read as text, as people read it.
"""

from orchestrator.core.domain.commands import Command
from orchestrator.core.domain.ids import RolloutId
from orchestrator.store.memory.store import MemoryStore
from sandbox.scenarios.scenery import Scenery
from sandbox.world.kernel.log import CallRecord
from sandbox.world.world import World
from tests.sim.hosts.process import Process
from tests.sim.oracles.case import Case
from tests.sim.oracles.command_oracle import CommandOracle
from tests.sim.oracles.duties import Duties
from tests.sim.oracles.end_oracle import EndOracle
from tests.sim.oracles.evidence import Evidence
from tests.sim.oracles.failure_oracle import FailureOracle
from tests.sim.oracles.log_oracle import LogOracle
from tests.sim.oracles.rival_oracle import RivalOracle
from tests.sim.oracles.rule_oracle import RuleOracle
from tests.sim.oracles.thing_oracle import ThingOracle
from tests.sim.oracles.truth import RuleTruth, Truth
from tests.sim.scenario import Scenario
from tests.support.virtual_traffic import VirtualTraffic

READS = ("Describe", "List", "Get")
RULE_WRITES = ("ModifyRule", "ModifyListener")


class Oracle(Case):
    """Looks on. `look` is called after every call and every movement of time."""

    def __init__(
        self,
        world: World,
        store: MemoryStore,
        rollout: RolloutId,
        scenery: Scenery,
        revision: str,
        file: Scenario,
        truth: Truth | None = None,
    ) -> None:
        super().__init__(world, store, rollout, scenery, revision, file, truth)
        self.evidence, self.duties = Evidence(world, scenery), Duties(self)
        self.writes = RuleOracle(self, self.evidence)
        self.things = ThingOracle(self)
        self.failures = FailureOracle(self, self.evidence, self.writes, self.duties)
        self.commands = CommandOracle(self, self.duties)
        self.rivals = RivalOracle(self, self.writes, self.duties)
        self.log = LogOracle(self, self.evidence, self.duties)
        self.ends = EndOracle(self, self.duties)
        self.began = world.now
        self.traffic: VirtualTraffic | None = None
        self._caller: Process | None = None
        self._read = len(world.log)
        self._looked_at: dict[str, int] = {}  # by process: the number of its newest read in the log
        self._written = ("", -1)  # who wrote last, and the number of that call

    # what others did ---------------------------------------------------------------------------------------------

    def asked(self, command: Command) -> None:
        """Somebody gives a command; the door has not answered."""
        self.commands.asked(command)

    def accepted(self, command: Command) -> None:
        """The door accepted a command."""
        self.look()
        self.commands.accepted(command)

    def refused(self, command: Command) -> None:
        """The door refused a command."""
        self.commands.refused(command)

    def disturbed(self) -> None:
        """Something of the world is in the way of whoever has to act."""
        self.duties.disturb(self.world.now)

    def edited_rule(self, arn: str, was: RuleTruth) -> None:
        """Somebody else just wrote this rule, which was so before."""
        if self.told.ended is not None:
            self.edited_afterwards.add(arn)
        self.writes.excuse(arn)
        self.rivals.edited(arn, was)

    def hears(self, process: Process | None) -> None:
        """The process whose call arrives next at the World; None: it was made."""
        if process is None:
            self.look()  # the call that was made is still its caller's
        self._caller = process

    # after every step --------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Check every call that arrived since the last look, and read what was written into the log."""
        for line in self.read_log():
            self.commands.reads(line)
            self.rivals.reads(line)
            self.log.reads(line)
            if line.kind == "rollback_decided":
                self.failures.check_reason(line.text)
        self.things.look()
        self.failures.look()
        self.ends.look()
        log = self.world.log
        while self._read < len(log):
            record, number = log[self._read], self._read
            self._read += 1
            if record.service != "sts":
                self._hear(record, number)
        self.duties.look()

    def _hear(self, record: CallRecord, number: int) -> None:
        is_late = record.error is not None and "late" in str(record.error)
        is_read = record.operation.startswith(READS)
        self.evidence.hears(record)
        self.failures.hears(record)
        if not is_late and not is_read:
            self._is_the_one_writer(record, number)
            self._touches(record)
            self.commands.hears(record, is_teal=True)
            if record.operation in RULE_WRITES and record.error is not None:
                self.writes.failed(record)
        elif not is_late and self._caller is not None:  # where AWS refuses its looks, nobody has a newer one
            self._looked_at[self._caller.owner] = number
        if record.answer is not None and not is_read:
            if record.operation in RULE_WRITES:
                self.writes.check(record, is_teal=not is_late)
            else:
                self.things.check(record, is_late=is_late)
        if not is_late:
            self.duties.look()
            owner = self._caller.owner if self._caller is not None else ""
            self.duties.heard(record.at, owner, has_failed=record.error is not None)

    def _touches(self, record: CallRecord) -> None:
        """Note what is asked of blue."""
        name = str(record.params.get("service", "")).rsplit("/", 1)[-1]
        if record.operation != "UpdateService" or name != self.scenery.service:
            return
        self.updated_at = self.world.now
        if record.params.get("desiredCount") == 0:
            self.emptied_at = self.world.now
        if record.params.get("taskDefinition") == self.revision and self.touched_at is None:
            self.writes.check_end_of_watch()
            self.touched_at = self.world.now

    def _is_the_one_writer(self, record: CallRecord, number: int) -> None:
        """Promise 5: who writes has looked since another wrote."""
        owner = self._caller.owner if self._caller is not None else None
        if owner is None:
            return
        by, written = self._written
        if by not in ("", owner) and self._looked_at.get(owner, -1) < written:
            self.says("one writer", f"{record.operation} by {owner} on a look older than {by}'s write")
        self._written = (owner, number)

    # at the end --------------------------------------------------------------------------------------------------

    def unended(self) -> None:
        """The play is over, and the rollout is not."""
        self.look()
        self.ends.unended(self.began)

    def end(self) -> None:
        """What must be so a minute after the end."""
        self.look()
        self.commands.end()
        self.ends.end()
        if not self.is_abandoned and not self._is_swapped():
            self.things.end()
            self.log.end()

    def _is_swapped(self) -> bool:
        is_good = self.told.ended is not None and self.told.ended.text.startswith("succeeded")
        return is_good and self.file.ending.is_swap
