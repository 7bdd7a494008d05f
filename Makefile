# Targets for people: run, install, test, images, bench, lint, pictures. Each does its own set-up.

GO ?= go
PKGS := ./...
# Twice the cores: tests that may overlap wait for servers and deadlines most of the time.
PARALLEL ?= $(shell expr 2 '*' $$(getconf _NPROCESSORS_ONLN))
TESTFLAGS ?= -timeout 80m -parallel $(PARALLEL)
ifdef CI
TESTFLAGS += -v
endif

.PHONY: run test images bench lint pictures build install

run: build
	./bin/cairn

build:
	$(GO) build -trimpath -o bin/cairn ./cmd/cairn

install:
	$(GO) install -trimpath ./cmd/cairn

# One package after the other: what the heavy ones start must not starve what others wait for.
test: images modules
	$(GO) test $(TESTFLAGS) -p 1 $(PKGS)

# The learner's modules, which grades take from the cache and never from the network.
.PHONY: modules
modules:
	dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && \
	cp exercises/workspace/go.mod.tmpl "$$dir/go.mod" && cp exercises/workspace/go.sum.tmpl "$$dir/go.sum" && \
	cd "$$dir" && $(GO) mod download

images:
	./build/images/build.sh

bench: images
	$(GO) test -run '^$$' -bench . -benchtime 2s ./grader/... ./internal/...

lint:
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo 'run gofmt -w on these files'; exit 1; }
	$(GO) vet $(PKGS)
	$(GO) tool staticcheck $(PKGS)

pictures: build
	$(GO) run ./internal/tui/shot -out docs/pictures
