"""The layers, as hls4ml's graph knows them. Maps are channels last; values are those of the integer network."""

from __future__ import annotations

from hls4ml.model.attributes import Attribute, TypeAttribute, WeightAttribute
from hls4ml.model.layers import Layer

from riffle.errors import ConversionError

SHUFFLE = [Attribute("modulus", default=1), Attribute("step_low", default=1), Attribute("step_high", default=1)]
FLOWS = [Attribute("n_pixels"), Attribute("n_out")]
ACCUMULATOR = TypeAttribute("accum")


def _weights(*names: str) -> list:
    return [cls(name) for name in names for cls in (WeightAttribute, TypeAttribute)]


class _RiffleLayer(Layer):
    """`function` is what is called in nnet_riffle.h, with the layer's inputs, its output and the weights named here."""

    function: str
    weight_names: tuple[str, ...] = ()

    def initialize(self) -> None:
        for name in self.weight_names:
            # 1-D: hls4ml's passes transpose weights of more dimensions
            flat = self.get_attr(f"{name}_data").reshape(-1)
            self.add_weights_variable(name=name, var_name=f"{name[0]}{{index}}", data=flat)
        self.add_output_variable(self.output_shape())

    def output_shape(self) -> list[int]:
        return [*self.get_input_variable().shape[:-1], self.get_attr("n_out")]

    def multiplications(self) -> int:
        """For one pixel."""
        return 0


class GroupedPointwiseConv2D(_RiffleLayer):
    """1x1 convolution in groups, raw sums; weights [n_out][n_in / groups]. Of one pixel: fully connected."""

    function = "riffle_grouped_pointwise"
    weight_names = ("weight", "bias")
    _expected_attributes = [*FLOWS, Attribute("n_in"), Attribute("groups"), *SHUFFLE, *_weights("weight", "bias"),
                            ACCUMULATOR]

    def initialize(self) -> None:
        inputs, outputs, groups = (self.get_attr(name) for name in ("n_in", "n_out", "groups"))
        if inputs % groups or outputs % groups:
            raise ConversionError(f"layer {self.name}: {groups} groups do not divide {inputs} inputs and {outputs} "
                                  "outputs")
        super().initialize()

    def multiplications(self) -> int:
        return self.get_attr("n_in") // self.get_attr("groups") * self.get_attr("n_out")


class ChannelShuffle(_RiffleLayer):
    """Channel c goes to (c mod modulus) * step_low + (c div modulus) * step_high."""

    function = "riffle_channel_shuffle"
    _expected_attributes = [*FLOWS, *SHUFFLE]

    def initialize(self) -> None:
        super().initialize()
        # values do not change
        self.get_output_variable().type.precision = self.get_input_variable().type.precision


class Requantise(_RiffleLayer):
    """Sums to int8 by a multiplier and shift per channel; a second input is a residual, added before the clamp."""

    weight_names = ("multiplier", "shift")
    _expected_attributes = [*FLOWS, Attribute("zero_point"), *SHUFFLE, *_weights("multiplier", "shift")]

    @property
    def function(self) -> str:
        return "riffle_requantise_add" if len(self.inputs) == 2 else "riffle_requantise"

    def multiplications(self) -> int:
        return self.get_attr("n_out")


class _Window(_RiffleLayer):
    """3x3, padding 1, stride 1 or 2; `fill` lies around the map."""

    _expected_attributes = [*FLOWS, Attribute("n_in"), Attribute("height"), Attribute("width"), Attribute("stride"),
                            Attribute("fill"), ACCUMULATOR]

    def output_shape(self) -> list[int]:
        stride = self.get_attr("stride")
        return [*(-(-self.get_attr(name) // stride) for name in ("height", "width")), self.get_attr("n_out")]


class Depthwise3x3(_Window):
    """Depthwise convolution, raw sums; weights [n_out][9]."""

    function = "riffle_depthwise3x3"
    weight_names = ("weight", "bias")
    _expected_attributes = _weights("weight", "bias")

    def multiplications(self) -> int:
        return 9 * self.get_attr("n_out")


class Convolution3x3(_Window):
    """Convolution over all channels, raw sums; weights [n_out][n_in][9]."""

    function = "riffle_convolution3x3"
    weight_names = ("weight", "bias")
    _expected_attributes = _weights("weight", "bias")

    def multiplications(self) -> int:
        return 9 * self.get_attr("n_in") * self.get_attr("n_out")


class SumPool3x3(_Window):
    """Average pool before it is requantised: sums over windows, from `start` on."""

    function = "riffle_sum3x3"
    _expected_attributes = [Attribute("start", default=0)]


class MaxPool3x3(_Window):
    """Maximum over windows."""

    function = "riffle_maximum3x3"


class GlobalSum(_RiffleLayer):
    """Global average before it is requantised: sum over all pixels, from `start` on."""

    function = "riffle_global_sum"
    _expected_attributes = [*FLOWS, Attribute("start"), ACCUMULATOR]

    def output_shape(self) -> list[int]:
        return [1, 1, self.get_attr("n_out")]


LAYERS = (GroupedPointwiseConv2D, ChannelShuffle, Requantise, Depthwise3x3, Convolution3x3, SumPool3x3, MaxPool3x3,
          GlobalSum)
