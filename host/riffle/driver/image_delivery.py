"""How an image comes to where the program reads it: the host writes it, or the accelerator fetches it."""

from __future__ import annotations

import numpy as np

from riffle.driver.registers import Segment
from riffle.driver.weight_delivery import room
from riffle.errors import InputError, ProgramError
from riffle.isa import layout, spec
from riffle.isa.program import Program


class WrittenImages:
    """The host writes every image through the image window."""

    name = "window"

    def __init__(self, segment: Segment, program: Program):
        self.segment, self.program = segment, program

    def bring(self, image: np.ndarray) -> bool:
        """Bring an image, as `Accelerator.run` takes it, for the run that is started next.

        Returns
        -------
        whether the accelerator still has to fetch it: CTRL.FETCH
        """
        place, image = self.program.image, np.asarray(image)
        if is_tensor(self.program, image):
            words = layout.to_words(image, self.program.rows, self.program.columns, place.layout)
            self.segment.write_activations(place.base, words)
            return False
        rows = pixels(self.program, image)
        if place.vector:  # the image window would write it to one lane
            return self.bring((rows[:, :, :3].astype(np.int16) - 128).astype(np.int8).transpose(2, 0, 1))
        self.segment.set_fields("IMAGE", BASE=place.base, LOG2S=place.log2s)
        self.segment.write_rows("IMAGE", spec.IMAGE_PITCH, rows)
        return False

    def release(self) -> None:
        """Give back what images occupy."""


class FetchedImages(WrittenImages):
    """The accelerator fetches images from memory that it shares with the host; the run waits for its image.

    Raises
    ------
    MemoryError, HardwareError
        if there is not enough shared memory, or none
    """

    name = "ddr"

    def __init__(self, segment: Segment, program: Program):
        super().__init__(segment, program)
        _, height, width = program.image_size
        self.buffer = room(segment.backend, height * width * 4)

    def bring(self, image: np.ndarray) -> bool:
        image = np.asarray(image)
        if is_tensor(self.program, image):
            return super().bring(image)
        self.buffer.array[:] = pixels(self.program, image).reshape(-1)
        self.buffer.flush()
        point_at(self.segment, self.program, self.buffer.physical_address)
        return True

    def release(self) -> None:
        self.buffer.free()


def check_ways(weights: str, images: str) -> None:
    """Refuse what `Accelerator.load` does not know.

    Raises
    ------
    InputError
        if there is no such way
    """
    if weights not in ("auto", "resident", "ddr", "host"):
        raise InputError(f"weights is {weights!r}, but must be 'auto', 'resident', 'ddr' or 'host'")
    if images not in ("auto", "ddr", "window"):
        raise InputError(f"images is {images!r}, but must be 'auto', 'ddr' or 'window'")


def way_of_images(name: str, segment: Segment, program: Program) -> WrittenImages:
    """The way that is asked for: "ddr", "window", or with "auto" the first of these that works.

    Raises
    ------
    ProgramError, SharedMemoryError, HardwareError
        if images cannot be fetched, or there is no shared memory for them
    """
    reason = None if segment.backend.shares_memory else "processor and accelerator share no memory"
    if program.image_size[0] != 3 or not program.image.log2s:
        reason = f"{program.name} takes no pictures, or such of a single phase"
    if name == "window" or (name == "auto" and reason):
        return WrittenImages(segment, program)
    if reason:
        raise ProgramError(f"images cannot be fetched: {reason}. Remedy: load it with images='window'")
    return FetchedImages(segment, program)


def point_at(segment: Segment, program: Program, address: int) -> None:
    """Say which image is to be fetched: that at a physical address."""
    segment.set_fields("IMAGE", BASE=program.image.base, LOG2S=program.image.log2s)
    segment.write("IMAGE_ADDRESS", address)


def pixels(program: Program, image: np.ndarray) -> np.ndarray:
    """An image, uint8 [H][W] or [H][W][3], as the hardware takes it: uint8 [H][W][4], R, G, B, 0.

    Raises
    ------
    ValueError
        if it does not fit the program
    """
    channels, height, width = program.image_size
    if image.dtype != np.uint8 or channels != 3 or image.shape not in ((height, width), (height, width, 3)):
        size, wanted = "x".join(map(str, image.shape)), f"uint8 {height}x{width} (grey) or {height}x{width}x3 (RGB)"
        takes = wanted if channels == 3 else f"int8 {channels}x{height}x{width}"
        raise InputError(f"the image is {image.dtype} {size}, but {program.name} takes {takes}: resize or convert it "
                         "first")
    colours = np.zeros((height, width, 4), np.uint8)
    colours[:, :, :3] = image.reshape(height, width, -1)
    return colours


def is_tensor(program: Program, image: np.ndarray) -> bool:
    """Whether an image is the input tensor itself, which is written, not fetched."""
    return image.dtype == np.int8 and image.shape == program.image_size
