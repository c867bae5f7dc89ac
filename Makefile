# Everything a newcomer or contributor needs, one command each; `make help` lists them.
# The environment is made once and again only when pyproject.toml or constraints.txt change.

SHELL := /bin/sh
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
PYTEST := $(BIN)/python -m pytest

.PHONY: help chat test quick check bench clean

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  DOCS=FOLDER and PORT=NUMBER for chat, ARGS='-k find' for the tests,"
	@echo "  DATA=FOLDER for bench, PYTHON=python3.12 to choose the interpreter."

# `quoth chat` reads the folder and makes the library beside it. The shell takes DOCS from its
# environment, where make puts it, so that blanks and quotes in the name do no harm.
chat: $(VENV)/.quoth ## Ask the example documents in a web page, or those in DOCS=FOLDER
	@docs=$${DOCS:-examples/documents}; \
	case $$docs in "~") docs=$$HOME;; "~/"*) docs=$$HOME/$${docs#"~/"};; esac; \
	exec $(BIN)/quoth chat "$$docs" $${PORT:+--port "$$PORT"}

# Two processes side by side, but a browser has the machine to itself: it waits for what it sees.
# ARGS may choose none of the tests of one part, which pytest calls status 5.
OR_NONE = $(if $(ARGS),|| [ $$? -eq 5 ])

test: $(VENV)/.quoth-test ## Run the whole test suite
	$(PYTEST) -n 2 -m "not browser" $(ARGS) $(OR_NONE)
	$(PYTEST) -m browser $(ARGS) $(OR_NONE)

quick: $(VENV)/.quoth-test ## Run the tests that take no more than a few seconds each
	$(PYTEST) -n 2 -m "not slow and not browser" $(ARGS) $(OR_NONE)
	$(PYTEST) -m "not slow and browser" $(ARGS) $(OR_NONE)

check: $(VENV)/.quoth-test ## Check style, types and the direction of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	@for file in $$(find tests -mindepth 2 -name conftest.py); do $(BIN)/mypy $$file || exit 1; done
	$(BIN)/lint-imports

bench: $(VENV)/.quoth-test ## Measure how well the answers are found, on the examples or DATA=FOLDER
	$(BIN)/python bench/quality.py --data "$${DATA:-examples}"

clean: ## Delete the environment, the caches and the library of the examples
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	rm -rf .import_linter_cache test-results examples/documents.quoth
	find . -name __pycache__ -prune -exec rm -rf {} +

# The environment. What only tests and benchmarks need comes on top of what the chat needs, so
# going from one to the other adds packages and takes none away.

$(VENV)/.quoth: pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { \
	  echo "There is no $(PYTHON); install Python 3.11 or newer, or name one with PYTHON=."; \
	  exit 1; } >&2
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Quoth needs Python 3.11 or newer, and $(PYTHON) is older; name another with PYTHON=."; \
	  exit 1; } >&2
	@$(PIP) --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) || { \
	  rm -rf $(VENV); \
	  echo "No environment could be made; on Debian run: apt-get install python3-venv"; \
	  exit 1; } >&2
	@echo "Installing Quoth into $(VENV); the first time takes some minutes." >&2
	$(PIP) install --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.quoth-test: $(VENV)/.quoth
	$(PIP) install --constraint constraints.txt --editable '.[test]'
	@touch $@
