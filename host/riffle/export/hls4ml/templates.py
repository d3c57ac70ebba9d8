"""The C++ that hls4ml writes for each layer: a struct of its sizes and types, and a call."""

from __future__ import annotations

from hls4ml.backends.template import FunctionCallTemplate, LayerConfigTemplate
from hls4ml.model.layers import Layer

from riffle.export.hls4ml.layers import LAYERS

UNSIGNED = ("n_pixels", "height", "width", "n_in", "n_out", "groups", "stride", "modulus", "step_low", "step_high")
SIGNED = ("fill", "zero_point", "start")
TYPES = ("accum", "weight", "bias", "multiplier", "shift")


class RiffleConfig(LayerConfigTemplate):
    def __init__(self):
        super().__init__(LAYERS)

    def format(self, node: Layer) -> str:
        reuse = node.get_attr("reuse_factor", 1)
        limit = max(1, -(-node.multiplications() // reuse))
        lines = [f"struct config{node.index} : nnet::riffle_config {{",
                 f"    static const unsigned reuse_factor = {reuse}, multiplier_limit = {limit};"]
        for kind, names in (("unsigned", UNSIGNED), ("int", SIGNED)):
            lines += [f"    static const {kind} {name} = {node.get_attr(name)};"
                      for name in names if name in node.attributes]
        lines += [f"    typedef {node.get_attr(f'{name}_t').name} {name}_t;"
                  for name in TYPES if f"{name}_t" in node.attributes]
        return "\n".join([*lines, "};\n"])


class RiffleFunction(FunctionCallTemplate):
    def __init__(self):
        super().__init__(LAYERS, include_header=["nnet_utils/nnet_riffle.h", "nnet_utils/nnet_riffle_window.h"])

    def format(self, node: Layer) -> str:
        sources, result = [node.get_input_variable(name) for name in node.inputs], node.get_output_variable()
        types = ", ".join([*(source.type.name for source in sources), result.type.name, f"config{node.index}"])
        weights = [node.get_weights(name).name for name in node.weight_names]
        arguments = ", ".join([*(source.name for source in sources), result.name, *weights])
        return f"nnet::{node.function}<{types}>({arguments});"
