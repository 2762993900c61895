# Two commands do everything on a fresh Debian 12 with Swift 6.3: `make run` and `make test`.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build
.PHONY: setup build run test check format bench bench-runner bench-search clean

# The C libraries behind the system targets of Package.swift, and what finds them; the tests read
# event files with TensorBoard, in a Python environment of their own.
PACKAGES := libyaml-dev libssl-dev libhdf5-dev libdnnl-dev libturbojpeg0-dev libsndfile1-dev \
	libarchive-dev libnlopt-dev libgcc-12-dev pkg-config curl python3-venv
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
BIN := .build/release
SOURCES := Sources Tests Package.swift

# Asks the package manager only for what is missing, so that it costs nothing afterwards.
setup:
	@missing=$$(for p in $(PACKAGES); do dpkg -s $$p >/dev/null 2>&1 || echo $$p; done); \
	if [ -n "$$missing" ]; then \
	  $(SUDO) apt-get update -q && \
	  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $$missing; \
	fi

build: setup
	swift build -c release

# The main job on data that it makes itself: a table of stages and metrics, and results/quickstart/.
run: build
	$(BIN)/shiftwork run pipelines/quickstart.yaml

# Swift Testing only; numeric tests want the optimizer.
test: setup
	swift test -c release --disable-xctest --parallel

# What a change must pass besides the tests: format, and imports that the target graph allows.
check: setup
	swift format lint --strict --parallel -r $(SOURCES)
	swift build -c release --build-tests --explicit-target-dependency-import-check error

format:
	swift format --in-place --parallel -r $(SOURCES)

# Steps and inference of all networks, each number in a process of its own, against oneDNN's bare
# primitives; against QKeras, too, where QKERAS_PYTHON names a Python that has it.
# BENCH holds options: make bench BENCH='--networks resnet ds_cnn --rounds 1'.
bench: build
	$(BIN)/Benchmarks $(BENCH)

# Tuners on searches, and beside them what others did, as Tests/Fixtures/search/search_tuners.py writes
# it to runs_*.csv there: some five minutes. SEARCH holds options: SEARCH=--all takes some 40,
# SEARCH='--searches 20 --seeds 5' seconds.
bench-search: build
	$(BIN)/Benchmarks search $(addprefix --add ,$(wildcard Tests/Fixtures/search/runs_*.csv)) $(SEARCH)

# The runner beside ninja, snakemake and DVC, which are installed below .build for it.
bench-runner: build
	$(BIN)/Benchmarks runner $(BENCH)

clean:
	rm -rf .build .shiftwork
