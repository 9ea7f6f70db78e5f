"""What doors show of a rollout, as it is kept beside its row: a short command reads this, and none of the core.

`orchestrator.engine.views.keeping` makes it, from the view that every door shows. Imports none of the core but words.
"""

from dataclasses import dataclass

from orchestrator.core.ownership.service_of_record import Serves
from orchestrator.engine.views.rollout_values import RolloutView

FORM = 1
"""Of the text that is kept. Raised where a row would be shown in another way than before; a test says when."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What doors show of a rollout, and what the view of its service takes from it."""

    form: int
    rollout: RolloutView
    serves: Serves | None
    is_blue_read: bool
    is_first: bool  # blue served nothing before this rollout
