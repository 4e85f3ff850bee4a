# A short face in front of CMake and Ninja. Every target sets up what it needs (tools/setup),
# builds what changed, and is done at once when nothing has. `make help` lists them.
.POSIX:
.DEFAULT_GOAL := build

PREFIX = /usr/local
DESTDIR =
PROMPT = What is entropy?
CTEST = ctest --output-on-failure -j2

# Configures a preset when that was not done yet; CMake itself notices when its files change.
configure = [ -f $(1)/build.ninja ] || \
	{ rm -f $(1)/CMakeCache.txt; cmake --preset $(2) --log-level=WARNING > /dev/null; }

build: ## the release into build/: the command is build/szilard (the default)
	@tools/setup build
	@$(call configure,build,release)
	@ninja -C build product

demo: build ## get the default model and generate text, coloured by entropy
	@tools/get-model build/szilard smollm2
	build/szilard run -m smollm2 --show-entropy --seed 1 -n 128 -p "$(PROMPT)"

all-programs: build
	@tools/setup test
	@cmake --preset release -DSZ_TESTS=ON --log-level=WARNING > build/configure.log
	@ninja -C build

test: all-programs ## every test but the long ones, those on the default model included
	@tools/setup valgrind
	@tools/get-model build/szilard smollm2
	$(CTEST) --test-dir build -LE 'long|models'

test-models: all-programs ## the tests on further real models (fetches 1.9 GB)
	@tools/get-model build/szilard smollm2 gemma3 qwen-0.5b qwen-1.5b
	$(CTEST) --test-dir build -L models

test-clients: build ## the packages openai, anthropic and ollama against the server (pip fetches them)
	@tools/setup pull
	@tools/get-model build/szilard smollm2
	tests/clients/run.sh build/szilard

test-page: build ## what a person does on the server's page, in Chromium; keeps screenshots in build/page
	@tools/setup page
	@tools/get-model build/szilard smollm2
	tests/web/test_page.py build/szilard smollm2 build/page

test-long: all-programs ## exhaustive tests, which take hours
	@tools/get-model build/szilard smollm2
	$(CTEST) --test-dir build -L long

bench: build ## measure speed on the default model
	@tools/get-model build/szilard smollm2
	build/szilard bench -m smollm2

papers: build ## every paper's reproduction, on real models where it wants them (fetches 1.7 GB)
	@tools/get-model build/szilard smollm2 qwen-0.5b qwen-1.5b
	build/szilard papers run all

# The unit tests in a build of their own.
asan debug portable: ## the unit tests: with a sanitizer, unoptimised, with plain C kernels
	@tools/setup build test
	@$(call configure,build-$@,$@)
	@ninja -C build-$@
	$(CTEST) --test-dir build-$@ -L unit -LE house

# Where threads meet; what runs in one thread has nothing to race with, and is ten times slower here.
TSAN_TESTS = ^(base_pool|base_memory|decode_|serve_|num_(products|attention)|model_(architectures|kv)$$|command_run$$)
tsan: ## the tests of what several threads touch, with ThreadSanitizer
	@tools/setup build test
	@$(call configure,build-tsan,tsan)
	@ninja -C build-tsan
	$(CTEST) --test-dir build-tsan -L unit -R '$(TSAN_TESTS)'

ubsan: ## the unit tests with clang's UndefinedBehaviorSanitizer
	@tools/setup build test sanitize
	@$(call configure,build-$@,$@)
	@ninja -C build-$@
	$(CTEST) --test-dir build-$@ -L unit -LE house

fuzz-smoke: coverage ## each fuzz target for 20 seconds from its corpus, after a look at its coverage
	@tools/setup build sanitize
	@$(call configure,build-fuzz,fuzz)
	@ninja -C build-fuzz fuzz_targets
	@tools/fuzz_smoke build-fuzz 20

coverage: ## the lines of each parser that its corpus reaches
	@tools/setup build test
	@$(call configure,build-coverage,coverage)
	@ninja -C build-coverage fuzz_targets
	@tools/coverage build-coverage

bits: all-programs ## the same bits on every compiler, level, instruction set, thread count, chunk
	@tools/setup bits
	@tools/get-model build/szilard smollm2
	@tools/check_bits

format: ## clang-format over the C files
	@tools/setup format
	@tools/format

docs: build ## the man page and the completion, and a check of the links in the Markdown files
	@tools/check_docs
	@echo "build/szilard.1 is the man page, build/szilard.bash the completion"

install: build ## into PREFIX (/usr/local), below DESTDIR
	@DESTDIR='$(DESTDIR)' cmake --install build --prefix '$(PREFIX)'

clean: ## remove every build folder (models stay in the cache)
	rm -rf build build-*

help: ## this list
	@sed -n 's/^\([a-z][a-z -]*\):[^#]*## /\1\t/p' Makefile | sort | expand -t 28

.PHONY: build demo all-programs test test-models test-clients test-page test-long bench papers asan tsan debug portable ubsan \
	fuzz-smoke coverage bits format docs install clean help
