"""Many images, one pass over the weights of the classifier; the next image is fetched while one is computed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from riffle.backends.shared_memory import Buffer
from riffle.driver.handle import Handle
from riffle.driver.image_delivery import is_tensor, pixels, point_at
from riffle.driver.result import Result
from riffle.driver.weight_delivery import shared
from riffle.errors import InputError, RiffleError


def run_batch(accelerator: Handle, images: Sequence[np.ndarray]) -> list[Result]:
    """Run the loaded program, compiled with batch=True, on up to as many images as `Program.batch` has lanes for.

    The layers up to the global average run for each image, which leaves its vector in the image's lane; the classifier
    runs once. Where processor and accelerator share memory, the next image is fetched meanwhile.

    Parameters
    ----------
    images
        as `Accelerator.run` takes them

    Returns
    -------
    results in the order of the images; counters are those of the batch divided by the number of images

    Raises
    ------
    ValueError
        if there are no images, or too many, or one does not fit the network
    RiffleError
        if the program was not compiled for batches
    EngineError, RunTimeout, HardwareError
        as `Accelerator.run`
    """
    program = accelerator.loaded()
    if not program.batch:
        raise RiffleError("the program that is loaded keeps no vectors for a batch: compile it with batch=True")
    if not 1 <= len(images) <= len(program.batch):
        raise InputError(f"a batch of {len(images)} images, but with {program.name} it may have 1 to "
                         f"{len(program.batch)}: so many vectors fit the lattice")
    lanes = program.batch[:len(images)]
    classifier = next(i for i, record in enumerate(program.records) if record.place.layout == "raw")
    counters: Counter[str] = Counter()
    accelerator.control.make_ready()  # an image cannot come while the run or the fetch of a dead process goes on
    accelerator.restore()
    with _Images(accelerator, images) as source:
        for index, lane in enumerate(lanes):
            fetch = source.bring(index)
            cycles = accelerator.launch(0, classifier, lane=lane, fetch=fetch, follows=True)
            source.bring_ahead(index + 1)
            accelerator.finish(cycles)
            counters.update(accelerator.counters())
    accelerator.finish(accelerator.launch(classifier, len(program.records) - classifier, follows=True))
    counters.update(accelerator.counters())
    counters["CYCLES"] += counters.pop("WAITED")  # for the first image; a batch has that behind it, too
    each = {name: round(count / len(images)) for name, count in counters.items()} | {"WAITED": 0}
    results = [accelerator.result(lane, each) for lane in lanes]
    accelerator.confirm()
    return results


class _Images:
    """Brings each image to where the program reads it: ahead from shared memory, where there is some."""

    def __init__(self, accelerator: Handle, images: Sequence[np.ndarray]):
        self.accelerator, self.segment, self.images = accelerator, accelerator.segment, images
        self.buffers: list[Buffer] = []
        self.fetched = 0  # images that have been asked for
        tensors = any(is_tensor(accelerator.program, np.asarray(image)) for image in images)
        self.fetches = accelerator.images.name == "ddr" and not tensors

    def __enter__(self) -> _Images:
        if self.fetches:
            backend, program = self.accelerator.backend, self.accelerator.loaded()
            self.buffers = [shared(backend, pixels(program, np.asarray(image))) for image in self.images]
            self.segment.write("IMAGE_AFTER", program.image_after)
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        try:
            if kind:  # an image that is on its way must not come later
                self.segment.set_fields("CTRL", ABORT=1)
        finally:
            for buffer in self.buffers:
                buffer.free()

    def bring(self, index: int) -> bool:
        """An image for the run that is started next, which waits for it; whether the run has to fetch it itself."""
        if not self.fetches:
            self.accelerator.write_image(self.images[index])
            return False
        if self.fetched != index:
            return False  # it was fetched ahead
        self.point()
        return True

    def bring_ahead(self, index: int) -> None:
        """An image for the run after the one that runs, as soon as the one before has come."""
        if not self.fetches or index == len(self.images):
            return
        while (state := self.segment.fields("CTRL"))["FETCHING"]:  # the watchdog ends the run that waits for it
            if state["IDLE"]:
                return
        self.point()
        self.segment.set_fields("CTRL", FETCH=1)

    def point(self) -> None:
        """Say where the next image lies."""
        point_at(self.segment, self.accelerator.loaded(), self.buffers[self.fetched].physical_address)
        self.fetched += 1
