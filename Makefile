# Everything a newcomer needs: `make demo` shows Peerkeeper at work, `make test` proves it.
# Needs Rust, Go and Python 3.11; what is built or installed goes to the user's cache folder, never outside it.

CACHE := $(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)/peerkeeper
# Shared by all checkouts: the AWS SDK alone takes ten minutes to build on two cores.
export CARGO_TARGET_DIR ?= $(CACHE)/target
PYTHON ?= python3
export PYTHON
CARGO ?= cargo

LOCKED := $(PYTHON) tools/with_lock.py $(CARGO_TARGET_DIR)/.run.lock
# Always together with a test: built alone, the binary has no dev-dependencies, so tokio gets other features and
# everything above it, the AWS SDK included, is built a second time.
BUILD := $(CARGO) build --locked --package peerkeeper --bin peerkeeper --test cluster --package ec2sim --bin ec2sim
# What ships is what is measured. A release build of everything, some twenty minutes the first time.
MEASURE := $(CARGO) test --release --locked --package peerkeeper --lib --test cluster -- --ignored --nocapture
say = @printf '\n== %s\n' $(1)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo setup test fidelity bench unit check sim lint fmt shapes crds install scripts need-rust need-python

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: setup ## watch the operator at work: make, lose and restore a peering
	$(call say,'the operator and the simulated EC2')
	@$(LOCKED) sh -c '$(BUILD)'
	$(call say,'the demo')
	@$$($(PYTHON) tools/moto/serve.py setup) tools/demo/demo.py "$$CARGO_TARGET_DIR"/debug/peerkeeper "$$CARGO_TARGET_DIR"/debug/ec2sim

setup: need-rust need-python ## build the Kubernetes control plane and install moto (both once per machine)
	$(call say,'control plane: etcd and Kubernetes from their Go modules')
	@$(PYTHON) tools/controlplane/controlplane.py build
	$(call say,'moto: an EC2 and STS to run against')
	@$(PYTHON) tools/moto/serve.py setup

test: lint setup ## everything: formatting, lints, unit, property, adapter and cluster tests
	$(call say,'shapes: those in ec2sim are those of the pinned botocore')
	@$$($(PYTHON) tools/moto/serve.py setup) tools/ec2sim/shapes.py --check
	$(call say,'events on AWS: templates linted; deployed on moto; what should be told arrives')
	@$$($(PYTHON) tools/moto/serve.py setup) tools/events/check.py
	@$$($(PYTHON) tools/moto/serve.py setup) tools/events/live.py
	@$$($(PYTHON) tools/moto/serve.py setup) tools/events/terraform.py || [ $$? -eq 77 ]
	$(call say,'all tests: also those against a real API server; ec2sim and moto')
	@$(LOCKED) $(CARGO) test --locked --workspace --no-fail-fast
	$(call say,'boto3: a client that is not ours hears of a deletion from ec2sim')
	@$$($(PYTHON) tools/moto/serve.py setup) tools/ec2sim/boto3_events.py "$$CARGO_TARGET_DIR"/debug/ec2sim
	$(call say,'events on AWS: the patterns on ec2sim')
	@$$($(PYTHON) tools/moto/serve.py setup) tools/events/on_ec2sim.py "$$CARGO_TARGET_DIR"/debug/ec2sim
	$(call say,'fidelity: ec2sim does as AWS does; and where moto does not is listed')
	@$$($(PYTHON) tools/moto/serve.py setup) tools/ec2sim/fidelity/run.py "$$CARGO_TARGET_DIR"/debug/ec2sim

fidelity: setup ## ask ec2sim and moto what AWS does: ONLY=life for one scenario, WRITE=1 for ec2sim/DIFFERENCES.md
	@$(LOCKED) sh -c '$(BUILD)'
	@$$($(PYTHON) tools/moto/serve.py setup) tools/ec2sim/fidelity/run.py "$$CARGO_TARGET_DIR"/debug/ec2sim \
		$(if $(ONLY),--only $(ONLY)) $(if $(WRITE),--write)

bench: setup ## measure: plans, AWS calls, time to restore, memory, time to flag; SIZES=100,1000,10000 (long: an hour or so)
	$(call say,'plans: time; allocations; memory')
	@$(LOCKED) $(CARGO) bench --locked --package peerkeeper-core --bench plan
	$(call say,'the simulated EC2: requests a second')
	@$(LOCKED) $(CARGO) bench --locked --package ec2sim --bench wire
	$(call say,'AWS calls per sweep and per restore: ec2sim counts them')
	@$(LOCKED) $(MEASURE) calls::bench
	$(call say,'a mass restore in virtual time: against the floor of the buckets')
	@$(LOCKED) $(MEASURE) controller::tests::bench
	$(call say,'the memory of the whole process')
	@$(LOCKED) $(MEASURE) memory::bench
	$(call say,'from a message in the queue to the flag on the object')
	@$(LOCKED) $(MEASURE) latency::bench

unit: need-rust ## the fast tests alone: no control plane, no moto
	$(call say,'tests that need nothing but Rust')
	@$(LOCKED) $(CARGO) test --locked --package peerkeeper-core --package ec2sim
	@$(LOCKED) $(CARGO) test --locked --package peerkeeper --lib --test fields

check: need-rust ## go through small worlds state by state (BUDGET=2: each fault twice, TOGETHER=4: so many in all)
	$(call say,'small worlds: each fault $(or $(BUDGET),1) times; $(or $(TOGETHER),3) in all')
	@BUDGET=$(or $(BUDGET),1) TOGETHER=$(or $(TOGETHER),3) $(LOCKED) $(CARGO) test --locked --package peerkeeper-core --test check \
		-- --nocapture --test-threads 1 $(or $(WORLD),a_small_world)

sim: need-rust ## hunt faults by chance: make sim SEEDS=100000, or one seed step by step: make sim SEED=7
	$(call say,'the engine as two processes on a simulated EC2: faults and people by chance')
	@$(LOCKED) env $(if $(SEED),SEED=$(SEED)) $(if $(SEEDS),SEEDS=$(SEEDS)) $(if $(FROM),FROM=$(FROM)) $(CARGO) test --locked --package peerkeeper-core --test chaos -- --nocapture whatever_happens

lint: need-rust scripts ## formatting, clippy, scripts
	$(call say,'formatting')
	@$(CARGO) fmt --all --check
	$(call say,'clippy: warnings are errors')
	@$(LOCKED) $(CARGO) clippy --locked --quiet --workspace --all-targets -- --deny warnings

scripts: need-python
	$(call say,'scripts compile')
	@find tools -name '*.py' -print0 | xargs -0 $(PYTHON) -c 'import sys; [compile(open(f).read(), f, "exec") for f in sys.argv[1:]]'

fmt: need-rust ## format all Rust code
	@$(CARGO) fmt --all

shapes: setup ## write ec2sim's tables of AWS's shapes anew from the pinned botocore
	@$$($(PYTHON) tools/moto/serve.py setup) tools/ec2sim/shapes.py

crds: need-rust ## write crds/ anew from the code
	@$(LOCKED) sh -c '$(BUILD) && "$$CARGO_TARGET_DIR"/debug/peerkeeper crd --out-dir crds'

install: PREFIX ?= /usr/local
install: ## the binary, kubectl's names for it, manual and completions: DESTDIR=, PREFIX=/usr/local, BIN= one that is built
	@$(if $(BIN),,$(LOCKED) $(CARGO) build --locked --release --bin peerkeeper)
	@sh tools/install.sh "$(or $(BIN),$(CARGO_TARGET_DIR)/release/peerkeeper)" "$(DESTDIR)$(PREFIX)"

need-rust:
	@command -v $(CARGO) >/dev/null || { echo 'Rust is missing: install it from https://rustup.rs (1.95 or newer)' >&2; exit 1; }
	@$(CARGO) clippy --version >/dev/null 2>&1 && $(CARGO) fmt --version >/dev/null 2>&1 || \
		{ echo 'clippy or rustfmt is missing: rustup component add clippy rustfmt' >&2; exit 1; }

need-python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo 'Python 3.11 or newer is missing: install it, or say which: make PYTHON=/path/to/python3 ...' >&2; exit 1; }
