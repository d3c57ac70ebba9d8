"""Manifests of bitstreams: written, checked, fetched, and turned into PYNQ's .link files."""

import json
import os
import re
import runpy
import shutil
import subprocess
from pathlib import Path

import pytest

from riffle.bitstream import manifest
from riffle.isa import spec

ROOT = Path(__file__).resolve().parents[2]
WRITER = runpy.run_path(str(ROOT / "hw" / "board" / "pynq_z2" / "manifest.py"))
FACTS = {"name": "riffle", "cores_name": "riffle_cores", "version": spec.VERSION, "git_commit": "0" * 40,
         "spec_hash": f"{spec.SPEC_HASH:08x}", "build_hash": "01234567"}
RESULTS = "tool_version 2024.1\nslack_ns 0.25\ndsp 217\nbram36 133\nbram18 1\nlut 22000\nff 24000\n"


@pytest.fixture
def built(tmp_path):
    """A folder as the Vivado flow leaves it, with the manifest of what is in it; the manifest's path."""
    (tmp_path / "riffle.bit").write_bytes(b"bits")
    (tmp_path / "riffle.hwh").write_bytes(b"<EDKSYSTEM/>")
    (tmp_path / "results.txt").write_text(RESULTS)
    return save(tmp_path, WRITER["manifest"]("system", "vivado", 100.0, "rtl", tmp_path, FACTS))


def save(folder, made):
    (folder / "riffle.json").write_text(json.dumps(made))
    return folder / "riffle.json"


def change(path, **values):
    return save(path.parent, json.loads(path.read_text()) | values)


def test_what_was_built_passes(built):
    assert manifest.check(built) == []
    assert manifest.read(built)["utilisation"] == {"dsp": 217, "bram36": 133.5, "lut": 22000, "ff": 24000}


def test_other_files_are_found(built):
    (built.parent / "riffle.bit").write_bytes(b"bite")
    (built.parent / "riffle.hwh").unlink()
    found = manifest.check(built)
    assert len(found) == 2 and "not the file that was built" in found[0] and "is missing: fetch it" in found[1]


def test_other_spec_and_missed_timing_are_found(built):
    found = manifest.check(change(built, spec_hash="00000000", slack_ns=-0.1))
    assert "hardware of spec 00000000" in found[0] and "timing was not met" in found[1]


@pytest.mark.parametrize("values, complaint", [({"clock_mhz": "fast"}, "clock_mhz should be a float"),
                                               ({"files": {}}, "files.bit.name is missing")])
def test_incomplete_manifest_is_refused(built, values, complaint):
    with pytest.raises(manifest.ManifestError, match=re.escape(complaint)):
        manifest.read(change(built, **values))


def test_missing_result_is_refused(built):
    (built.parent / "results.txt").write_text(RESULTS.replace("tool_version 2024.1\n", ""))
    with pytest.raises(ValueError, match="tool_version"):
        WRITER["manifest"]("system", "vivado", 100.0, "rtl", built.parent, FACTS)


def test_schema_says_what_the_reader_wants(built):
    schema = json.loads((ROOT / "bitstreams" / "manifest.schema.json").read_text())
    assert set(schema["required"]) == set(manifest.FIELDS) == set(schema["properties"])
    assert schema["properties"]["utilisation"]["required"] == list(manifest.UTILISATION)
    entry = schema["properties"]["files"]["additionalProperties"]
    assert set(entry["required"]) == set(manifest.FILE_FIELDS)
    made = manifest.read(built)
    kinds = {"string": str, "number": (int, float), "object": dict}
    for name, rule in schema["properties"].items():
        assert made[name] in rule["enum"] if "enum" in rule else isinstance(made[name], kinds[rule["type"]])


def release(built, folder):
    """The manifest with urls, and the files where these lead."""
    made = json.loads(built.read_text())
    for entry in made["files"].values():
        shutil.move(built.parent / entry["name"], folder)
        entry["url"] = (folder / entry["name"]).as_uri()
    return save(built.parent, made)


def test_released_files_are_fetched(built, tmp_path_factory):
    path = release(built, tmp_path_factory.mktemp("released"))
    assert [file.name for file in manifest.fetch(path)] == ["riffle.bit", "riffle.hwh"]
    assert manifest.check(path) == [] and manifest.fetch(path) == []


def test_other_content_is_not_kept(built, tmp_path_factory):
    folder = tmp_path_factory.mktemp("released")
    path = release(built, folder)
    (folder / "riffle.bit").write_bytes(b"other")
    with pytest.raises(manifest.ManifestError, match="nothing was kept"):
        manifest.fetch(path)
    assert not (built.parent / "riffle.bit").exists()


def test_unreleased_files_are_neither_fetched_nor_linked(built):
    with pytest.raises(manifest.ManifestError, match="release the files first"):
        manifest.link(built)
    (built.parent / "riffle.bit").unlink()
    with pytest.raises(manifest.ManifestError, match="never released"):
        manifest.fetch(built)


def test_links_are_as_pynq_reads_them(built, tmp_path_factory):
    path = release(built, tmp_path_factory.mktemp("released"))
    assert [file.name for file in manifest.link(path)] == ["riffle.bit.link", "riffle.hwh.link"]
    link = json.loads((built.parent / "riffle.bit.link").read_text())
    assert link["Pynq-Z2"].keys() == {"url", "md5sum"}


def test_committed_manifests_are_complete():
    for path in (ROOT / "bitstreams").glob("*.json"):
        if path.name != "manifest.schema.json":
            manifest.read(path)


@pytest.mark.parametrize("variable, sentence", [({}, "make bitstream needs Vivado"), ({"FLOW": "open"}, "needs ")])
def test_missing_tool_gets_a_sentence(variable, sentence, tmp_path):
    """What is missing, where it was looked for, and what works without."""
    for tool in ("make", "sh", "echo", "true", "nproc", "python3", "sed", "mkdir"):
        (tmp_path / tool).symlink_to(shutil.which(tool))
    done = subprocess.run(["make", "bitstream", *(f"{name}={value}" for name, value in variable.items())], cwd=ROOT,
                          env=os.environ | {"PATH": str(tmp_path)}, capture_output=True, text=True)
    assert done.returncode != 0
    text = done.stdout + done.stderr
    assert sentence in text and "looked for" in text and "without" in text
