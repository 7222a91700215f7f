# All paths are relative and all tools run as `python -m`, so that the path of a checkout may hold spaces.
PYTHON ?= python3
OMP_NUM_THREADS ?= 1
export OMP_NUM_THREADS

VENV := .venv
PY := $(VENV)/bin/python
# A stamp is made when its step has ended: what was interrupted is done again, what stands is left alone.
MADE := $(VENV)/made
RUN := $(VENV)/installed
TEST := $(VENV)/installed-test
DEV := $(VENV)/installed-dev
DOCS := $(VENV)/installed-docs
# An environment whose interpreter is gone or has no pip is made anew.
BROKEN := $(if $(wildcard $(MADE)),$(shell $(PY) -c 'import pip' 2>/dev/null || echo broken))
PIP := pip install --disable-pip-version-check
INSTALL := $(PY) -m $(PIP) -c .ci/constraints.txt
OLDEST := .venv-oldest
NEWER := .venv-newer
# The commits that `make bench-compare` compares.
BASE ?= HEAD~1
HEAD ?= HEAD
# The Python that `make test-newer` takes: the newest that runs.
NEWER_PYTHON ?= $(firstword $(foreach name,python3.14 python3.13 python3.12,$(shell $(name) -c 'print("$(name)")' 2>/dev/null)))

.DEFAULT_GOAL := help
.PHONY: help demo test coverage test-long test-oldest test-newer lint format docs bench bench-compare clean broken

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1	\2/p' Makefile | expand -t 18

$(MADE): $(BROKEN)
	@$(PYTHON) -c 'import sys; v = "%d.%d" % sys.version_info[:2]; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed, got " + v + "; choose one: make PYTHON=python3.12 ...")'
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	touch $@

$(RUN): $(MADE) pyproject.toml .ci/constraints.txt
	$(INSTALL) -e .
	touch $@

$(TEST): $(MADE) pyproject.toml .ci/constraints.txt
	$(INSTALL) -e '.[test]'
	touch $(RUN) $@

$(DEV): $(MADE) pyproject.toml .ci/constraints.txt
	$(INSTALL) -e '.[dev]'
	touch $(RUN) $(TEST) $@

$(DOCS): $(MADE) pyproject.toml .ci/constraints.txt
	$(INSTALL) -e '.[docs]'
	touch $(RUN) $@

demo: $(RUN)  ## compare all four families on one table, in reports/quickstart.html (two minutes at most)
	$(PY) examples/quickstart.py

test: $(TEST)  ## run the tests and doctests
	$(PY) -m pytest -n 2 --dist loadfile

coverage: $(TEST)  ## run them with each line traced, which takes a third longer
	$(PY) -m pytest -n 2 --dist loadfile --cov --cov-report=
	$(PY) -m coverage report --skip-covered

test-long: $(TEST)  ## run the long statistical checks
	$(PY) -m pytest tests/long || [ $$? -eq 5 ]  # 5: there are none

test-oldest: .ci/oldest.txt  ## test the promises with the oldest dependencies (downloads several GB)
	$(PYTHON) -m venv --clear $(OLDEST)
	$(OLDEST)/bin/python -m $(PIP) -r .ci/oldest.txt -e .
	$(OLDEST)/bin/python -m pytest -n 2 tests/test_contracts.py tests/test_sklearn_checks.py tests/tabular

test-newer: .ci/constraints.txt  ## run the tests under a newer Python, NEWER_PYTHON=... (downloads several GB)
	@test -n '$(NEWER_PYTHON)' || { echo 'No Python 3.12 to 3.14 was found; name one: make test-newer NEWER_PYTHON=...'; exit 1; }
	$(NEWER_PYTHON) -m venv --clear $(NEWER)
	$(NEWER)/bin/python -m $(PIP) -c .ci/constraints.txt -e '.[test]'
	$(NEWER)/bin/python -m pytest -n 2 --dist loadfile

lint: $(DEV)  ## check style, spelling, types and docstrings
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m codespell_lib .
	$(PY) -m mypy

format: $(DEV)  ## format the code and mend what ruff can mend
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

docs: $(DOCS)  ## build the documentation in docs/_build/html
	$(PY) -m sphinx -W -b html docs docs/_build/html
	$(PY) docs/_ext/links.py docs/_build/html README.md

bench: $(TEST)  ## run the scripts behind the published figures (hours)
	$(INSTALL) -e '.[bench]'
	for script in examples/benchmarks/[a-z]*.py; do $(PY) "$$script" || exit; done

bench-compare: $(DEV)  ## compare the speed of two commits by asv, BASE=HEAD~1 HEAD=HEAD (some minutes)
	$(INSTALL) 'asv>=0.6.4' virtualenv
	$(PY) -m asv machine --yes
	$(PY) -m asv continuous --factor 1.3 '$(BASE)' '$(HEAD)'

clean:  ## remove the environment, caches and reports
	rm -rf $(VENV) $(OLDEST) $(NEWER) .coverage .pytest_cache .ruff_cache .mypy_cache build dist reports .asv docs/_build docs/generated docs/gallery
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
