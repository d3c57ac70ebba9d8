"""Build and run one RTL module under Verilator and cocotb: the one place that knows how to start a simulator.

A test `sim/test_<module>.py` holds cocotb coroutines and a pytest function that calls `simulate`. Everything is built
under build/sim, once per module and parameters, and again only when one of the module's sources has changed.

    SEED=1234   repeat a run's random numbers      WAVES=1   waveforms at once, not only when a run has failed
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cocotb_tools.check_results import get_results
from cocotb_tools.runner import get_runner

from rtl_sources import fingerprint, locked, sources, up_to_date
from verilator_root import BUILD, environment


def simulate(module: str, test_file: str, *, generated: Sequence[Path] = (), **parameters: int) -> None:
    """Run the cocotb tests of `test_file` on `module`; where one fails, run again with the same seed and waveforms.

    Parameters
    ----------
    generated
        the module's sources, where a tool has made them and hw/rtl has not; they are not linted

    Raises
    ------
    AssertionError
        if a test failed; names the command that repeats it and the waveform
    RuntimeError
        if the module does not build; the output of Verilator comes before it
    """
    seed = int(os.environ.get("SEED") or secrets.randbits(31))
    waves = os.environ.get("WAVES", "0") not in ("", "0")
    print(f"{module} {parameters or ''} SEED={seed}", flush=True)
    build = Build(module, parameters, tuple(generated))
    if _run(build, Path(test_file), seed, waves):
        return
    waveform = build.folder(waves=True) / _test_id() / "dump.fst"
    if not waves:
        _run(build, Path(test_file), seed, waves=True)
    node = os.environ.get("PYTEST_CURRENT_TEST", str(test_file)).rsplit(" (", 1)[0]
    raise AssertionError(f"{module} {parameters or ''} failed\n  waveform: {waveform}\n"
                         f"  repeat:   SEED={seed} {sys.executable} -m pytest '{node}'")


@dataclass(frozen=True)
class Build:
    """What is built of which sources, and where."""

    module: str
    parameters: dict[str, int]
    generated: tuple[Path, ...] = ()

    def folder(self, waves: bool) -> Path:
        names = [self.module, *(f"{name}{value}" for name, value in sorted(self.parameters.items()))]
        names += ["waves"] * waves
        if self.generated:
            names.append(hashlib.sha256(" ".join(map(str, self.generated)).encode()).hexdigest()[:8])
        return BUILD / "sim" / "-".join(names)

    def sources(self) -> Sequence[Path]:
        return self.generated or sources(self.module)


def _run(build: Build, test_file: Path, seed: int, waves: bool) -> bool:
    """Build if needed, then run; False where a test failed."""
    module, folder = build.module, build.folder(waves)
    _build(build, folder, waves)
    results = folder / _test_id() / "results.xml"
    try:
        get_runner("verilator").test(
            hdl_toplevel=module, hdl_toplevel_lang="verilog", test_module=test_file.stem, build_dir=folder,
            test_dir=results.parent, results_xml=str(results), seed=seed, waves=waves,
            test_args=["--trace-file", "dump.fst"] * waves)
        tests, failed = get_results(results)
    except (SystemExit, RuntimeError) as error:  # how cocotb reports a failed test, and a simulator that died
        print(f"{module}: {error}", flush=True)
        return False
    if not tests:
        raise RuntimeError(f"{test_file} holds no cocotb tests")
    return not failed


def _build(build: Build, folder: Path, waves: bool) -> None:
    lint = ["-Wno-lint", "-Wno-fatal"] if build.generated else ["-Wall"]
    arguments = [*lint, "--assert", *["--trace-fst", "--trace-structs"] * waves]
    inputs = (*build.sources(), Path(__file__), arguments, sorted(build.parameters.items()))
    with locked(folder):
        if up_to_date(folder / "stamp", *inputs):
            return
        (folder / "stamp").unlink(missing_ok=True)
        os.environ.update(environment(MAKEFLAGS="OPT_FAST=-O1"))
        runtime = BUILD / "sim" / ("runtime-waves" if waves else "runtime")
        _copy_objects(runtime, folder)
        get_runner("verilator").build(
            hdl_toplevel=build.module, sources=build.sources(), parameters=build.parameters, build_dir=folder,
            build_args=arguments, waves=waves, timescale=("1ns", "1ps"))
        _copy_objects(folder, runtime)
        (folder / "stamp").write_text(fingerprint(*inputs))


def _copy_objects(source: Path, target: Path) -> None:
    """Share the objects of Verilator's own run-time library, which every module needs: two thirds of a small build.

    Verilator's makefile makes them again where they are older than itself, which it always writes anew: the copies say
    that they are of tomorrow.
    """
    if source.exists() and not list(target.glob("verilated*.o")):
        target.mkdir(exist_ok=True)
        with locked(BUILD / "sim" / "objects"):
            for path in [*source.glob("verilated*.d"), *source.glob("verilated*.o")]:
                copy = shutil.copy(path, target)
                os.utime(copy, 2 * (time.time() + 86400,))


def _test_id() -> str:
    """Folder of one test's results: several tests may share a build and run at the same time."""
    name = os.environ.get("PYTEST_CURRENT_TEST", "run").rsplit(" (", 1)[0].rsplit("/", 1)[-1]
    return re.sub(r"\W+", "_", name).strip("_")
