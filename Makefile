# `make` prints what each verb does.
PYTHON ?= python3
SEED   ?=
VENV   := .venv/bin

help:  ## print this
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

setup: build/setup.stamp  ## install everything that demo and test need, into .venv and build/

build/setup.stamp: pyproject.toml sim/setup.sh sim/verilator_root.py
	PYTHON=$(PYTHON) sim/setup.sh

demo: setup  ## classify handwritten digits on the simulated accelerator
	$(VENV)/riffle demo

test: setup lint  ## lint, then all tests: host, module and whole-network simulation
	$(VENV)/python -m pytest -n auto

lint: setup  ## ruff on Python, Verilator and Yosys on every RTL module
	$(VENV)/ruff check .
	$(VENV)/python hw/lint/lint.py

sim: setup  ## cocotb tests of the RTL modules only
	$(VENV)/python -m pytest -n auto sim

bench: setup  ## cycles and utilisation from the RTL's counters
	$(VENV)/riffle bench

train: setup  ## train the digits network again (downloads PyTorch)
	$(VENV)/python -m pip install --quiet -e '.[train]'
	$(VENV)/python -m riffle.train

resources: setup  ## synthesise at full size with Yosys: does it fit the FPGA? (3 minutes)
	$(VENV)/python hw/resources/measure.py

bitstream:  ## bitstreams/riffle.bit with Vivado, or FLOW=open (CLOCK_MHZ=100 ENGINE=rtl|hls PLACE_ONLY=1)
	@$(MAKE) --no-print-directory -C hw/board/pynq_z2 system

clean:  ## remove what was built, keep .venv
	rm -rf build

.PHONY: help setup demo test lint sim bench train resources bitstream clean
