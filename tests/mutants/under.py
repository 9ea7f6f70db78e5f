"""``python -m tests.mutants.under FAULT MODULE [ARGUMENT …]``: run another check, such as `tests.sim`, with a fault."""

import runpy
import sys

from tests.mutants.__main__ import chosen
from tests.mutants.planting import plant


def main() -> None:
    """Run the module as if it had been started, with the one fault of that name."""
    name, module, *arguments = sys.argv[1:]
    (fault,) = chosen([name])
    plant(fault)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
