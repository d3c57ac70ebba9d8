"""A manifest as the build writes it, around whatever files there are."""

import json
from pathlib import Path

from riffle.bitstream import manifest
from riffle.isa import spec


def save_manifest(bitstream: Path, **changes) -> Path:
    """Write the manifest of a .bit and the .hwh beside it; `changes` replaces fields."""
    values = {name: kind() for name, kind in manifest.FIELDS.items()}
    values |= {"design": "system", "spec_hash": f"{spec.SPEC_HASH:08x}", "build_hash": "00000000",
               "utilisation": dict.fromkeys(manifest.UTILISATION, 1),
               "files": {kind: manifest.describe(bitstream.with_suffix(f".{kind}")) for kind in ("bit", "hwh")}}
    path = bitstream.with_suffix(".json")
    path.write_text(json.dumps(values | changes))
    return path
