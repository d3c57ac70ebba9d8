"""The C driver: compiled with all warnings, run on the Verilated model, and cross-compiled where that compiler is."""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from riffle.backends.verilated import build
from riffle.compiler import compile_network
from riffle.errors import ProgramError
from riffle.export import c_header
from riffle.graph import reference
from riffle.zoo import random_networks
from sample_networks import Builder

C = Path(__file__).resolve().parents[2] / "host" / "c"
WARNINGS = ("-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror", "-O2")
CROSS = "arm-none-eabi-gcc"


class Example:
    """A network with images in a header, and the program that runs it."""

    def __init__(self, folder, rng):
        b = Builder(rng, 3, 8, 12)
        b.head(b.residual_unit(b.stride2_unit(b.convolution("image", 8, 3), 2, 6, 20), 2, 6), 5)
        self.folder, self.network = folder, b.network(list("abcde"))
        self.images = rng.integers(0, 256, (4, 8, 12, 3), np.uint8)
        self.program = compile_network(self.network, "small")
        self.write(self.program)

    def write(self, program):
        c_header.write(self.folder / "riffle_example.h", program, self.images)

    def compile(self):
        library, target = build("small"), self.folder / "example"
        sources = C / "example.c", C / "riffle.c", C / "simulated" / "platform.c"
        command = ["gcc", *WARNINGS, *(f"-I{folder}" for folder in (C, C / "simulated", self.folder)), *sources,
                   "-o", target, library, f"-Wl,-rpath,{library.parent}"]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return target

    def run(self, target):
        return subprocess.run([target], capture_output=True, text=True, timeout=60)


@pytest.fixture
def example(tmp_path, rng):
    return Example(tmp_path, rng)


def test_interrupt_and_polling_give_the_reference(example):
    done = example.run(example.compile())
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["irq", "irq", "poll", "poll"]
    for image, line in zip(example.images, lines, strict=True):
        best, cycles, *scores = map(int, line.split()[1:])
        expected = reference.run(example.network, image)["logits"].reshape(-1)
        np.testing.assert_array_equal(scores, expected)
        assert best == expected.argmax() and 0 < cycles < 2 * example.program.cycles


def test_wrong_hardware_and_programs_are_refused(example):
    text = (example.folder / "riffle_example.h").read_text()
    words = f".stream_words = {len(example.program.stream)}"
    for change, message in (((".rows = 2", ".rows = 7"), "load: status -3"),
                            ((words, ".stream_words = 600"), "load: status -3"),
                            ((".watchdog = ", ".watchdog = 100 + 0 * "), "run: status -6, error 0x"),
                            ((words, ".stream_words = 1"), "run: status -6")):
        assert change[0] in text
        (example.folder / "riffle_example.h").write_text(text.replace(*change))
        done = example.run(example.compile())
        assert done.returncode == 1 and message in done.stdout, done.stdout


def test_error_names_code_and_descriptor(example):
    example.program.descriptors[1, 0] |= 0xF
    example.write(example.program)
    done = example.run(example.compile())
    assert "run: status -6, error 0x0101" in done.stdout, "UNKNOWN_OPCODE at descriptor 1"


def test_refused_accesses_are_not_overlooked(example):
    """With BUS.SLVERR 0 a write beyond a memory is answered with OKAY; load, and run, tell."""
    text = (example.folder / "riffle_example.h").read_text()
    base = f".image_base = {example.program.image.base},"
    for change, message in (((base, ".image_base = 511,"), "run: status -7, error 0x8000420"),
                            ((".image_log2s = 2", ".image_log2s = 8"), "load: status -7, error 0x3425")):
        assert change[0] in text
        (example.folder / "riffle_example.h").write_text(text.replace(*change))
        done = example.run(example.compile())
        assert done.returncode == 1 and message in done.stdout, done.stdout + done.stderr


def test_parts_of_networks_have_no_header(tmp_path):
    program = compile_network(random_networks.random_unit(3, 2, "residual", 1.0))
    with pytest.raises(ProgramError, match="does not turn an image into scores"):
        c_header.write(tmp_path / "x.h", program, [])


def test_cross_compilation(example):
    """For the Cortex-A9, with the calls of Xilinx' standalone library left open."""
    if not shutil.which(CROSS):
        pytest.skip(f"{CROSS} is not installed: apt-get install gcc-arm-none-eabi")
    for source in ("riffle.c", "example.c"):
        command = [CROSS, *WARNINGS, "-mcpu=cortex-a9", "-mfpu=neon", "-mfloat-abi=hard", "-ffreestanding", f"-I{C}",
                   f"-I{C / 'simulated'}", f"-I{example.folder}", "-c", C / source, "-o", example.folder / "object.o"]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, env=os.environ)
        if source == "example.c" and "stdio.h" in done.stderr:
            pytest.skip(f"{CROSS} has no C library: apt-get install libnewlib-arm-none-eabi")
        assert done.returncode == 0, done.stderr
