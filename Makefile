# Two commands: `make demo` sets everything up and runs the main job; `make test` runs the tests.
PYTHON ?= python3.11
VENV   ?= .venv
BIN    := $(VENV)/bin
OUT    ?= demo
# uv ignores pip's configuration: pass pip's find-links on
export UV_FIND_LINKS ?= $(shell $(PYTHON) -m pip config get global.find-links 2>/dev/null || echo $$PIP_FIND_LINKS)
STAMP  := $(VENV)/.installed

.PHONY: help setup demo test lint peers pyretechnics bench evidence clean
help:            ## what each command does
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

setup: $(STAMP)  ## a virtual environment in .venv with everything in it
$(STAMP): pyproject.toml constraints.txt hatch_build.py src/geolabel/view/assets/package-lock.json
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q -c constraints.txt uv
	$(BIN)/uv pip install -q --python $(BIN)/python -c constraints.txt -e ".[all,test,oracle,dev]"
	touch $@

demo: setup      ## the main job on the shipped scene: labels, consensus, model, risk map (OUT=folder)
	$(BIN)/geolabel demo --out $(OUT)

test: setup      ## all tests, in as many processes as there are cores (at most four)
	$(BIN)/python -m pytest -n auto --maxprocesses 4

lint: setup      ## style, types, and the contracts between rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

peers: setup     ## the environment of the peers that benchmarks run beside, in .venv-peers
	test -x .venv-peers/bin/python || $(PYTHON) -m venv .venv-peers
	$(BIN)/uv pip install -q --python .venv-peers/bin/python --no-deps -r benchmarks/peers/requirements.txt

pyretechnics: setup  ## the environment of pyretechnics (beside numpy 1), in .venv-pyretechnics
	test -x .venv-pyretechnics/bin/python || $(PYTHON) -m venv .venv-pyretechnics
	$(BIN)/uv pip install -q --python .venv-pyretechnics/bin/python "cython<3.1" "numpy<2" setuptools wheel
	$(BIN)/uv pip install -q --python .venv-pyretechnics/bin/python --no-build-isolation pyretechnics

bench: setup     ## short benchmarks against peers, as ratios
	$(BIN)/python -m benchmarks.run

evidence: setup  ## every figure the documents quote (ROOM=fire for one room, JSON=1 for machines, LONG=1 for long rows)
	$(BIN)/python -m benchmarks.evidence $(if $(ROOM),--room $(ROOM)) $(if $(JSON),--json) $(if $(LONG),--long)

clean:           ## remove what the commands made here
	rm -rf $(VENV) .venv-peers .venv-pyretechnics .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
