"""What green's tasks cost while the plan lasts, step by step where their number follows its weight."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from orchestrator.core.cloud.deregistration_delay import longest_delay
from orchestrator.core.cloud.survey import Finding, Survey
from orchestrator.core.domain.plan import percent
from orchestrator.core.domain.text import counted, span
from orchestrator.core.preflight.environment import Surroundings, TaskSeen
from orchestrator.core.rollout.spec import Capacity, Spec
from orchestrator.core.scaling import task_counts
from orchestrator.core.tick.draft import LATE
from orchestrator.preflight.findings import note
from orchestrator.preflight.room.quota_headroom import extra_tasks
from orchestrator.preflight.timing import plan_table

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spell:
    """So many tasks for so long."""

    name: str
    tasks: int
    lasts: timedelta


def look(spec: Spec, survey: Survey, around: Surroundings) -> Iterator[Finding]:
    """Green's tasks for as long as the plan takes; beside them, while blue rolls, what ECS adds."""
    task, needed = around.wanted, max(survey.blue.desired, spec.first_tasks)
    if not isinstance(task, TaskSeen) or not survey.blue.desired:
        return
    spells = _spells(spec, survey, needed)
    if spec.capacity is Capacity.STEPPED:
        for spell in spells:
            yield note("capacity-step", f"{spell.name}: {_in_words(spell, task)}")
    yield _total(spec, survey, task, spells)


def _spells(spec: Spec, survey: Survey, needed: int) -> tuple[_Spell, ...]:
    """How many tasks green has in each step, and while traffic returns to blue."""
    rows = plan_table(spec, survey.alarms)
    return (
        *(
            _Spell(
                name=f"{'the watch' if row is rows[-1] else f'step {row.number}'}, {percent(row.weight)}",
                tasks=task_counts.tasks_at(spec, row.weight, needed=needed, zones=survey.zones),
                lasts=row.lasts,
            )
            for row in rows
        ),
        _last(spec, survey, needed),
    )


def _last(spec: Spec, survey: Survey, needed: int) -> _Spell:
    """After the watch: until traffic is back on blue, in three steps of one whole interval, or until blue has gone."""
    if not spec.ending.is_swap:
        returning = 3 * (spec.metrics.period + spec.metrics.lag)
        return _Spell(name="until traffic is back on blue", tasks=needed, lasts=returning)
    delay = longest_delay(group.attributes for group in survey.groups)
    return _Spell(name="until blue's tasks have stopped", tasks=needed, lasts=max(LATE, delay) + delay)


def _in_words(spell: _Spell, task: TaskSeen) -> str:
    words = f"{counted(spell.tasks, 'task')} of green for about {span(spell.lasts)}"
    if not task.vcpu:
        return words
    hours = spell.tasks * (spell.lasts / HOUR)
    vcpu, memory = spell.tasks * task.vcpu, spell.tasks * task.memory_mib / 1024
    return (
        f"{words}, {vcpu:g} vCPU and {memory:g} GiB, {hours * task.vcpu:.2g} vCPU hours and "
        f"{hours * task.memory_mib / 1024:.2g} GiB hours"
    )


def _total(spec: Spec, survey: Survey, task: TaskSeen, spells: tuple[_Spell, ...]) -> Finding:
    lasts = sum((spell.lasts for spell in spells), timedelta(0))
    hours = sum(spell.tasks * (spell.lasts / HOUR) for spell in spells)
    most = max(spell.tasks for spell in spells)
    least = min(spell.tasks for spell in spells)
    tasks = counted(most, "more task") if least == most else f"{least} to {most} more tasks"
    if not task.vcpu:
        return note("cost", f"{tasks} for about {span(lasts)}")
    memory = most * task.memory_mib / 1024
    up_to = "" if least == most else "up to "
    return note(
        "cost",
        f"{tasks} for about {span(lasts)}: {up_to}{most * task.vcpu:g} vCPU and "
        f"{memory:g} GiB more, {task.vcpu * hours:.2g} vCPU hours and {hours * task.memory_mib / 1024:.2g} GiB hours",
        "beside green's start and people's time"
        + ("" if spec.ending.is_swap else f"; up to {extra_tasks(survey)} of them while blue is replaced"),
    )
