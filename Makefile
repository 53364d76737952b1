# The commands of this repository. Each recipe is a line; what is longer is a script in .ci/ or deploy/.
.DEFAULT_GOAL := help

.PHONY: help
help: ## List these commands
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

.PHONY: run
run: ## Build in release mode and serve the pet shop of deploy/quickstart.yaml; Ctrl-C ends it
	@deploy/run

.PHONY: fmt
fmt: ## Format the code
	cargo fmt --all

.PHONY: lint
lint: ## Formatting and lints, without tests
	@.ci/suites fmt clippy

.PHONY: test
test: ## Lints, all Rust tests, and boto3 and the AWS CLI against the real binaries
	@.ci/suites fmt clippy rust clients

.PHONY: test-all
test-all: test test-long ## The same and the long suites: crashes, public documents, templates beside Velocity, fuzzing, instruction counts ...

.PHONY: test-long
test-long: ## The long suites alone
	@.ci/suites long documents velocity fuzz idle counts compare

.PHONY: bench
bench: ## Print how long each step of the hot path takes here
	@cargo run --quiet --release --locked -p tidegate-benches -- time

.PHONY: bench-compare
bench-compare: ## Install nginx, HAProxy and Envoy where they are missing, and measure Tidegate beside them
	@.ci/bench-compare
