# `make` prints what each verb does.
PYTHON ?= python3
SEED   ?=
VENV   := .venv/bin
ENGINE ?= rtl
HLS    ?=

# what `make sim` runs with each ENGINE
SIM_rtl   := sim
SIM_hls   := sim/test_generated_engine.py
SIM_cores := sim/test_generated_cores.py

REFUSED := $(shell tools/check_path.sh)
$(if $(REFUSED),$(error $(REFUSED)))

help:  ## print this
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

setup: build/setup.stamp  ## install everything that demo and test need, into .venv and build/

build/setup.stamp build/demo.stamp: pyproject.toml tools/setup.sh tools/verilator_root.py
	@PYTHON='$(PYTHON)' tools/setup.sh $(@F:.stamp=)

build/setup.stamp: build/demo.stamp tests/support/pynq_environment.py

demo: build/demo.stamp  ## classify handwritten digits on the simulated accelerator; installs what that needs, no more
	@$(VENV)/riffle demo

test: setup lint  ## lint, then all tests: host, module and whole-network simulation
	$(VENV)/python -m pytest -n auto

lint: setup  ## ruff on Python; Verilator, Yosys and slang on every RTL module
	$(VENV)/ruff check .
	$(VENV)/python tools/lint.py

sim: setup  ## cocotb tests of the RTL; ENGINE=hls, or ENGINE=cores HLS=bambu|vitis: of Verilog that HLS makes
	ENGINE=$(ENGINE) HLS=$(HLS) $(VENV)/python -m pytest -n auto $(SIM_$(ENGINE))

hls: setup  ## Verilog and report of KERNEL=... (by default the three cores) with Vitis HLS, or HLS=bambu
	$(VENV)/python hls/synthesise.py --tool $(or $(HLS),vitis) $(KERNEL)

hls-sim: setup  ## C simulations of the HLS kernels, the engine and converted networks; needs no vendor tool
	$(VENV)/python -m pytest -n auto tests/hls tests/export/test_hls4ml.py

soak: setup  ## the campaigns of the tests at full length, two hours at most; writes docs/verification.md
	$(VENV)/python tests/support/soak.py

bench: setup  ## cycles and utilisation from the RTL's counters
	$(VENV)/riffle bench

train: setup  ## train the digits network again (downloads PyTorch)
	$(VENV)/python -m pip install --quiet -e '.[train]'
	$(VENV)/python -m riffle.zoo.train_digits

resources: setup  ## synthesise at full size with Yosys: does it fit the FPGA? (3 minutes)
	$(VENV)/python tools/resources.py

bitstream:  ## bitstreams/riffle.bit with Vivado, or FLOW=open (CLOCK_MHZ=100 ENGINE=rtl|hls PLACE_ONLY=1)
	@$(MAKE) --no-print-directory -C hw/board/pynq_z2 system

wheel:  ## dist/riffle-*.whl, which the board installs without a network
	rm -rf build/lib build/bdist.* dist/riffle-*.whl
	$(PYTHON) -m pip wheel --quiet --no-deps --wheel-dir dist .

clean:  ## remove what was built, keep .venv
	rm -rf build dist

.PHONY: help setup demo test soak lint sim hls hls-sim bench train resources bitstream wheel clean
