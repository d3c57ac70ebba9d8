"""What a network asks of the hardware that no descriptor can do; what contradicts itself is refused before that."""

from __future__ import annotations

from dataclasses import replace

from riffle.errors import CompileError, InputError
from riffle.graph.consistency import check
from riffle.graph.integer_graph import Convolution, GlobalAverage, IntegerNetwork, Layer, MaxPool
from riffle.isa import layout, spec

SIZES = ("rows", "columns", "activation_depth")
DEPTH_MAX = (1 << spec.DESCRIPTOR_FIELDS["out_base"][1]) - 1
SMALLER = "use a smaller image, a smaller scale or fewer channels there, or hardware with more activation memory"


def hardware(configuration: str | dict) -> dict[str, int]:
    """Rows, columns and activation_depth of a build by its name, or as they are.

    Raises
    ------
    ValueError
        if there is no such build
    """
    if isinstance(configuration, str):
        return layout.configuration(configuration)
    rows, columns, depth = (configuration.get(name, 0) for name in SIZES)
    if rows < 1 or columns < 1 or rows * columns > spec.LANES_MAX or not 1 <= depth <= DEPTH_MAX:
        raise InputError(f"hardware of {rows}x{columns} lanes and {depth} words of activation memory cannot be: it has "
                         f"{', '.join(SIZES)}, 1 to {spec.LANES_MAX} lanes and 1 to {DEPTH_MAX} words")
    return configuration


def checked(network: IntegerNetwork) -> IntegerNetwork:
    """The network, if it is consistent, with every shuffle as descriptors take it.

    Raises
    ------
    CompileError
        where it contradicts itself or the numeric contract
    """
    try:
        check(network)
    except ValueError as error:
        raise CompileError(str(error)) from error
    layers = [replace(layer, shuffle=layer.shuffle.canonical(len(layer.weight)))
              if isinstance(layer, Convolution) and layer.shuffle else layer for layer in network.layers]
    return replace(network, layers=layers)


def phases(network: IntegerNetwork, rows: int, columns: int) -> dict[str, int]:
    """log2 of the phases per axis of each tensor that is used; 0 for a vector, which has one lane per image.

    Raises
    ------
    CompileError
        if a tensor does not fit the lattice, or a layer needs pixels or phases that its input does not have
    """
    used = [network.input, *(layer.output for layer in network.layers)]
    log2s = {name: _log2s(network, name, rows, columns) for name in used}
    for layer in network.layers:
        source = network.tensors[layer.input]
        if (source.height, source.width) == (1, 1) and rows * columns > 1 and _needs_neighbours(layer):
            raise CompileError(f"layer {layer.name} needs the neighbours of a pixel, but tensor {layer.input} is a "
                               "single one: leave the layer out, or make it a 1x1 convolution")
        if log2s[layer.input] == 0 and (isinstance(layer, MaxPool) or getattr(layer, "stride", 1) == 2):
            raise CompileError(f"layer {layer.name} has stride 2, but tensor {layer.input} of {source.height}x"
                               f"{source.width} pixels is as small as a lattice of {rows}x{columns} can divide: use "
                               "stride 1, or a larger image")
    return log2s


def check_fields(layer: Layer, fields: dict[str, int]) -> None:
    """Refuse values that a descriptor has no room for, by the names of `spec.DESCRIPTOR_FIELDS`."""
    for name, value in fields.items():
        _, bits, signed = spec.DESCRIPTOR_FIELDS[name]
        low, high = (-1 << bits - 1, (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
        if not low <= value <= high:
            raise CompileError(f"layer {layer.name} needs {name} {value} in a descriptor, which holds {low} to {high}: "
                               f"{SMALLER}")


def _log2s(network: IntegerNetwork, name: str, rows: int, columns: int) -> int:
    tensor = network.tensors[name]
    if (tensor.height, tensor.width) == (1, 1):
        return 0
    try:
        return layout.log2_phases(tensor.height, tensor.width, rows, columns)
    except ValueError as error:
        raise CompileError(f"tensor {name}: {error}: resize the image") from error


def _needs_neighbours(layer: Layer) -> bool:
    return isinstance(layer, (MaxPool, GlobalAverage)) or isinstance(layer, Convolution) and layer.weight.shape[2] == 3
