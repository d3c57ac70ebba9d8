"""What is generated from spec/riffle.yaml is current, consistent, and read alike by Python, C and C++."""

import copy
import re
import subprocess
import sys
from pathlib import Path

import pytest

import generate
from riffle.isa import spec
from riffle.isa.descriptor import Descriptor, pack_program, unpack_program

ROOT = Path(__file__).resolve().parents[2]


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_generated_files_are_current():
    run(sys.executable, "spec/generate.py", "--check")


def test_stale_file_is_named(tmp_path):
    """In a copy of the tree, one changed number is found."""
    for name in ("spec/riffle.yaml", "spec/generate.py", "host/riffle/isa/spec.py", "docs/registers.md",
                 "hw/rtl/riffle_pkg.sv", "host/c/riffle_registers.h", "hls/include/riffle/descriptor.hpp"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text((ROOT / name).read_text())
    python = tmp_path / "host/riffle/isa/spec.py"
    python.write_text(python.read_text().replace("BANKS = 4", "BANKS = 5"))
    done = subprocess.run([sys.executable, tmp_path / "spec/generate.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 1 and "host/riffle/isa/spec.py" in done.stdout + done.stderr
    assert "riffle_pkg.sv" not in done.stdout + done.stderr


@pytest.mark.parametrize("section, name, bits", [
    ("descriptor", "fill", [23, 8]), ("descriptor", "remainder", [17, 16]), ("stream_header", "count", [45, 10]),
    ("stream_header", "shift1", [125, 4]),
])
def test_overlapping_fields_are_found(section, name, bits):
    description = copy.deepcopy(generate.load())
    description[section][name]["bits"] = bits
    with pytest.raises(ValueError, match=f"{name}|overlaps"):
        generate.check_layout(description)


def test_overlapping_registers_and_windows_are_found():
    for change in (lambda d: d["registers"]["IER"].update(offset=4), lambda d: d["registers"]["IER"].update(offset=10),
                   lambda d: d["windows"]["LOG"].update(offset=0x10100),
                   lambda d: d["windows"]["ACTIVATIONS"].update(size=0x200000),
                   lambda d: d["registers"]["CTRL"]["fields"]["DONE"].update(bits=[0, 2])):
        description = copy.deepcopy(generate.load())
        change(description)
        with pytest.raises(ValueError, match="^spec: "):
            generate.check_layout(description)


@pytest.mark.parametrize("code", [0, 4])
def test_values_of_a_field_are_different_and_fit(code):
    description = copy.deepcopy(generate.load())
    description["registers"]["STREAM_SOURCE"]["fields"]["SOURCE"]["values"]["DDR"]["code"] = code
    with pytest.raises(ValueError, match="^spec: the values of stream_source are not different numbers of 2 bits"):
        generate.check_layout(description)


def test_a_sentence_changes_no_bits():
    """Sign and values stand apart from the prose: with other prose the same structure comes out."""
    def described(thing, doc):
        if not isinstance(thing, dict):
            return thing
        return {key: doc if key == "doc" else described(value, doc) for key, value in thing.items()}

    one, other = (described(generate.load(), doc) for doc in ("@@", "(signed) 3 OTHER"))
    for make in generate.OUTPUTS.values():
        assert make(one).replace("@@", "") == make(other).replace("(signed) 3 OTHER", "")


@pytest.mark.parametrize("enumeration, fields", [
    (spec.StreamSource, "STREAM_SOURCE.SOURCE"), (spec.Engine, "CAPS.ENGINE")])
def test_values_are_the_same_in_every_language(enumeration, fields):
    name, register, _, field = enumeration.__name__, *fields.partition(".")
    header, package, cpp, page = ((ROOT / path).read_text() for path in (
        "host/c/riffle_registers.h", "hw/rtl/riffle_pkg.sv", "hls/include/riffle/descriptor.hpp", "docs/registers.md"))
    (row,) = [line for line in page.splitlines() if f"| {field} |" in line and " 1 " in line]
    for value in enumeration:
        macro = re.sub("(?<=[a-z])(?=[A-Z])", "_", name).upper()
        assert f"#define RIFFLE_{macro}_{value.name} {value.value}u " in header
        assert re.search(rf"\b{name}{value.name.capitalize()} = \d'd{value.value}\b", package)
        kinds = cpp.partition(f"enum class {name} ")[2].partition("}")[0]
        assert f"{value.name.capitalize()} = {value.value}," in kinds
        assert f"{value.value} {value.name}: " in row
    assert max(enumeration) < 1 << spec.REGISTER_FIELDS[register][field][1]


def test_numbers_fit_their_fields():
    fields = spec.STREAM_HEADER_FIELDS
    assert fields["bias0"][1] == spec.ACCUMULATOR_BITS and fields["multiplier1"][1] == spec.MULTIPLIER_BITS
    assert spec.SHIFT_MAX - spec.SHIFT_MIN < 1 << fields["shift0"][1]
    assert spec.PAIR_WEIGHTS_MAX < 1 << fields["count"][1]
    for low, bits, _ in fields.values():
        assert low // 64 == (low + bits - 1) // 64, "a field crosses the halves of the header"
    full = spec.CONFIGURATIONS["full"]
    assert full["activation_depth"] * spec.BANKS * 64 <= spec.WINDOWS["ACTIVATIONS"][1]
    assert full["weight_depth"] * spec.STREAM_BYTES <= spec.WINDOWS["WEIGHTS"][1]
    assert spec.DESCRIPTORS * spec.DESCRIPTOR_WORDS * 4 == spec.WINDOWS["PROGRAM"][1]
    assert spec.DESCRIPTORS * spec.LOG_WORDS * 4 == spec.WINDOWS["LOG"][1]


def test_c_header_has_the_same_numbers(tmp_path):
    """Compiled on its own with all warnings; prints offsets, windows, errors and the hash."""
    names = {f"RIFFLE_{name}": offset for name, offset in spec.REGISTERS.items()}
    names |= {f"RIFFLE_ERROR_{name}": code for code, (name, _, _) in spec.ERRORS.items()}
    header = (ROOT / "host/c/riffle_registers.h").read_text()
    names |= {"RIFFLE_EXPECTED_SPEC_HASH": spec.SPEC_HASH, "RIFFLE_EXPECTED_VERSION": spec.VERSION_WORD}
    for register, fields in spec.REGISTER_FIELDS.items():
        for field, (low, bits, _) in fields.items():
            names[f"RIFFLE_{register}_{field}_SHIFT"] = low
            names[f"RIFFLE_{register}_{field}_MASK"] = ((1 << bits) - 1) << low
    defined = re.findall(r"#define (\w+)", header)
    assert len(defined) == len(set(defined)) and set(names) <= set(defined)
    lines = "\n".join(f'  printf("{name} %llu\\n", (unsigned long long){name});' for name in names)
    source = tmp_path / "main.c"
    source.write_text('#include "riffle_registers.h"\n#include <stdio.h>\n'
                      f"int main(void) {{\n{lines}\n  return 0;\n}}\n")
    run("gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-I", ROOT / "host/c", source,
        "-o", tmp_path / "main")
    printed = dict(line.split() for line in run(tmp_path / "main").splitlines())
    assert {name: int(value) for name, value in printed.items()} == names


def test_cpp_header_unpacks_what_python_packs(rng, tmp_path):
    fields = list(spec.DESCRIPTOR_FIELDS)
    prints = "\n".join(f"    std::cout << d.{name} << ' ';" for name in fields)
    source = tmp_path / "main.cpp"
    source.write_text(f"""#include <riffle/descriptor.hpp>
#include <iostream>
int main() {{
  std::uint32_t word[8];
  for (;;) {{
    for (auto& w : word)
      if (!(std::cin >> w)) return 0;
    const riffle::Descriptor d = riffle::unpack(word);
{prints}
    std::cout << '\\n';
  }}
}}
""")
    run("g++", "-std=c++14", "-Wall", "-Wextra", "-Werror", "-pedantic", "-I", ROOT / "hls/include", source,
        "-o", tmp_path / "main")
    words = rng.integers(0, 2**32, (40, 8), "u4")
    done = subprocess.run([tmp_path / "main"], input=" ".join(map(str, words.ravel())), capture_output=True, text=True,
                          check=True)
    unpacked = [Descriptor(**dict(zip(fields, map(int, line.split()), strict=True)))
                for line in done.stdout.splitlines()]
    assert unpacked == unpack_program(words)
    assert (pack_program(unpacked)[:, 1:] == words[:, 1:]).all()  # word 0 has unused bits
