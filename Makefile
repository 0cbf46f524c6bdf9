# Wellgate: what a developer runs. Go is all that is needed to build; the tests install a browser by themselves.
GO      ?= go
TEMPL   := $(GO) tool -modfile=tools/go.mod templ

.PHONY: crash-postgres faults powercut diskfull fresh wire wire-red cold grow overload kit bench scale vuln setup build test unit browser check generate assets shots crash tamper fuzz clean

# Built without inlining: pages, sign-in, the commands, and libraries that start up, migrate, enrol, shake hands or wait for a network, where a
# call more does not count. The program is 2.5 MB smaller for it.
SMALL := $(foreach p,site care/... doors/web/... doors/files store/... feed demo cmd/... internal/command trust/identity/... trust/policy,github.com/wellgate/wellgate/$(p)) \
	$(foreach p,pressly/goose/v3 google/go-tpm go-webauthn jackc/pgx/v5 gabriel-vasile/mimetype fxamacker/cbor golang-jwt boombuler/barcode pquerna/otp \
	a-h/templ go-viper/mapstructure/v2 tinylib/msgp,github.com/$(p)/...) \
	crypto/x509 crypto/tls encoding/xml encoding/json encoding/asn1 text/template/... html/template image/png regexp/... golang.org/x/text/... log/slog math/big mime/... archive/zip net/url net/textproto golang.org/x/net/... database/sql github.com/cedar-policy/cedar-go/... net os io/fs path/filepath golang.org/x/mod/... vendor/golang.org/x/... crypto/rsa crypto/ecdsa crypto/x509/... os/...

build: ## the program, as it ships
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags="-s -w" $(foreach p,$(SMALL),-gcflags=$(p)=-l) -o bin/wellgate ./cmd/wellgate
	@test $$(wc -c < bin/wellgate) -le 30000000 || { echo "bin/wellgate is over 30 MB: go build -ldflags=-dumpdep ./cmd/wellgate 2>&1 | grep ReflectMethod tells what keeps unused methods" >&2; exit 1; }

test: setup check unit browser ## everything that must hold; this is what CI runs

setup: ## PostgreSQL, a browser and Node.js for the tests, where they are missing (Debian, Ubuntu)
	@test/setup.sh

check: ## formatting, vet, generated code up to date
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo "run gofmt" >&2; exit 1; }
	$(GO) vet ./...
	@$(TEMPL) generate -path . >/dev/null 2>&1 && git diff --exit-code --stat -- '*_templ.go' || { echo "generated code is stale: run make generate" >&2; exit 1; }

unit: ## unit, conformance, property, journey, matrix, canary and crash tests, on both stores
	$(GO) run ./store/storetest/pgcluster/with $(GO) test -timeout 20m ./...

browser: build ## the same pages in a real browser: phone and desktop, light and dark, with and without JavaScript
	test/browser/run.sh

tamper: ## change a practice at rest in every way, again and again, e.g. make tamper TRIALS=10000 SEED=1
	TMPDIR=$$(test -w /dev/shm && echo /dev/shm || echo $${TMPDIR:-/tmp}) TAMPER_TRIALS=$(or $(TRIALS),10000) TAMPER_SEED=$(or $(SEED),1) $(GO) test ./cmd/wellgate -run TestTamper -count=1 -v -timeout 3h

crash: ## kill -9 under a mixed load again and again, SIDE practices side by side, e.g. make crash CYCLES=10000 SEED=1
	CRASH_CYCLES=$(or $(CYCLES),300) CRASH_SEED=$(or $(SEED),1) CRASH_SIDE=$(or $(SIDE),2) $(GO) test ./test/crash -run '^TestCrash$$' -count=1 -v -timeout 12h

crash-postgres: ## the program killed, the database killed, frozen and failed over under load, e.g. make crash-postgres CYCLES=100 SEED=1
	CRASH_PG_CYCLES=$(or $(CYCLES),50) CRASH_SEED=$(or $(SEED),1) \
		$(GO) run ./store/storetest/pgcluster/with $(GO) test ./test/crash -run 'TestPostgres$$' -count=1 -v -timeout 3h

faults: ## let each operation of the disk fail once, e.g. make faults TRIALS=3000 SEED=1
	FAULTS_TRIALS=$(or $(TRIALS),100000) FAULTS_SEED=$(or $(SEED),1) $(GO) test ./test/faults -run Faults -count=1 -v -timeout 12h

powercut: ## take the power away under load again and again, e.g. make powercut CUTS=2000 SEED=1
	POWERCUT_CUTS=$(or $(CUTS),200) POWERCUT_SEED=$(or $(SEED),1) $(GO) test ./test/faults -run 'PowerCut$$' -count=1 -v -timeout 12h
	$(GO) test ./test/lazyfs -run Control -count=1 -v

diskfull: ## let the room end under load again and again, e.g. make diskfull TIMES=100 SEED=1
	FULL_TIMES=$(or $(TIMES),30) FULL_SEED=$(or $(SEED),1) $(GO) test ./test/faults -run DiskFull -count=1 -v -timeout 3h

overload: ## ten times what the program can do, e.g. make overload SECONDS=120 SEED=1; BREAK=1 shows that it can fail
	OVERLOAD_SECONDS=$(or $(SECONDS),120) OVERLOAD_MEASURE=$(or $(MEASURE),10) OVERLOAD_SEED=$(or $(SEED),1) OVERLOAD_BREAK=$(BREAK) \
		$(GO) test ./test/overload -count=1 -v -timeout 1h

cold: ## charts opened cold and read warm, memory of both tiers, a long history: medians, p99 and processor time
	$(GO) test ./trust/chart -run NONE -bench 'Cold|Warm' -benchtime $(or $(TIMES),100)x -timeout 1h
	HISTORY=$(or $(HISTORY),10000) $(GO) test ./trust/chart -run 'MemoryByBudget|LongHistory' -count=1 -v -timeout 1h

CHARTS ?= 1000,10000,100000
grow: ## practices of more and more charts side by side, e.g. make grow CHARTS=1000,10000,100000
	GROW=$(CHARTS) $(GO) test ./trust/chart -run TestGrow -count=1 -v -timeout 2h

wire: ## kill -9 while systems read over plain HTTP, TLS and HTTP/2, e.g. make wire CYCLES=300 SEED=1
	WIRE_CYCLES=$(or $(CYCLES),100) WIRE_SEED=$(or $(SEED),1) $(GO) test ./test/wire -run 'TestWire$$' -count=1 -v -timeout 3h

wire-red: ## the same with a slow disk, and with answers that are not held: that one must find some
	WIRE_RED=1 WIRE_CYCLES=$(or $(CYCLES),6) $(GO) test ./test/wire -run CanFail -count=1 -v -timeout 1h

fresh: ## two processes on one PostgreSQL database look for a stale read, e.g. make fresh READS=200000 SEED=1
	FRESH_READS=$(or $(READS),200000) FRESH_SEED=$(or $(SEED),1) $(GO) run ./store/storetest/pgcluster/with $(GO) test ./test/fresh -count=1 -v -timeout 1h
	NODES_WRITES=$(or $(INCREMENTS),1000) $(GO) run ./store/storetest/pgcluster/with $(GO) test ./trust/chart -run TwoNodesLose -count=1 -v -timeout 1h

scale: ## the capacity model beside its simulation, at full size (docs/SCALE.md)
	SCALE=1 $(GO) test ./test/scale -run Agrees -count=1 -v

shots: build ## pictures of every page into docs/shots
	test/browser/run.sh shots

generate: ## Go code from the page templates
	$(TEMPL) generate -path .
	gofmt -w $$(git ls-files '*_templ.go')

assets: ## styles, scripts and icons into site/assets/dist
	cd tools && $(GO) run ./assets

vuln: ## known weaknesses; VULNDB=file:///folder for a machine without network
	$(GO) tool -modfile=tools/go.mod govulncheck $(if $(VULNDB),-db $(VULNDB)) ./...

clean:
	rm -rf bin test/browser/node_modules

bench: ## both doors against a bare net/http handler, where the time goes, import, cold start; WELLGATE_CORPUS names the import's corpus, BENCH_SECONDS= a row's time
	$(GO) test ./cmd/wellgate -run NONE -bench Doors -benchtime 1x -cpuprofile bin/doors.prof -o bin/doors.test
	@for part in 'api.*ServeHTTP' 'audit.*Loop' 'durable' 'readRequest' 'syscall.write' 'mallocgc$$'; do $(GO) tool pprof -top -cum -nodecount 12 -focus "$$part" bin/doors.test bin/doors.prof 2>/dev/null | sed -n '4,18p'; done
	$(GO) test ./cmd/wellgate -run NONE -bench 'Import|ColdStart' -benchtime 3x

KIT ?= ../shared/kit
kit: build ## a load kit over a fresh practice, from outside, on SQLite and on PostgreSQL; KIT is its folder, WELLGATE_CORPUS the data
	test/kit.sh $(KIT)
	$(GO) run ./store/storetest/pgcluster/with sh -c 'test/kit.sh $(KIT) "$${WELLGATE_POSTGRES:?no PostgreSQL}"'
