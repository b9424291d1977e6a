# The two commands: `make demo` and `make test`. Everything else is cargo's.
# A target's help is the text after `##` on its line.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# rustup's own directory is not in the PATH of every non-login shell.
export PATH := $(PATH):$(or $(CARGO_HOME),$(HOME)/.cargo)/bin

CARGO ?= cargo

# What clippy and the tests are run with, a quoted string of cargo options for each set.
FEATURE_SETS := ""

.PHONY: help deps build lint test soak demo bench

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

deps: ## install what is needed besides Rust (Debian, Ubuntu), or say what is
	@scripts/deps

build: deps ## build the plugin: target/release/libgstvolcasr.so
	@scripts/check-rust
	$(CARGO) build --release --locked --lib

lint: deps ## formatting, clippy with warnings as errors, shell and Python checks
	@scripts/check-rust fmt clippy
	$(CARGO) fmt --all --check
	for features in $(FEATURE_SETS); do \
		$(CARGO) clippy --workspace --all-targets --locked $$features -- -D warnings; \
	done
	scripts/lint

test: lint ## all of lint, then unit, integration and documentation tests
	for features in $(FEATURE_SETS); do \
		$(CARGO) test --workspace --locked $$features; \
	done

soak: deps ## a thousand random schedules of faults, pauses and flushes: SOAK_SEED, SOAK_SCHEDULES, SOAK_JOBS
	@scripts/check-rust
	$(CARGO) test --locked --test soak --no-run
	SOAK_SEED=$${SOAK_SEED:-$$RANDOM$$RANDOM} SOAK_SCHEDULES=$${SOAK_SCHEDULES:-1000} SOAK_JOBS=$${SOAK_JOBS:-16} \
		timeout 600 $(CARGO) test --locked --test soak -- --nocapture

demo: deps ## recorded speech through gst-launch-1.0 to words, without an account
	@scripts/check-rust
	@scripts/demo

bench: deps ## what the sink costs, beside what others cost: one table, and curves in target/
	@scripts/check-rust
	$(CARGO) build --release --locked --lib --example loopback
	$(CARGO) bench --locked --no-run
	@scripts/bench.py
	$(CARGO) bench --locked --bench floors
