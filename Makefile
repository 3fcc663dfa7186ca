# hardgate. `make help` lists the targets; `make up` and `make test` are all that a
# new machine needs: Go, git and make.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

TOOL := go tool -modfile=$(CURDIR)/tools/go.mod
LAB := bin/lab
E2E := helm story kubelet tainting rollout certificates drills imagepolicy integration
MODULES := . charts charts/monitoring e2e e2e/certmanager e2e/decoding images
# These name programs of others and their versions. They have no Go files to lint or test.
PINNED := e2e/controlplane e2e/controlplane/1.32 e2e/helmcli

##@ Try it

.PHONY: up
up: $(LAB) ## Start a local control plane with hardgate in front of it, and a node if root can; show them at work
	@$(LAB) up

.PHONY: down
down: $(LAB) ## Stop everything that `make up` started
	@$(LAB) down

##@ Work on it

.PHONY: build
build: ## Build the binaries into bin/
	@mkdir -p bin
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o bin/ ./cmd/...

.PHONY: image
image: ## Build the container images into dist/images, without a container daemon
	@cd images && go build -buildvcs=false -o ../bin/image ./cmd/image
	@bin/image $(IMAGE_FLAGS)

.PHONY: test
test: ## Unit tests, and integration tests against a real kube-apiserver
	go test ./...
	cd charts && go test ./...
	cd charts/monitoring && go test -count=1 ./...
	cd e2e && go test -timeout 40m ./...
	cd e2e/decoding && go test ./...
	cd images && go test -timeout 40m ./...

.PHONY: e2e
e2e: ## End to end, one package after the other and told as it goes: the chart with real pods first, which root can run with containerd
	@out=$$(mktemp) && trap 'rm -f "$$out"' EXIT && sum= && bad=0 && \
	for p in $(E2E); do echo "== e2e/$$p"; how=passed; \
	  (cd e2e/$$p && go test -count=1 -timeout 30m -v . 2>&1) | tee "$$out" || { how=FAILED; bad=1; }; \
	  n=$$(grep -c '^ *--- SKIP' "$$out") || true; \
	  [ "$$n" = 0 ] || how="$$how, $$n skipped: $$(awk '/^=== / {name = $$3} sub(/^ *[a-z0-9_]+[.]go:[0-9]+: /, "") {why[name] = $$0} /^ *--- SKIP/ {print why[$$3]; exit}' "$$out")"; \
	  sum+="$$(printf '%-14s %s' "$$p" "$$how")"$$'\n'; \
	done; printf '== in short\n%s' "$$sum"; exit $$bad

.PHONY: race
race: ## Unit tests under the race detector
	go test -race ./...

.PHONY: fuzz
fuzz: ## Fuzz every decoder for FUZZTIME each (default 30s)
	@for p in $$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u); do \
	  for f in $$(grep -rhoE '^func Fuzz[A-Za-z0-9_]+' $$p/*_test.go | cut -d' ' -f2); do \
	    echo "== $$p $$f"; (cd $$p && go test -run '^$$' -fuzz "^$$f$$" -fuzztime $${FUZZTIME:-30s} .); \
	  done; done

.PHONY: bench
bench: $(LAB) ## All benchmarks: the webhook against a floor server, then those below
	@$(LAB) bench
	@$(LAB) bench-node
	@$(LAB) bench-fleet
	@$(LAB) bench-taint

.PHONY: bench-node
bench-node: $(LAB) ## The agent and hardgate node only
	@$(LAB) bench-node

.PHONY: bench-fleet
bench-fleet: $(LAB) ## The controller over 5,000 simulated nodes
	@$(LAB) bench-fleet

.PHONY: bench-taint
bench-taint: $(LAB) ## The time from drift to taint on a real node (root, containerd; 20 minutes)
	@$(LAB) bench-taint

.PHONY: bench-audit
bench-audit: ## Measure an audit of 150,000 pods
	go test -run - -bench BenchmarkPass -benchtime 3x ./audit

.PHONY: profile
profile: $(LAB) ## Measure where the webhook's time goes, for profile-guided optimisation
	@$(LAB) profile

.PHONY: bench-decoding
bench-decoding: ## The decoders that were compared in docs/adr/001
	cd e2e/decoding && go test -run '^$$' -bench Decode -benchtime 1s .

.PHONY: lint
lint: ## golangci-lint, the import arrows among it
	@for m in $(MODULES); do echo "lint $$m"; (cd $$m && $(TOOL) golangci-lint run -c $(CURDIR)/.golangci.yml ./...); done

.PHONY: fmt
fmt: ## Format as the linters want it
	@for m in $(MODULES); do (cd $$m && $(TOOL) golangci-lint fmt -c $(CURDIR)/.golangci.yml ./...); done

.PHONY: generate
generate: ## Regenerate what is generated: deep copies, CRDs, manifests, documents
	$(TOOL) controller-gen object paths=./api/...
	$(TOOL) controller-gen crd paths=./api/... output:crd:dir=manifests/crd
	@rm -f charts/hardgate/crds/*.yaml && cp manifests/crd/*.yaml charts/hardgate/crds/
	cd charts/monitoring && go run ./cmd/generate
	cd charts && go run ./cmd/render
	@mkdir -p docs
	go run ./cmd/hardgate controls -o markdown > docs/controls.md.new && mv docs/controls.md.new docs/controls.md

.PHONY: verify
verify: ## Regenerate in a copy and compare
	@copy=$$(mktemp -d) && trap 'rm -rf "$$copy"' EXIT && \
	git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$$copy" && \
	$(MAKE) --no-print-directory -C "$$copy" generate >/dev/null && \
	for f in api manifests charts/hardgate docs; do diff -r "$$f" "$$copy/$$f" || { echo "run make generate and commit what changes" >&2; exit 1; }; done && \
	for m in $(MODULES) $(PINNED); do (cd $$m && go mod tidy -diff) || exit 1; done && \
	echo "what is generated is up to date"

# The lab is rebuilt by the go command, which knows what has changed.
.PHONY: $(LAB)
$(LAB):
	@mkdir -p bin
	@cd e2e && go build -o ../$(LAB) ./cmd/lab

.PHONY: help
help: ## Show this
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
