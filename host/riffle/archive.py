"""Files of networks: one .npz with a JSON header, which says what it is, and arrays."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from pathlib import Path

import numpy as np

FORMAT = 1
_BROKEN = (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error)


def write(path: Path | str, kind: str, header: dict, arrays: dict[str, np.ndarray]) -> None:
    """Write a header and arrays (none of them named "header") as something of that kind."""
    text = json.dumps({"kind": kind, "format": FORMAT, **header})
    buffer = io.BytesIO()
    np.savez_compressed(buffer, header=np.frombuffer(text.encode(), np.uint8), **arrays)
    Path(path).write_bytes(buffer.getvalue())


def read(path: Path | str, kind: str) -> tuple[dict, dict[str, np.ndarray]]:
    """Header and arrays of a file that `write` wrote.

    Raises
    ------
    FileNotFoundError
        if there is none
    ValueError
        if it is broken, something else, or of another format
    """
    remedy = f"give a file that riffle saved as {kind}"
    data = Path(path).read_bytes()
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        header = json.loads(arrays.pop("header").tobytes())
        found, version = header["kind"], header["format"]
    except _BROKEN as error:
        raise ValueError(f"{path} is broken or no {kind} at all ({type(error).__name__}: {error}): {remedy}") from error
    if found != kind:
        raise ValueError(f"{path} is no {kind}: it says {found}: {remedy}")
    if version != FORMAT:
        raise ValueError(f"{path} has format {version}, this version of riffle reads {FORMAT}: make it again")
    return header, arrays
