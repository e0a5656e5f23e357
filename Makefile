# SPDX-License-Identifier: Apache-2.0
# The doors to the build. CMakePresets.json has the other builds: debug, asan, tsan, clang.
.DEFAULT_GOAL := help
.PHONY: help install build train test sanitize fuzz bench microbench chaos image-check format tidy clean
MAKEFLAGS += --no-print-directory

BUILD := build
OUT := out/fashion-mnist
JOB := deploy/jobs/fashion-mnist.textproto
ARGS :=
SECONDS := 60
PROGRAMS := conadv conadv-server conadv-worker
SOURCES = $(shell git ls-files --cached --others --exclude-standard '*.h' '*.cc' '*.js')

help:  ## show this
	@awk -F ':.*##' '/^[a-z]+:.*##/ {printf "make %-12s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

install:  ## install the Debian packages that are missing
	@deploy/install.sh build

$(BUILD)/build.ninja: | install
	cmake --preset release

build: install $(BUILD)/build.ninja  ## install and build everything into build/
	cmake --build $(BUILD)

train: install $(BUILD)/build.ninja  ## train Fashion-MNIST here: 1 server, 2 workers; more flags in ARGS="..."
	cmake --build $(BUILD) --target $(PROGRAMS)
	$(BUILD)/bin/conadv train --job=$(JOB) --servers=1 --workers=2 --out=$(OUT) --force $(ARGS)

test: build  ## run every test
	@deploy/install.sh test
	ctest --test-dir $(BUILD) --output-on-failure -j2

# Address first: what it finds is simpler than what comes of it.
sanitize:  ## run the tests that need no LibTorch under AddressSanitizer, UBSan and, the core, ThreadSanitizer
	@deploy/install.sh sanitize
	@set -e; for preset in asan tsan; do \
	  cmake --preset $$preset; cmake --build --preset $$preset; ctest --preset $$preset; \
	done

fuzz:  ## let libFuzzer search SECONDS=60 for each input that breaks a reader; TARGETS="chunk idx" for some of them
	@deploy/install.sh sanitize
	cmake --preset asan
	cmake --build --preset fuzz
	@tests/fuzz/run.sh build-asan $(SECONDS) $(TARGETS)

bench: build  ## measure against references of the same run: a table, and build/bench.json; ARGS="--only=wire"
	@tests/bench/table/table.py $(BUILD) $(ARGS)

microbench: build  ## run every small benchmark, and a server under many workers, checkpoints and slow readers
	@set -e; for program in $(BUILD)/bin/*_bench; do echo "== $$program"; $$program $(ARGS); done
	$(BUILD)/bin/conadv-soak
	$(BUILD)/bin/conadv-soak --workers=2 --parameters=20000000 --steps=40 --checkpoint_every=13 --compare
	$(BUILD)/bin/conadv-soak --workers=2 --parameters=20000000 --steps=40 --checkpoint_every=1 --slow_readers=2
	$(BUILD)/bin/conadv-soak --workers=16 --parameters=4000000 --steps=30 --checkpoint_every=1 --slow_readers=2

chaos: build  ## 50 runs with random faults, which must all end as if there were none; RUNS=, SEED=, ARGS=
	$(BUILD)/bin/conadv-chaos --program=$(BUILD)/bin/conadv --runs=$(or $(RUNS),50) --seed=$(or $(SEED),1) $(ARGS)

image-check:  ## build both images and run them as a cluster does; half an hour; TARGETS="server"
	deploy/docker/check.sh $(TARGETS)

format:  ## lay out the C++ and JavaScript sources as .clang-format says
	@deploy/install.sh lint
	clang-format -i $(SOURCES)

tidy:  ## check the C++ sources as .clang-tidy says; FILES=regex for some of them
	@deploy/install.sh build && deploy/install.sh lint
	cmake --preset tidy
	cmake --build --preset tidy
	run-clang-tidy -quiet -p build-tidy "$(or $(FILES),$(CURDIR)/(common|client|server|worker|cli)/)"

clean:  ## remove what builds and runs have made
	rm -rf build build-* out
