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
export PYO3_PYTHON = $(CURDIR)/$(PY)

help:
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 16

demo: .venv-bench/built  ## a service falls ill: what callers see with and without a breaker
	$(RELEASE_PY) demo/outage.py

test: test-rust test-python  ## the Rust tests, then the Python tests

check: check-format check-rust check-types test check-loom check-pythons  ## what CI runs

bench: .venv-bench/built .venv-bench/peers  ## cost of a call, seawall against its peers
	$(RELEASE_PY) -m benches.python $(ARGS)

torture:  ## kills processes at random moments, KILLS times: what runs twice, what is lost
	SEAWALL_KILLS=$${KILLS:-1000} cargo test --features sqlite --test stores_processes -- \
	    --nocapture kill

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

test-rust:
	cargo test --features sqlite

test-python: .venv/built
	$(PY) -m pytest

check-format: .venv/ready
	cargo fmt --check
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .

check-rust: .venv/ready
	$(PY) -m tools.purity
	cargo clippy --all-targets -- -D warnings
	cargo clippy --all-targets --features sqlite -- -D warnings
	cargo clippy --all-targets --features python,sqlite -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --quiet --features sqlite

check-types: .venv/built
	$(PY) -m mypy
	$(PY) -m pyright
	$(PY) -m mypy.stubtest seawall._core --mypy-config-file pyproject.toml \
	    --allowlist tests/typing/stubtest.txt
	$(PY) -m tools.rooms

check-loom:
	RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR=target/loom cargo test --profile quick --test '*_loom'

# The other supported Pythons, where this machine has them; each tests a wheel as users install it.
check-pythons: .venv/ready
	for version in $$(tools/pythons.sh others $(PY)); do \
	    $(MAKE) --no-print-directory check-python-$$version; done

check-python-%: .venv-%/built
	.venv-$*/bin/python -m pytest

# Environments. `ready`: requirements are installed. `built`: seawall is, from the present sources.

.venv/ready: requirements/build.txt requirements/clients.txt requirements/hosts.txt requirements/test.txt requirements/dev.txt
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

.venv-bench/built: .venv-bench/ready $(RUST) $(PACKAGE)
	tools/install-wheel.sh .venv-bench --release dist

.venv-3.%/ready: requirements/build.txt requirements/clients.txt requirements/hosts.txt requirements/test.txt
	tools/environment.sh "$$(tools/pythons.sh find 3.$*)" .venv-3.$* \
	    requirements/test.txt requirements/build.txt

.venv-3.%/built: .venv-3.%/ready $(RUST) $(PACKAGE)
	tools/install-wheel.sh .venv-3.$* --profile=quick target/wheels/3.$*

.PHONY: help demo test check bench torture matrix fix plots wheel clean test-rust test-python \
    check-format check-rust check-types check-loom check-pythons
.PRECIOUS: .venv-3.%/ready .venv-3.%/built
