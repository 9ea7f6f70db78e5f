"""What AWS refuses: a list of calls, each with the answer that Teal and its World count on and what that rests on.

Run against the World always, against moto with its lies named, and against a real account by ``pytest -m aws``.
"""

from tests.verify.refusals_of_load_balancing import LOAD_BALANCING
from tests.verify.refusals_of_others import OTHERS
from tests.verify.refusals_of_services import SERVICES

CHECKS = (*LOAD_BALANCING, *SERVICES, *OTHERS)
