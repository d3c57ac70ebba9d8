"""The pass that folds a channel shuffle into the address at which the layer before it writes."""

from __future__ import annotations

from hls4ml.model.layers import Layer
from hls4ml.model.optimizer import OptimizerPass

WRITERS = ("GroupedPointwiseConv2D", "Requantise")


class FuseChannelShuffle(OptimizerPass):
    """ChannelShuffle behind a grouped pointwise convolution or a requantisation: the layer is gone, its map is kept.

    Not where something else reads the unshuffled channels, or a residual that lies unshuffled is added.
    """

    def match(self, node: Layer) -> bool:
        if node.class_name != "ChannelShuffle":
            return False
        writer = node.get_input_node()
        return (writer is not None and writer.class_name in WRITERS and len(writer.get_output_nodes()) == 1
                and len(writer.inputs) == 1 and writer.get_attr("modulus") == 1 and writer.get_attr("step_high") == 1)

    def transform(self, model: object, node: Layer) -> bool:
        for name in ("modulus", "step_low", "step_high"):
            node.get_input_node().set_attr(name, node.get_attr(name))
        model.remove_node(node)
        return True
