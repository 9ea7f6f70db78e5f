# The one door for developers. Needs make and Python 3.11 or newer; uses uv where it is installed.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
CODE := orchestrator api sandbox tests docs

# What is compiled once is not compiled again by every process that the tests start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo test fmt lint types layers shape unit virtual virtual-beside machine docs docs-check sim fuzz night mutants bench verify-aws lock clean

setup: .venv/.ready

.venv/.ready: requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Teal needs Python 3.11 or newer; found " + sys.version.split()[0] + ". Name one: make PYTHON=/path/to/python3.11")'
	@echo "setting up .venv (once)"
	@if command -v uv >/dev/null; then \
	    uv venv --quiet --clear --python "$(PYTHON)" .venv && \
	    uv pip sync --quiet --python $(BIN)/python --require-hashes requirements-dev.lock && \
	    uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable . ; \
	else \
	    $(PYTHON) -m venv --clear .venv && \
	    $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock && \
	    $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . ; \
	fi
	@touch $@

demo: setup
	@$(BIN)/teal demo

test: setup
	@$(MAKE) --no-print-directory --jobs 2 lint types layers docs-check
	@$(MAKE) --no-print-directory --jobs 2 machine virtual-beside

# No sockets, no processes, no waiting: for every change.
unit: setup
	$(BIN)/python -m pytest -n auto --dist worksteal -m 'not aws and not night and not machine and not long'

# The same with everything that plays whole rollouts.
virtual: setup
	$(BIN)/python -m pytest -n auto --dist worksteal -m 'not aws and not night and not machine'

# Beside what is held to a clock: it takes what time of the cores that leaves.
virtual-beside: setup
	@nice -n 19 $(MAKE) --no-print-directory virtual

# Everything else. Most of it waits, so more of it runs side by side than there are cores.
machine: setup
	$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder -m 'not aws and not night and machine'

fmt: setup
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

lint: setup
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	@! grep -nE 'https?://' requirements*.lock || { echo "a lock file names an address"; exit 1; }

types: setup
	$(BIN)/mypy

layers: setup
	$(BIN)/lint-imports

docs: setup
	$(BIN)/python docs/generate.py

docs-check: setup
	$(BIN)/python docs/generate.py --check

shape: setup
	$(BIN)/python tests/shape.py

sim: setup
	$(BIN)/python -m tests.sim $(if $(SCENARIO),--scenario $(SCENARIO),$(if $(SEED),--start $(SEED) --seeds 1,--seeds $(or $(SEEDS),2000)))

fuzz: setup
	$(BIN)/python -m tests.fuzz $(if $(SEED),--seed $(SEED)) $(if $(EXAMPLES),--examples $(EXAMPLES))

# What takes hours: goes on where a stopped run was; its last figures are in docs/proofs.md.
night: setup
	$(BIN)/python -m tests.night $(if $(PROOF),"$(PROOF)")

# Puts faults into core, engine and store, one at a time; fails for one that no test catches. NAME= a fault, or a room.
mutants: setup
	$(BIN)/python -m tests.mutants $(if $(NAME),"$(NAME)") $(if $(RESUME),--resume)

bench: setup
	$(BIN)/python -m tests.bench

# Tries Teal in a real account: ARGS="--subnets … --security-group …"; it says what it will do, and asks.
verify-aws: setup
	@$(BIN)/teal verify-account $(ARGS)

# Needs uv. The locks hold versions and hashes and no address.
lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    pyproject.toml --output-file requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    --group dev pyproject.toml --output-file requirements-dev.lock

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
