"""Integer networks with random weights for tests of the compiler, with results that spread over the int8 range."""

import numpy as np

from riffle.graph.integer_graph import (
    Convolution,
    FullyConnected,
    GlobalAverage,
    IntegerNetwork,
    MaxPool,
    Shuffle,
    Tensor,
)


class Builder:
    """Layers one after the other; each method returns the name of the tensor it writes."""

    def __init__(self, rng, channels, height, width, zero_point=-128):
        self.rng, self.layers, self.input = rng, [], "image"
        self.tensors = {"image": Tensor(channels, height, width, zero_point)}

    def network(self, classes=()):
        return IntegerNetwork("sample", self.input, self.tensors, self.layers, list(classes))

    def convolution(self, source, outputs, kernel=1, groups=1, stride=1, shuffle=None, residual=None, name=None,
                    output=None, channels=None, out_channel=0, kind="convolution"):
        rng, t, name = self.rng, self.tensors[source], name or f"conv{len(self.layers)}"
        inputs = t.channels // groups
        weight = rng.integers(-127, 128, (outputs, inputs, kernel, kernel), np.int8)
        if kind == "average_pool":
            weight[:] = 1
        spread = np.sqrt(inputs * kernel**2) * (1 if kind == "average_pool" else 73) * 73
        shift = rng.integers(16, 32, outputs)
        multiplier = np.clip(2.0**shift * 60 / spread, 0, 2**17 - 1).astype(np.int32)
        bias = rng.integers(-int(spread) - 1, int(spread) + 1, outputs).astype(np.int32)
        output = output or name
        if output not in self.tensors:
            zero_point = self.tensors[residual].zero_point if residual else int(rng.integers(-128, 100))
            size = -(-t.height // stride), -(-t.width // stride)
            self.tensors[output] = Tensor(channels or outputs, *size, zero_point)
        self.layers.append(Convolution(name, source, output, weight, bias, multiplier, shift.astype(np.int32), groups,
                                       stride, shuffle, residual, out_channel, kind))
        return output

    def max_pool(self, source):
        t, name = self.tensors[source], f"pool{len(self.layers)}"
        self.tensors[name] = Tensor(t.channels, t.height // 2, t.width // 2, t.zero_point)
        self.layers.append(MaxPool(name, source, name))
        return name

    def residual_unit(self, source, groups, bottleneck, style="paper"):
        channels, n = self.tensors[source].channels, len(self.layers)
        shuffle = getattr(Shuffle, style)(bottleneck, groups) if groups > 1 else None
        a = self.convolution(source, bottleneck, groups=groups, shuffle=shuffle, name=f"{n}.a")
        b = self.convolution(a, bottleneck, 3, groups=bottleneck, name=f"{n}.b")
        return self.convolution(b, channels, groups=groups, residual=source, name=f"{n}.c")

    def stride2_unit(self, source, groups, bottleneck, outputs, first_groups=None, style="paper", pool_first=True,
                     pool_listed_first=True):
        channels, n = self.tensors[source].channels, len(self.layers)
        made, first_groups = outputs - channels, first_groups or groups
        shuffle = getattr(Shuffle, style)(bottleneck, groups) if groups > 1 else None
        pool_at, made_at = (0, channels) if pool_first else (made, 0)
        output = f"{n}.out"

        def pool():
            self.convolution(source, channels, 3, channels, 2, name=f"{n}.pool", output=output, channels=outputs,
                             out_channel=pool_at, kind="average_pool")
        if pool_listed_first:
            pool()
        a = self.convolution(source, bottleneck, groups=first_groups, shuffle=shuffle, name=f"{n}.a")
        b = self.convolution(a, bottleneck, 3, bottleneck, 2, name=f"{n}.b")
        self.convolution(b, made, groups=groups, name=f"{n}.c", output=output, channels=outputs, out_channel=made_at)
        if not pool_listed_first:
            pool()
        return output

    def head(self, source, classes):
        t, rng = self.tensors[source], self.rng
        pixels = t.height * t.width
        self.tensors["vector"] = Tensor(t.channels, 1, 1, int(rng.integers(-30, 30)))
        self.layers.append(GlobalAverage("average", source, "vector", int(rng.integers(-99, 99)),
                                         min(2**17 - 1, 2**18 // pixels), 17))
        self.tensors["logits"] = Tensor(classes, 1, 1)
        weight = rng.integers(-127, 128, (classes, t.channels), np.int8)
        self.layers.append(FullyConnected("fc", "vector", "logits", weight, rng.integers(-9999, 9999, classes)))
        return "logits"


def shufflenet(rng, groups, scale=1.0, classes=1000, size=224, pool_first=True, style="paper"):
    """ShuffleNet V1 as the paper has it, with random weights."""
    widths = {1: 144, 2: 200, 3: 240, 4: 272, 8: 384}
    b = Builder(rng, 3, *(size if isinstance(size, tuple) else (size, size)))
    t = b.max_pool(b.convolution("image", int(24 * scale), 3, stride=2))
    for stage, repeat in enumerate((3, 7, 3)):
        outputs = int(widths[groups] * scale) << stage
        t = b.stride2_unit(t, groups, outputs // 4, outputs, 1 if stage == 0 else groups, style, pool_first)
        for _ in range(repeat):
            t = b.residual_unit(t, groups, outputs // 4, style)
    b.head(t, classes)
    return b.network()
