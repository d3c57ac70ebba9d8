"""Files of networks: one .npz with a JSON header, which says what it is, and arrays."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np

from riffle.errors import InputError

FORMAT = 1
ZIP = b"PK"  # how a .npz begins
PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM")
MODELS = {".onnx": "an ONNX model", ".pt": "a PyTorch file", ".pth": "a PyTorch file", ".h5": "a Keras file",
          ".tflite": "a TensorFlow Lite model"}
PROGRAM = "compiled program"
REMEDIES = {  # by what is wanted and what was found
    ("integer network", "float network"): "quantise it: riffle.graph.quantise.quantise(network, images)",
    ("integer network", PROGRAM): "run it with riffle.load(path), or give the network that it was compiled from",
    ("float network", "integer network"): "it is quantised already: use it where an integer network is wanted",
    ("float network", PROGRAM): "give the float network from which it was made",
}


def write(path: Path | str, kind: str, header: dict, arrays: dict[str, np.ndarray]) -> None:
    """Write a header and arrays (none of them named "header") as something of that kind."""
    text = json.dumps({"kind": kind, "format": FORMAT, **header})
    buffer = io.BytesIO()
    np.savez_compressed(buffer, header=np.frombuffer(text.encode(), np.uint8), **arrays)
    Path(path).write_bytes(buffer.getvalue())


def broken(path: Path | str, kind: str, error: Exception) -> InputError:
    """What to raise where a header does not hold what its kind says."""
    return InputError(f"{path} is broken ({type(error).__name__}: {error}): give a file that riffle saved as {kind}, "
                      "or make it again")


def read(path: Path | str, kind: str) -> tuple[dict, dict[str, np.ndarray]]:
    """Header and arrays of a file that `write` wrote.

    Raises
    ------
    FileNotFoundError
        if there is none
    ValueError
        if it is broken, something else, or of another format
    """
    data = Path(path).read_bytes()
    saved = f"give a file that riffle saved as {kind}"
    if other := _foreign(Path(path), data):
        raise InputError(f"{path} is {other}, no {kind}: {saved}")
    try:
        arrays = unpack(data)
        if "header" not in arrays:
            raise InputError(f"it has no header, but {', '.join(sorted(arrays)[:3]) or 'nothing'}")
        header = as_header(arrays.pop("header"))
    except ValueError as error:
        raise InputError(f"{path} is broken or no {kind} at all ({error}): {saved}; parameters of a float network "
                         "become one by riffle.graph.float_graph, and an integer network by "
                         "riffle.graph.quantise") from error
    found = PROGRAM if "magic" in header else str(header.get("kind"))
    if found != kind:
        raise InputError(f"{path} is no {kind}: it says {found}: {REMEDIES.get((kind, found), saved)}")
    if header.get("format") != FORMAT:
        raise InputError(f"{path} has format {header.get('format')}, this version of riffle reads {FORMAT}: make it "
                         "again")
    return header, arrays


def unpack(data: bytes) -> dict[str, np.ndarray]:
    """The arrays of a .npz file by name.

    Raises
    ------
    ValueError
        whatever is wrong with it
    """
    if not data.startswith(ZIP):
        raise InputError("it is no .npz file")
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except Exception as error:  # NumPy, zipfile and the decompressors raise what they like on bytes that are not theirs
        reason = "it holds Python objects" if "allow_pickle" in str(error) else f"{type(error).__name__}: {error}"
        raise InputError(reason) from error
    strange = [name for name, array in arrays.items() if not isinstance(array, np.ndarray)]
    if strange:
        raise InputError(f"{strange[0]} is no array")
    return arrays


def as_header(array: np.ndarray) -> dict:
    """The JSON object in an array of bytes.

    Raises
    ------
    ValueError
        if it holds none
    """
    try:
        header = json.loads(array.tobytes())
    except RecursionError as error:
        raise InputError("its header is nested too deeply") from error
    if not isinstance(header, dict):
        raise InputError("its header is no JSON object")
    return header


def _foreign(path: Path, data: bytes) -> str | None:
    """What a file is by its name and its first bytes, None where it may be a .npz file."""
    if data.startswith(PICTURES):
        return "a picture"
    if path.suffix.lower() in MODELS:
        return MODELS[path.suffix.lower()]
    return "a single NumPy array" if data.startswith(b"\x93NUMPY") else None
