# Airlock. `make` alone lists what there is. Each target installs what it needs
# (.ci/deps), and says so.

.DEFAULT_GOAL := help
.PHONY: help demo run test build samples bench fuzz lint ci clean

GO       ?= go
FUZZTIME ?= 10s
export GO

# Debian packages.
BUILD := gcc libc6-dev pkg-config libpcsclite-dev
RUN   := $(BUILD) pcscd libccid
TESTS := $(RUN) vsmartcard-vpcd tmux mount e2fsprogs

help:             ## this list
	@sed -n 's/^\([a-z]*\): .*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: samples     ## the station with a simulated card and a sample stick: nothing real, for training
	build/airlock-demo --demo --allow-network --media build/stick

run: build        ## the station on this machine's readers and removable media
	@.ci/deps $(RUN)
	@.ci/pcscd
	build/airlock

test:             ## every test
	@.ci/deps $(TESTS)
	$(GO) build ./...
	$(GO) test -count=1 -timeout 30m -tags simulation ./...

build:            ## build/airlock, without any simulation
	@.ci/deps $(BUILD)
	$(GO) build -trimpath -o build/airlock .

samples:          ## a sample stick in build/stick, as new
	@.ci/deps $(BUILD)
	$(GO) build -trimpath -tags simulation -o build/airlock-demo .
	@rm -rf build/stick
	build/airlock-demo samples build/stick

bench:            ## time and peak memory, up to 5,000 inputs, beside btcutil/psbt with txscript
	@.ci/deps $(TESTS)
	$(GO) test -tags simulation -run '^$$' -bench . -benchmem -timeout 60m ./...

fuzz:             ## every fuzz target for FUZZTIME (10s)
	@.ci/deps $(BUILD)
	@.ci/fuzz $(FUZZTIME)

lint:             ## gofmt, go vet and staticcheck
	@.ci/deps $(BUILD)
	@.ci/lint

ci:               ## what runs before a change lands
	bash .ci/run

clean:            ## remove build/
	rm -rf build
