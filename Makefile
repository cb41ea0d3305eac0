# make demo: install, then score a glass inside LAMMPS.  make test: install, then test.
# make test-all: install, then run the longest tests as well.
# make bench: install, then measure.  make reliability: install, then try to break it.
# make docs: install, then build the site.  make gallery: install, then draw its pictures.
# make aarch64: install, then score on an emulated ARM processor too.
# make pythons: install, then try what was compiled in Python 3.12 and 3.13, without torch.
# make wheel: install, then make dist/*.tar.gz and dist/*.whl, and try them in other Pythons.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# folders too: a file that was removed counts as a change
SOURCES := $(shell find lammps_botan -not -path '*/__pycache__*')
CXX_SOURCES := $(filter %.cpp %.h,$(SOURCES))

.PHONY: install demo test test-all bench reliability docs gallery aarch64 pythons wheel lint format

install: $(VENV)/.installed

# the plugin is compiled against the torch and lammps that are installed here, not against copies
$(VENV)/.installed: pyproject.toml CMakeLists.txt README.md $(SOURCES)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'
	test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -c 'import tomllib; p = tomllib.load(open("pyproject.toml", "rb")); print(*p["build-system"]["requires"], *p["project"]["optional-dependencies"]["torch"], "ninja", sep="\n")' > $(VENV)/build-requires.txt
	$(BIN)/pip install -r $(VENV)/build-requires.txt
	$(BIN)/pip install --no-build-isolation -C build-dir=$(VENV)/build '.[train,plot,view,simulate,docs,dev]'
	touch $@

demo: install
	$(BIN)/python examples/01_score_a_glass.py

test: install
	$(BIN)/pytest -m 'not long'

test-all: install
	$(BIN)/pytest

bench: install
	$(BIN)/python benchmarks/run.py

# TRIES=10 takes ten times as many tries
reliability: install
	$(BIN)/python reliability/run.py --tries $(or $(TRIES),1)

# in docs/_build/html; needs no network
docs: install
	$(BIN)/sphinx-build -q -W --keep-going -j auto -b html docs docs/_build/html

gallery: install
	$(BIN)/python docs/gallery.py

aarch64: install
	$(BIN)/python reliability/aarch64.py

pythons: install
	rm -rf $(VENV)/wheel
	$(BIN)/pip wheel -q --no-deps --no-build-isolation -C build-dir=$(VENV)/build -w $(VENV)/wheel .
	$(BIN)/python packaging/smoke.py $(VENV)/wheel/*.whl --minor 12 13 --tests 13

wheel: install
	$(BIN)/python packaging/wheel.py dist

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run --Werror $(CXX_SOURCES)

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(CXX_SOURCES)
