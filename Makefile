# make repro and make test do all the set-up on a fresh machine with Python 3.11.
PYTHON ?= python3.11
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
READY := $(VENV)/.ready
PORT ?= 5000
export PATH := $(BIN):$(PATH)
export MLFLOW_DISABLE_TELEMETRY := true

.PHONY: repro test soak lint ui quick verify track lock clean help
.DEFAULT_GOAL := help

help: ## say what the targets do
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

$(READY): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "error: $(PYTHON) is not installed; name another 3.11 with PYTHON=..." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@# torch first and by pip alone: another installer, or a range, pulls gigabytes
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $$(grep -m1 '^torch==' requirements.lock)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --config-settings editable_mode=compat -e .
	$(BIN)/python -m pipeline prepare
	@touch $(READY)

repro: $(READY) ## set up, run the pipeline, log what DVC restored or skipped
	@$(BIN)/dvc repro
	@$(BIN)/python -m pipeline track

test: $(READY) ## set up, run the whole test suite
	$(BIN)/python -m pytest --numprocesses=auto --maxprocesses=4 --dist=loadfile --no-loadscope-reorder

soak: $(READY) ## the long tests: kills, load, hostile input (SCALE=0.1: a tenth)
	$(BIN)/python -m pytest tests/soak --soak=$(or $(SCALE),1) -s

lint: $(READY) ## ruff, mypy, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

ui: $(READY) ## browse the runs in MLflow (PORT=5000)
	@$(BIN)/python -m pipeline ui --port $(PORT)

quick: $(READY) ## the whole pipeline at small scale in a scratch copy
	@$(BIN)/python -m pipeline quick

verify: $(READY) ## small scale twice, 1 and 2 workers, bytes compared (STAGES="a b")
	@$(BIN)/python -m pipeline verify $(STAGES)

track: $(READY) ## log the stages that dvc.lock holds and MLflow does not
	@$(BIN)/python -m pipeline track

lock: ## write requirements.lock anew from pyproject.toml
	rm -rf .lock-venv && $(PYTHON) -m venv .lock-venv
	.lock-venv/bin/python -m pip install --quiet $$(sed -n 's/^ *"\(torch==.*\)",/\1/p' pyproject.toml)
	.lock-venv/bin/python -m pip install --quiet setuptools wheel -e '.[dev]'
	.lock-venv/bin/python -m pip freeze --all --exclude-editable --exclude pip | sed 's/+cpu//' > requirements.lock
	rm -rf .lock-venv

clean: ## remove the environment and caches; data, runs and DVC's cache stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis *.egg-info
	find pipeline tests bench -name __pycache__ -type d -prune -exec rm -rf {} +
