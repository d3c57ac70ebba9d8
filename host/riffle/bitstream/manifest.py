"""How a bitstream came about: the manifest beside it, written by the build, checked by driver and `riffle doctor`.

    python -m riffle.bitstream.manifest check bitstreams/riffle.json    are the files those that were built?
    python -m riffle.bitstream.manifest fetch bitstreams/riffle.json    download what is missing, by url and sha256
    python -m riffle.bitstream.manifest link bitstreams/riffle.json notebooks
                                                              .link files from which `pynq get-notebooks` downloads both

Standard library only: it runs on the machine with Vivado and on the board. bitstreams/manifest.schema.json says the
same to other tools.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import urllib.request
from pathlib import Path

from riffle.errors import ManifestError
from riffle.isa import spec

BOARD = "Pynq-Z2"  # as PYNQ calls it
FIELDS = {
    "name": str, "design": str, "board": str, "part": str, "flow": str, "engine": str, "clock_mhz": float,
    "version": str, "git_commit": str, "spec_hash": str, "build_hash": str, "tool": str, "tool_version": str,
    "slack_ns": float, "utilisation": dict, "files": dict,
}
FILE_FIELDS = {"name": str, "bytes": int, "sha256": str, "md5": str}
UTILISATION = ("dsp", "bram36", "lut", "ff")


def read(path: str | Path) -> dict:
    """A manifest, complete.

    Raises
    ------
    ManifestError
        if it is no manifest; names the field
    """
    path = Path(path)
    try:
        manifest = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise ManifestError(f"there is no manifest {path}: it comes with the bitstream; see bitstreams/") from error
    except ValueError as error:
        raise ManifestError(f"{path} is no JSON ({error}): take the manifest that came with the bitstream") from error
    problems = contradictions(manifest)
    if problems:
        raise ManifestError(f"{path}: {'; '.join(problems)}: take the manifest that came with the bitstream")
    return manifest


def contradictions(manifest: object) -> list[str]:
    """What is missing from a manifest or has the wrong type, one sentence each."""
    if not isinstance(manifest, dict):
        return ["not an object"]
    problems = _wrong(manifest, FIELDS, "")
    if not problems:
        problems += _wrong(manifest["utilisation"], dict.fromkeys(UTILISATION, float), "utilisation.")
        for kind in ("bit", "hwh"):
            problems += _wrong(manifest["files"].get(kind, {}), FILE_FIELDS, f"files.{kind}.")
    return problems


def _wrong(values: object, fields: dict[str, type], prefix: str) -> list[str]:
    if not isinstance(values, dict):
        return [f"{prefix.rstrip('.')} is not an object"]
    problems = [f"{prefix}{name} is missing" for name in fields if name not in values]
    for name, kind in fields.items():
        wanted = (int, float) if kind is float else kind
        if name in values and (not isinstance(values[name], wanted) or isinstance(values[name], bool)):
            problems.append(f"{prefix}{name} should be a {kind.__name__}, is {values[name]!r}")
    return problems


def check(path: str | Path) -> list[str]:
    """What is wrong with the bitstream of a manifest, one sentence each with the remedy; empty where all is well.

    Raises
    ------
    ManifestError
        if the manifest itself cannot be read
    """
    path = Path(path)
    manifest = read(path)
    problems = []
    for entry in manifest["files"].values():
        file = path.parent / entry["name"]
        if not file.exists():
            problems.append(f"{file} is missing: fetch it with `python -m riffle.bitstream.manifest fetch {path}`, "
                            "or build it")
        elif hashlib.sha256(file.read_bytes()).hexdigest() != entry["sha256"]:
            problems.append(f"{file} is not the file that was built: fetch or build it again")
    if manifest["design"] == "system" and manifest["spec_hash"] != f"{spec.SPEC_HASH:08x}":
        problems.append(f"{path}: hardware of spec {manifest['spec_hash']}, software of spec {spec.SPEC_HASH:08x}: "
                        f"take bitstream {spec.VERSION}, or software {manifest['version']}")
    if manifest["slack_ns"] < 0:
        problems.append(f"{path}: timing was not met ({manifest['slack_ns']} ns): build with a lower CLOCK_MHZ")
    return problems


def describe(file: Path, url: str | None = None) -> dict:
    """The entry of a file in a manifest; with `url`, where it was released."""
    content = file.read_bytes()
    entry = {"name": file.name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest(),
             "md5": hashlib.md5(content, usedforsecurity=False).hexdigest()}
    return entry | ({"url": url} if url else {})


def fetch(path: str | Path) -> list[Path]:
    """Download the files of a manifest that are not there; nothing is kept whose sha256 is another.

    Raises
    ------
    ManifestError
        if a file was never released, cannot be reached, or is not what the manifest says
    """
    path, fetched = Path(path), []
    for entry in read(path)["files"].values():
        file = path.parent / entry["name"]
        if file.exists():
            continue
        if "url" not in entry:
            raise ManifestError(f"{path} names no url for {entry['name']}: it was never released; build it with "
                                "`make bitstream`")
        try:
            with urllib.request.urlopen(entry["url"]) as answer:
                content = answer.read()
        except OSError as error:
            raise ManifestError(f"cannot fetch {entry['url']} ({error}): check the network, or build it") from error
        if hashlib.sha256(content).hexdigest() != entry["sha256"]:
            raise ManifestError(f"what {entry['url']} gives is not the file of {path}: nothing was kept; report it")
        file.write_bytes(content)
        fetched.append(file)
    return fetched


def link(path: str | Path, folder: str | Path | None = None) -> list[Path]:
    """Write <file>.link for each released file: `pynq get-notebooks` replaces it by the file for this board.

    Parameters
    ----------
    path
        of the manifest
    folder
        where notebooks lie that are to find the bitstream beside them; the manifest is copied there, too

    Raises
    ------
    ManifestError
        if a file was never released
    """
    path, links = Path(path), []
    folder = path.parent if folder is None else Path(folder)
    entries = read(path)["files"].values()
    for entry in entries:
        if "url" not in entry:
            raise ManifestError(f"{path} names no url for {entry['name']}: release the files first, then add `url`")
    for entry in entries:
        links.append(folder / (entry["name"] + ".link"))
        links[-1].write_text(json.dumps({BOARD: {"url": entry["url"], "md5sum": entry["md5"]}}, indent=2) + "\n")
    if folder.resolve() != path.parent.resolve():
        (folder / path.name).write_bytes(path.read_bytes())
    return links


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m riffle.bitstream.manifest", description=__doc__.splitlines()[0])
    parser.add_argument("action", choices=("check", "fetch", "link"))
    parser.add_argument("manifest", type=Path)
    parser.add_argument("folder", type=Path, nargs="?", help="of notebooks, for link")
    arguments = parser.parse_args()
    try:
        if arguments.action == "check":
            problems = check(arguments.manifest)
            print("\n".join(problems) or f"{arguments.manifest}: the files are those that were built")
            return bool(problems)
        made = fetch(arguments.manifest) if arguments.action == "fetch" else link(arguments.manifest, arguments.folder)
        for path in made:
            print(path)
        return 0
    except ManifestError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
