# kefu: targets for developers. `make help` lists them.

CARGO ?= cargo
DEMO_DIR ?= kefu-demo
DEMO_LISTEN ?= 127.0.0.1:8443
CLUSTER_DIR ?= kefu-cluster
# the first of four
CLUSTER_PORT ?= 8450
TARGET := $(or $(CARGO_TARGET_DIR),target)
KEFU := $(TARGET)/debug/kefu
# PyTorch and the rest of models/train/requirements.txt
TRAIN ?= $(HOME)/.cache/kefu/train
export PATH := $(HOME)/.cargo/bin:$(PATH)
# rustup finds the pinned toolchain; this is the name of another one where it is not available
OTHER_TOOLCHAIN := $(if $(RUSTUP_TOOLCHAIN),,$(shell packaging/toolchain.sh))
ifneq ($(OTHER_TOOLCHAIN),)
export RUSTUP_TOOLCHAIN := $(OTHER_TOOLCHAIN)
endif

.PHONY: help run build ui test check audit test-train test-rust test-ui test-browser test-firefox gallery desk-bench lint bench rounds attack hostile mutate fuzz crash cluster-crash full-disk tools cluster clean-demo clean-cluster dist test-dist test-containers size smoke cross-tools

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

run: ui ## Build everything, create a demo company, start the server
	$(CARGO) build --locked
	@KEFU="$(KEFU)" DIR="$(DEMO_DIR)" LISTEN="$(DEMO_LISTEN)" sh packaging/demo.sh

cluster: ui ## The same with two servers that share a Redis (installs Debian's redis-server if there is none)
	$(CARGO) build --locked
	@KEFU="$(abspath $(KEFU))" DIR="$(CLUSTER_DIR)" PORT="$(CLUSTER_PORT)" sh packaging/cluster.sh

build: ui ## Build the executable for servers: target/release/kefu
	$(CARGO) build --locked --release

ui: ui/node_modules ## Build the pages that the executable embeds
	npm --prefix ui run build

ui/node_modules: ui/package-lock.json
	npm --prefix ui ci --ignore-scripts --no-audit --no-fund
	@touch $@

tests/browser/node_modules: tests/browser/package-lock.json
	npm --prefix tests/browser ci --ignore-scripts --no-audit --no-fund
	@touch $@

tools: ## Install what the tests need and this machine lacks (Debian's chromium, python3-venv)
	@packaging/test-tools.sh

test: tools audit lint test-ui ui test-rust test-browser ## Everything that must pass

audit: tools ## Dependencies: licences, sources, hashes; known vulnerabilities if the advisory databases are reachable
	packaging/audit.sh

lint: tools ui/node_modules ## Formatting and lints of everything, warnings denied
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps
	ui/node_modules/.bin/biome check --error-on-warnings
	packaging/lint.sh

check: ui/node_modules ## For everyday work: formatting, clippy, unit tests of what changed (under a minute after the first run)
	$(CARGO) fmt --check
	ui/node_modules/.bin/biome check --error-on-warnings
	$(CARGO) clippy --locked --workspace --lib --bins -- -D warnings
	$(CARGO) test --locked --workspace --lib --quiet
	npm --prefix ui run check
	npm --prefix ui test -- --changed HEAD --passWithNoTests --exclude 'tests/hostile/**'

test-rust: ## Rust tests
	$(CARGO) test --locked --workspace

test-ui: ui/node_modules ## Types and unit tests of the pages
	npm --prefix ui run check
	npm --prefix ui test

test-browser: tools ui tests/browser/node_modules ## Real browsers against the real executable
	npm --prefix ui run size
	$(CARGO) build --locked
	KEFU="$(abspath $(KEFU))" npm --prefix tests/browser test

test-train: tools ## Tests of the program that trains the language model (downloads PyTorch, 3 GB, once)
	@cmp -s models/train/requirements.txt "$(TRAIN)/requirements.txt" || { rm -rf "$(TRAIN)" && python3 -m venv "$(TRAIN)" \
		&& "$(TRAIN)/bin/pip" -q --disable-pip-version-check install -r models/train/requirements.txt \
		&& cp models/train/requirements.txt "$(TRAIN)"; }
	cd models/train && "$(TRAIN)/bin/python" -m pytest -q .

test-firefox: tools ui tests/browser/node_modules ## The main flows and the difficult pages in Debian's Firefox (20 minutes)
	@command -v firefox-esr >/dev/null || { apt-get update -qq && apt-get install -y -qq firefox-esr; }
	$(CARGO) build --locked
	KEFU="$(abspath $(KEFU))" npm --prefix tests/browser run firefox

gallery: tools ui tests/browser/node_modules ## Pictures of every page and state: tests/artifacts/states/index.html (a quarter of an hour; GALLERY=console: minutes)
	$(CARGO) build --locked
	rm -rf tests/artifacts/states
	KEFU_GALLERY="$(GALLERY)" KEFU="$(abspath $(KEFU))" npm --prefix tests/browser run gallery
	node tests/browser/gallery.mjs

desk-bench: tools ui tests/browser/node_modules ## How fast the console is with 500 conversations, one of 10,000 messages (minutes)
	$(CARGO) build --locked
	KEFU="$(abspath $(KEFU))" npm --prefix tests/browser run desk-bench

bench: build ## Speed and memory, the figures of docs/benchmarks.md
	sh benches/run.sh "$(TARGET)/release/kefu"

rounds: tools ui tests/browser/node_modules ## Two and three tabs of one browser begin a conversation at the same moment, 100 times
	$(CARGO) build --locked
	KEFU_ROUNDS=$(or $(ROUNDS),100) KEFU="$(abspath $(KEFU))" npm --prefix tests/browser test -- specs/tabs.spec.ts -g "at the same time"

attack: ui ## What one stranger can do to the server and its other users (10 minutes each; KEFU_ATTACKED=old:new compares)
	$(CARGO) build --release
	$(CARGO) bench --profile dev --bench attack -- $(subst :, ,$(or $(KEFU_ATTACKED),$(TARGET)/release/kefu))

hostile: ui/node_modules ## All ordered pairs of attacks of a hostile server on the pages (minutes)
	npm --prefix ui run hostile

mutate: ui/node_modules ## Remove each guard of the pages once: its test must fail (minutes)
	npm --prefix ui run mutate

fuzz: ## Mutated input for every parser of untrusted input, a minute each
	$(CARGO) run --locked -p kefu-fuzz -- $(or $(SECONDS_EACH),60)

crash: ## 2,000 kills of the server under load (minutes)
	KEFU_KILLS=2000 $(CARGO) test --locked --test it crash -- --nocapture

cluster-crash: tools ## Two servers over a Redis: two balancers with Keepalived, 200 kills, 50 failovers each by Sentinel and Cluster, 100 partitions, 50 freezes, 50 times slow or full (an hour and a half; root)
	packaging/test-tools.sh balancers
	KEFU_CLUSTER_KILLS=200 KEFU_FAILOVERS=50 KEFU_CLUSTER_FAILOVERS=50 KEFU_PARTITIONS=100 KEFU_FREEZES=50 KEFU_SCARCITIES=50 \
		$(CARGO) test --locked --test it cluster:: -- --nocapture --include-ignored --test-threads=1

full-disk: ## 50 cycles of filling and freeing a small disk under load (minutes; needs root to mount it)
	KEFU_DISK_CYCLES=50 $(CARGO) test --locked --test it full_disk -- --nocapture

dist: ui cross-tools ## dist/: executables, packages, images for x86-64, ARM64, LoongArch
	packaging/dist.sh

test-dist: ## The packages of dist/ in a clean Debian with its own systemd (root; after make dist)
	packaging/test-dist.sh

test-containers: ## packaging/compose*.yaml as their heads say, while containers die (ten minutes; root, Docker or Podman; KEFU is a static executable)
	@if docker info > /dev/null 2>&1; then packaging/test-containers.sh; else packaging/test-podman.sh packaging/test-containers.sh; fi

size: ui ## What takes the space in the executable for x86-64 servers
	CARGO_PROFILE_RELEASE_STRIP=none packaging/build.sh x86_64-unknown-linux-musl
	packaging/size.py $(TARGET)/x86_64-unknown-linux-musl/release/kefu

smoke: ui cross-tools ## One session each with the executables for x86-64 and ARM64, emulated where needed
	KEFU_PROFILE=smoke packaging/build.sh x86_64-unknown-linux-musl aarch64-unknown-linux-musl
	KEFU_PROFILE=smoke packaging/smoke-all.sh $(TARGET) x86_64 aarch64

cross-tools: ## Install the tools that build and run executables for other machines, if missing (Debian)
	@packaging/tools.sh

clean-demo: ## Delete the demo company
	rm -rf "$(DEMO_DIR)"

clean-cluster: ## Delete the demo company of two servers
	rm -rf "$(CLUSTER_DIR)"
