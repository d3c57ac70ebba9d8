"""The compiler: an integer network becomes a program for one build of the hardware.

    check    what no descriptor can do, and (`consistency`) what contradicts itself
    steps    which layers are fused, in which order they run
    batches  in which lanes the images of a batch meet
    buffers  what must be kept in memory, and how long
    slices   how fused layers are cut
    plan     addresses
    weights  the weight stream
    emit     descriptors and records
    hazards  which descriptors need not wait for the writes of the one before
    cycles   what each descriptor costs
"""

from __future__ import annotations

import numpy as np

from riffle.compiler import batch_lanes
from riffle.compiler.allocation import make_plan
from riffle.compiler.check import checked, hardware, phases
from riffle.compiler.emit import Emitter
from riffle.compiler.fusion import Step, make_steps
from riffle.compiler.hazards import touches
from riffle.compiler.liveness import fetch_steps, make_needs, reserve_for_batch
from riffle.errors import CompileError
from riffle.graph.integer_graph import FullyConnected, IntegerNetwork
from riffle.isa import spec
from riffle.isa.cost import predict
from riffle.isa.descriptor import pack_program
from riffle.isa.layout import words_of
from riffle.isa.program import Program

__all__ = ["CompileError", "compile_network"]


def compile_network(network: IntegerNetwork, configuration: str | dict = "full", batch: bool = False) -> Program:
    """Translate a network.

    Parameters
    ----------
    network
        what the quantiser made
    configuration
        a name in `spec.CONFIGURATIONS`, or rows, columns, activation_depth of other hardware
    batch
        for `Accelerator.run_batch`: keep the inputs of the classifier of all images, and a place for the next image

    Returns
    -------
    The program. Its weights may be more than the weight memory holds: see `Program.why_not_resident`.

    Raises
    ------
    CompileError
        if the network contradicts itself, asks for what the hardware cannot do, or does not fit; the message names the
        layer or tensor, the need and the limit, and what to do
    ValueError
        if there is no such configuration
    """
    build, network = hardware(configuration), checked(network)
    rows, columns = build["rows"], build["columns"]
    steps, lanes = make_steps(network), batch_lanes.alone(rows, columns)
    if not batch:
        return _compile(network, build, steps, lanes, None)
    # Rather fewer images together than a next image that comes late. Last of all, each image is waited for.
    first, last = fetch_steps(network, steps)
    windows = batch_lanes.windows(rows, columns)
    ways = [(lanes, first), *((windows if windows.images else lanes, step) for step in range(first, last + 2))]
    for lanes, step in ways:
        try:
            return _compile(network, build, steps, lanes, step)
        except CompileError as error:
            reason = error
    raise reason


def _compile(network: IntegerNetwork, build: dict, steps: list[Step], lanes: batch_lanes.Lanes,
             fetch_step: int | None) -> Program:
    """With `fetch_step`, from which on the next image may come, for a batch."""
    rows, columns = build["rows"], build["columns"]
    log2s = phases(network, rows, columns)
    needs = make_needs(network, steps, log2s)
    if fetch_step is not None:
        reserve_for_batch(network, needs, steps, lanes, fetch_step)
    plan = make_plan(needs, steps, build["activation_depth"])
    emitter = Emitter(network, needs, plan, log2s, rows * columns, lanes)
    for time, step in enumerate(steps):
        emitter.step(step, time)
    if len(emitter.descriptors) > spec.DESCRIPTORS:
        raise CompileError(f"the network needs {len(emitter.descriptors)} descriptors, the program memory holds "
                           f"{spec.DESCRIPTORS}: use hardware with more activation memory, or fewer layers")
    for record, cycles in zip(emitter.records, predict(emitter.descriptors), strict=True):
        record.cycles = cycles
    image, last = network.tensors[network.input], network.layers[-1]
    place = emitter.place(network.input)
    end = place.base + words_of(image.channels, place.log2s)
    busy = [i for i, d in enumerate(emitter.descriptors) if not d.raw and touches(d, place.base, end)]
    return Program(
        name=network.name, rows=rows, columns=columns, activation_depth=build["activation_depth"],
        descriptors=pack_program(emitter.descriptors),
        stream=np.concatenate([np.zeros((0, spec.STREAM_BYTES), np.uint8), *emitter.chunks]), records=emitter.records,
        image=place, batch=list(lanes.images) if fetch_step is not None else [], image_after=1 + max(busy, default=-1),
        image_size=(image.channels, image.height, image.width),
        result=emitter.place(network.output, "raw" if isinstance(last, FullyConnected) else "plain"),
        result_channels=network.tensors[network.output].channels, classes=network.classes,
        output_scale=network.output_scale, metadata=network.metadata)
