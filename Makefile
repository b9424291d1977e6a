# What takes more than one command: building, installing, checking and showing the plugin.
# A target's help is the text after `##` on its line.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# rustup's own directory is not in the PATH of every non-login shell.
export PATH := $(PATH):$(or $(CARGO_HOME),$(HOME)/.cargo)/bin

CARGO ?= cargo

# A quoted string of cargo options for each run. The features change no more than what is public, so the
# tests would only say the same twice; that each set compiles is clippy's to say.
CLIPPY_SETS := "" "--features static,capi,doc,internals"
TEST_SETS := ""

.PHONY: help deps build install uninstall deb package lint test soak demo bench matrix

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

deps: ## install with apt-get what building, demo and tests need besides Rust; without apt-get, list it
	@scripts/deps

build: ## build the plugin and the program: target/release/libgstvolcasr.so, target/release/volcasr
	@scripts/deps build
	@scripts/check-rust
	@scripts/build

# Not after `build`: with sudo it would leave root's files in target/.
install: ## copy plugin, presets and program: DESTDIR, PREFIX, PLUGINSDIR, PRESETSDIR, BINDIR, SHAREDIR
	@scripts/install install

uninstall: ## take away what `make install` with the same variables has copied
	@scripts/install uninstall

deb: ## make Debian packages of plugin and program, with cargo-deb
	@scripts/deps build
	@scripts/check-rust
	@scripts/deb

lint: deps ## formatting, clippy and rustdoc with warnings as errors, shell and Python checks
	@scripts/check-rust fmt clippy
	$(CARGO) fmt --all --check
	for features in $(CLIPPY_SETS); do \
		$(CARGO) clippy --workspace --all-targets --locked $$features -- -D warnings; \
	done
	for private in "" --document-private-items; do \
		RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked $$private; \
	done
	scripts/lint

test: lint ## all of lint, then unit, integration and documentation tests
	for features in $(TEST_SETS); do \
		$(CARGO) test --workspace --locked $$features; \
	done

package: ## make the plugin's .crate file, and build the plugin from nothing but what is in it
	@scripts/deps build
	@scripts/check-rust
	@scripts/package

soak: deps ## a thousand random schedules of faults, pauses and flushes: SOAK_SEED, SOAK_SCHEDULES, SOAK_JOBS
	@scripts/check-rust
	$(CARGO) test --locked --test soak --no-run
	SOAK_SEED=$${SOAK_SEED:-$$RANDOM$$RANDOM} SOAK_SCHEDULES=$${SOAK_SCHEDULES:-1000} SOAK_JOBS=$${SOAK_JOBS:-16} \
		timeout 600 $(CARGO) test --locked --test soak -- --nocapture

matrix: ## test with Debian 13's and sid's GStreamer, in roots of their own: MATRIX_SUITES, MATRIX_KEEP
	@scripts/matrix check
	@scripts/deps build
	@scripts/check-rust
	@scripts/matrix $(MATRIX_SUITES)

demo: ## recorded speech through gst-launch-1.0 to words, without an account
	@scripts/deps demo
	@scripts/check-rust
	@scripts/demo

bench: deps ## what the sink costs, beside what others cost: one table, and curves in target/
	@scripts/check-rust
	$(CARGO) build --release --locked --package gst-plugin-volcasr --lib --package volcasr --bin volcasr
	$(CARGO) bench --locked --features internals --no-run
	python3 -m venv target/bench-venv
	target/bench-venv/bin/pip install --quiet --disable-pip-version-check 'websockets>=15,<18'
	$(CARGO) bench --locked --features internals --bench floors -- --quiet --warm-up-time 1 --measurement-time 2
	@scripts/bench.py
