"""A compiled network: everything that the hardware needs to run it, in one file that NumPy alone can read."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from riffle.errors import InputError, ProgramError
from riffle.isa import archive, spec
from riffle.isa import layout as lattice

FORMAT = 1
MAGIC = "riffle program"
AGAIN = "compile the network again with `riffle compile`"


@dataclass(frozen=True)
class Place:
    """Where channels of a tensor lie in the activation memory.

    `layout` is "plain", "duplicated" or "raw" (int32). A vector has one lane per image of a batch: that of the
    image, or `lane` further.
    """

    tensor: str
    base: int
    log2s: int
    layout: str = "plain"
    vector: bool = False
    lane: int = 0


@dataclass
class Record:
    """What one descriptor does, and what it leaves in memory.

    `channels[i]` of tensor `place.tensor`, as the reference computes it, lies at position `positions[i]`.
    The descriptor's weights are `stream_words` words of the stream from `stream_first` on.
    """

    layer: str
    place: Place
    positions: np.ndarray
    channels: np.ndarray
    macs: int
    stream_first: int
    stream_words: int
    cycles: int = 0  # predicted


@dataclass(repr=False)
class Program:
    """Descriptors and weights of a network for one lattice size.

    Attributes
    ----------
    descriptors
        program memory image, uint32 [n][8]
    stream
        weight stream, uint8 [words][16]
    image, result
        where the host writes the image and reads the result
    image_size
        channels, height and width; three channels for images, others for parts of a network
    batch
        the lane of each image of a batch; empty where the program runs single images
    image_after
        the descriptor from which on, up to the classifier, nothing else lies where the image is written
    """

    name: str
    rows: int
    columns: int
    activation_depth: int
    descriptors: np.ndarray
    stream: np.ndarray
    records: list[Record]
    image: Place
    image_size: tuple[int, int, int]
    result: Place
    result_channels: int
    batch: list[int] = field(default_factory=list)
    image_after: int = 0
    classes: list[str] = field(default_factory=list)
    output_scale: float = 1.0
    metadata: dict = field(default_factory=dict)

    def __repr__(self) -> str:
        channels, height, width = self.image_size
        gives = f"{self.result_channels} {'scores' if self.result.vector else 'channels'}"
        return (f"<Program: {self.name}, {height}x{width}x{channels} to {gives}, {len(self.descriptors)} descriptors, "
                f"{self.stream.nbytes:,} bytes of weights, {self.cycles:,} cycles predicted>")

    @property
    def cycles(self) -> int:
        """Predicted cycles of a run."""
        return sum(record.cycles for record in self.records)

    @property
    def macs(self) -> int:
        return sum(record.macs for record in self.records)

    def read(self, memory: np.ndarray, index: int, lane: int = 0) -> np.ndarray:
        """What descriptor `index` has left in memory, int8 [4][depth][lanes].

        Returns
        -------
        int8 [n][H][W] (raw: int32), the channels `records[index].channels` of the tensor; a vector has H = W = 1
        """
        record = self.records[index]
        return self._read(memory, record.place, record.positions, lane)

    def read_result(self, memory: np.ndarray, lane: int = 0) -> np.ndarray:
        """The network's output from memory, [channels][H][W]; int32 [classes][1][1] for logits."""
        return self._read(memory, self.result, np.arange(self.result_channels), lane)

    def write_image(self, memory: np.ndarray, pixels: np.ndarray) -> None:
        """Put an image, int8 [C][H][W] (pixels minus 128), into memory, int8 [4][depth][lanes]."""
        if pixels.shape != self.image_size or pixels.dtype != np.int8:
            raise InputError(f"image is {pixels.dtype} {pixels.shape}, but must be int8 {self.image_size}")
        lattice.write_channels(memory, self.image.base, pixels, self.rows, self.columns)

    def _read(self, memory: np.ndarray, place: Place, positions: np.ndarray, lane: int) -> np.ndarray:
        maps = lattice.read_channels(memory, place.base, positions, place.log2s, self.rows, self.columns, place.layout)
        return maps.reshape(len(maps), -1)[:, lane + place.lane, None, None] if place.vector else maps

    def why_not(self, configuration: dict) -> str | None:
        """Why a build of the hardware cannot run this program, wherever its weights are; None where it can.

        Parameters
        ----------
        configuration
            rows, columns, activation_depth and weight_depth, as in `spec.CONFIGURATIONS`
        """
        built, mine = (configuration["rows"], configuration["columns"]), (self.rows, self.columns)
        if built != mine:
            return (f"program {self.name} is for a lattice of {mine[0]}x{mine[1]}, the hardware has "
                    f"{built[0]}x{built[1]}: compile the network for this hardware")
        if configuration["activation_depth"] < self.activation_depth:
            return (f"program {self.name} was compiled for {self.activation_depth} words of activation memory, the "
                    f"hardware has {configuration['activation_depth']}: compile the network for this hardware")
        return None

    def why_not_resident(self, configuration: dict) -> str | None:
        """The same, for running with all weights in the weight memory."""
        depth = configuration["weight_depth"]
        if (reason := self.why_not(configuration)) or len(self.stream) <= depth:
            return reason
        largest = max(self.records, key=lambda record: record.stream_words)
        return (f"program {self.name} has {len(self.stream)} stream words of weights, {largest.stream_words} of "
                f"them in layer {largest.layer}; the weight memory holds {depth}: use a smaller network, or stream the "
                "weights while it runs")

    def fits_resident(self, configuration: dict) -> bool:
        """Whether all weights fit the weight memory of a build of the hardware, and its lattice is the right one."""
        return self.why_not_resident(configuration) is None

    def save(self, path: Path | str) -> None:
        """Write one .npz: a JSON header, the arrays, and a SHA-256 over all of them."""
        header = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)
                  if f.name not in ("descriptors", "stream", "records", "image", "result")}
        header |= {"magic": MAGIC, "format": FORMAT, "spec_hash": spec.SPEC_HASH, "version": spec.VERSION,
                   "image": dataclasses.asdict(self.image), "result": dataclasses.asdict(self.result), "records": []}
        for record in self.records:
            entry = {f.name: getattr(record, f.name) for f in dataclasses.fields(record)}
            header["records"].append(entry | {"place": dataclasses.asdict(record.place), "channels": None,
                                              "positions": len(record.positions)})
        empty = [np.zeros(0, np.int64)]
        arrays = {
            "header": np.frombuffer(json.dumps(header).encode(), np.uint8),
            "descriptors": self.descriptors.astype("<u4"),
            "stream": self.stream.astype(np.uint8),
            "positions": np.concatenate(empty + [r.positions for r in self.records]).astype("<i4"),
            "channels": np.concatenate(empty + [r.channels for r in self.records]).astype("<i4"),
        }
        buffer = io.BytesIO()
        np.savez_compressed(buffer, sha256=_digest(arrays), **arrays)
        Path(path).write_bytes(buffer.getvalue())

    @classmethod
    def load(cls, path: Path | str) -> Program:
        """Read what `save` wrote.

        Raises
        ------
        ProgramError
            if the file is no program, damaged, of another format, or for other hardware registers and descriptors
        """
        arrays, header = _read_file(Path(path))
        try:
            return _program(arrays, header)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise ProgramError(f"{path} is no program that this version has saved ({type(error).__name__}: {error}): "
                               f"{AGAIN}.") from error


def _program(arrays: dict[str, np.ndarray], header: dict) -> Program:
    """What arrays and header say; any exception where they do not fit each other."""
    entries = header.pop("records")
    forms = {"descriptors": ("<u4", (len(entries), spec.DESCRIPTOR_WORDS)), "positions": ("<i4", None),
             "stream": ("|u1", (sum(entry["stream_words"] for entry in entries), spec.STREAM_BYTES)),
             "channels": ("<i4", arrays["positions"].shape)}
    for name, (dtype, shape) in forms.items():
        if arrays[name].dtype != dtype or shape not in (None, arrays[name].shape):
            raise InputError(f"{name} is {arrays[name].dtype} {arrays[name].shape}")
    ends = np.cumsum([entry["positions"] for entry in entries])
    if not entries or ends[-1] != len(arrays["positions"]):
        raise InputError(f"it has {len(arrays['positions'])} positions for {len(entries)} records")
    places = zip(np.split(arrays["positions"], ends[:-1]), np.split(arrays["channels"], ends[:-1]), strict=True)
    records = [Record(**entry | {"place": Place(**entry["place"]), "positions": positions, "channels": channels})
               for entry, (positions, channels) in zip(entries, places, strict=True)]
    fields = {key: value for key, value in header.items() if key not in ("magic", "format", "spec_hash", "version")}
    fields |= {"image": Place(**header["image"]), "result": Place(**header["result"]),
               "image_size": tuple(header["image_size"])}
    return Program(descriptors=arrays["descriptors"], stream=arrays["stream"], records=records, **fields)


def _digest(arrays: dict[str, np.ndarray]) -> np.ndarray:
    """SHA-256 over names, shapes and contents, uint8 [32]."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype.str} {arrays[name].shape}".encode())
        digest.update(arrays[name].tobytes())
    return np.frombuffer(digest.digest(), np.uint8)


def _read_file(path: Path) -> tuple[dict[str, np.ndarray], dict]:
    """Arrays and header of a program file, checked."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ProgramError(f"cannot read program {path}: {error.strerror}. Check the path, or {AGAIN}.") from error
    if not data.startswith(archive.ZIP):
        raise ProgramError(f"{path} is not a Riffle program: {AGAIN}.")
    try:
        arrays = archive.unpack(data)
        digest = arrays.pop("sha256", None)
        if digest is None or "header" not in arrays:
            raise ProgramError(f"{path} is not a Riffle program: {AGAIN}.")
        if not np.array_equal(digest, _digest(arrays)):
            raise ProgramError(f"{path} is damaged (its checksum is wrong): copy it again, or {AGAIN}.")
        header = archive.as_header(arrays["header"])
    except ValueError as error:
        raise ProgramError(f"{path} is damaged ({error}): copy it again, or {AGAIN}.") from error
    if header.get("magic") != MAGIC:
        raise ProgramError(f"{path} is not a Riffle program: {AGAIN}.")
    if header.get("format") != FORMAT:
        raise ProgramError(f"{path} has format {header.get('format')}, this version reads {FORMAT}: {AGAIN}.")
    if header.get("spec_hash") != spec.SPEC_HASH:
        made, own = (f"0x{n:08x}" if isinstance(n, int) else f"{n}" for n in (header.get("spec_hash"), spec.SPEC_HASH))
        raise ProgramError(f"{path} was compiled for specification {made} (version {header.get('version')}), this is "
                           f"{own} (version {spec.VERSION}): {AGAIN}.")
    return arrays, header
