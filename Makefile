# One command each. `make up` starts the product, `make test` proves it.
#   make up                                    start everything on this machine; Ctrl-C stops it
#   make test                                  all checks and tests
#   make test ARGS="tests/fleet -k heartbeat"  a few tests, on SQLite
#   make test STAGE=static                     one stage: static, sqlite, postgres or journeys (or several, with commas)
#   make bench NAME=heartbeats                 one benchmark
#   make lint / make format                    the static checks / lay the code out

PYTHON ?= python3
BIN := .venv/bin
AGENT := fleet/agent

# A moved folder needs a new environment: installed programs carry their own path.
ifneq ($(shell cat .venv/location 2>/dev/null),$(CURDIR))
.PHONY: .venv/product .venv/dev
endif

.PHONY: up test bench lint format
.SILENT:
.NOTPARALLEL:

up: .venv/product $(AGENT)/dist/.built
	exec $(BIN)/pharos up

test: .venv/dev $(AGENT)/dist/.built
	exec $(BIN)/python scripts/test --stage "$(STAGE)" -- $(ARGS)

bench: .venv/dev $(AGENT)/dist/.built
	exec $(BIN)/python scripts/bench $(NAME)

lint: .venv/dev
	exec $(BIN)/python scripts/test --stage static --

format: .venv/dev
	$(BIN)/ruff check --fix-only --quiet .
	exec $(BIN)/ruff format .

.venv/product: pyproject.toml $(AGENT)/pyproject.toml scripts/setup
	PYTHON="$(PYTHON)" scripts/setup tools
	touch $@

.venv/dev: pyproject.toml $(AGENT)/pyproject.toml scripts/setup
	PYTHON="$(PYTHON)" scripts/setup tools,busy,dev
	touch .venv/product $@

# The platform hands this wheel to machines that join, so it follows the agent's code. Needs the environment.
$(AGENT)/dist/.built: $(AGENT)/pyproject.toml $(wildcard $(AGENT)/pharos_agent/*.py)
	rm -rf $(AGENT)/dist $(AGENT)/build
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir $(AGENT)/dist ./$(AGENT)
	touch $@
