# make repro and make test do all the set-up on a fresh machine with Python 3.11, 3.12 or 3.13.
# A value may hold any character, so recipes read it as the shell's variable: "$$PORT".
PYTHON ?=
TORCH ?=
PORT ?= 5000
HOST = 127.0.0.1
SOAK ?= 1
export PYTHON TORCH PORT HOST SOAK
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export MLFLOW_DISABLE_TELEMETRY := true
# What an active environment, a module system or a git hook left would lead out of this checkout.
unexport PYTHONHOME PYTHONPATH PYTHONUSERBASE PYTHONSAFEPATH VIRTUAL_ENV CONDA_PREFIX
unexport GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_COMMON_DIR GIT_NAMESPACE GIT_PREFIX
# The scripts of .venv are named by python -m: it needs no path in them.
RUN := .venv/bin/python -m

$(if $(wildcard .make/environment.py),,$(error run make in the folder of the checkout, or make -C FOLDER))

.PHONY: repro test soak verify lint ui quick track ready lock clean help
.DEFAULT_GOAL := help

help: ## say what the targets do
	@grep -hE '^[a-z]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 10

ready: ## install what is locked into .venv (every target that needs it does)
	@python=$$(sh .make/find_python.sh) && "$$python" -E -s .make/environment.py

repro: ready ## set up, run the pipeline, log what DVC restored or skipped
	@$(RUN) pipeline prepare || :
	@$(RUN) dvc repro
	@$(RUN) pipeline track --warn

test: ready ## set up, run the whole test suite
	$(RUN) pytest --numprocesses=auto --maxprocesses=4 --dist=loadfile --no-loadscope-reorder

soak: ready ## the long forms of the tests (hours); SOAK=0.1 is a tenth
	$(RUN) pytest tests/soak --soak="$$SOAK" --capture=no

verify: ready ## small scale twice, 1 and 2 workers, every byte compared (STAGES="a b")
	@$(RUN) pipeline verify $(STAGES)

lint: ready ## ruff, mypy, import contracts
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	$(RUN) mypy
	.venv/bin/lint-imports

ui: ready ## browse the runs in MLflow (PORT=5000 HOST=127.0.0.1)
	@$(RUN) pipeline ui --port "$$PORT" --host "$$HOST"

quick: ready ## the whole pipeline at small scale in a scratch copy
	@$(RUN) pipeline quick

track: ready ## log the stages that dvc.lock holds and MLflow does not
	@$(RUN) pipeline track

lock: ## write requirements.lock anew from pyproject.toml
	rm -rf .lock-venv && python=$$(sh .make/find_python.sh) && "$$python" -m venv .lock-venv
	.lock-venv/bin/python -m pip install --quiet "$$(sed -n 's/^ *"\(torch==.*\)",/\1/p' pyproject.toml)"
	.lock-venv/bin/python -m pip install --quiet setuptools wheel -e '.[dev]'
	.lock-venv/bin/python -m pip freeze --all --exclude-editable --exclude pip | sed 's/+cpu//' > requirements.lock
	rm -rf .lock-venv

clean: ## remove the environment and caches; data, runs, DVC's cache and kept cells stay
	@$(RUN) pipeline cells 2>/dev/null || :
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis *.egg-info
	find pipeline tests bench .make -name __pycache__ -type d -prune -exec rm -rf {} +
