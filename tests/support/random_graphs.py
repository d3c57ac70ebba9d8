"""Random networks that are legal: any graph of layers that the contract allows and descriptors can do.

Chains and branches, several readers of a tensor, residuals, concatenations plain and interleaved, every shuffle, every
zero point, odd channel counts, pools, and ends of every kind. Biases and multipliers are set from what an image makes
the layer do, so that values spread over int8 at any depth.
"""

import numpy as np

from riffle.graph import reference
from riffle.graph.bounds import ACCUMULATOR_LIMIT, multiplier_and_shift
from riffle.graph.integer_graph import (
    Convolution,
    FullyConnected,
    GlobalAverage,
    IntegerNetwork,
    MaxPool,
    Shuffle,
    Tensor,
)

CHANNELS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 15, 16, 20, 24, 28, 33, 40)
WORDS = 96  # that a tensor takes at most
UNUSED = 1 << 16  # a step that no position depends on may be anything below


def divisors(*numbers):
    """All numbers that divide each of these."""
    return [d for d in range(1, min(numbers) + 1) if not any(n % d for n in numbers)]


def interleaved(rng, parts, chunk, count):
    """Shuffles and first channels of `parts` layers of `count` channels that take turns after each `chunk` channels."""
    step = parts * chunk
    if chunk == 1 and rng.integers(2):
        shuffle = Shuffle(int(rng.integers(count, 2 * count + 2)), step, int(rng.integers(UNUSED)))
    elif chunk == 1:
        shuffle = Shuffle(1, int(rng.integers(UNUSED)), step)
    else:
        shuffle = Shuffle(chunk, 1, step)
    return [(count, shuffle, part * chunk) for part in range(parts)]


class Graph:
    """A network that grows; each method adds layers and returns the name of the tensor that they complete.

    Attributes
    ----------
    readable
        tensors that may be read: complete, and nothing has been added onto them
    memory
        by tensor the one that it was added onto, or itself: they share memory
    """

    def __init__(self, rng, rows, columns, log2s):
        self.rng, self.rows, self.columns = rng, rows, columns
        channels = int(rng.choice([c for c in CHANNELS if c <= self.most(log2s)]))
        image = Tensor(channels, rows << log2s, columns << log2s, self.zero_point())
        self.tensors, self.layers = {"image": image}, []
        self.values = {"image": rng.integers(-128, 128, (channels, image.height, image.width), np.int8)}
        self.readable, self.memory = ["image"], {"image": "image"}

    def network(self):
        classes = self.tensors[self.layers[-1].output].channels if isinstance(self.layers[-1], FullyConnected) else 0
        names = [f"class {i}" for i in range(classes)] if self.rng.integers(2) else []
        return IntegerNetwork("random", "image", self.tensors, self.layers, names)

    @staticmethod
    def most(log2s):
        return max(4, 4 * WORDS >> 2 * max(log2s, 0))

    def zero_point(self):
        return int(self.rng.choice([-128, 127, 0, *self.rng.integers(-128, 128, 3)]))

    def chance(self, percent):
        return bool(self.rng.integers(100) < percent)

    def log2s(self, name):
        """log2 of the phases per axis; of a vector -1."""
        t = self.tensors[name]
        return (min(t.height // self.rows, t.width // self.columns)).bit_length() - 1

    def pick(self, log2s=None):
        """A tensor to read, rather a late one; `log2s` may be a list."""
        names = [n for n in self.readable if log2s is None or self.log2s(n) in log2s]
        return names[-1 - min(int(self.rng.geometric(0.5)) - 1, len(names) - 1)] if names else None

    def count(self, log2s):
        return int(self.rng.choice([c for c in CHANNELS if c <= self.most(log2s)]))

    def shuffle(self, channels):
        """A permutation of a layer's channels."""
        choice, groups = int(self.rng.integers(5)), int(self.rng.choice(divisors(channels)))
        if choice == 0:
            return Shuffle.paper(channels, groups)
        if choice == 1:
            return Shuffle.inverse(channels, groups)
        if choice == 2:  # the identity, written in some way
            return Shuffle(groups, 1, groups)
        return None

    # ---------------------------------------------------------------------------------------------------------------

    def add(self, layer):
        self.layers.append(layer)
        reference.execute(layer, self.tensors, self.values)

    def declare(self, name, channels, log2s, zero_point=None):
        size = (1, 1) if log2s < 0 else (self.rows << log2s, self.columns << log2s)
        self.tensors[name] = Tensor(channels, *size, self.zero_point() if zero_point is None else zero_point)
        self.memory[name] = name

    def convolution(self, source, outputs, kernel=1, groups=1, stride=1, output=None, shuffle=None, residual=None,
                    out_channel=0, kind="convolution"):
        """One layer; without `output` it makes a tensor of its own."""
        rng, t, name = self.rng, self.tensors[source], f"layer{len(self.layers)}"
        if output is None:
            output = name
            self.declare(name, outputs, self.log2s(source) - (stride == 2),
                         self.tensors[residual].zero_point if residual else None)
        inputs = t.channels // groups
        largest = min(127, int(0.7 * ACCUMULATOR_LIMIT / (128 * inputs * kernel**2)))
        weight = rng.integers(-largest, largest + 1, (outputs, inputs, kernel, kernel)).astype(np.int8)
        weight[rng.random(outputs) < 0.05] = 0
        if kind == "average_pool":
            weight[:] = 1
        total = reference.convolution(self.values[source], weight, np.zeros(outputs, np.int64), groups, stride,
                                      t.zero_point)
        aim = 0 if residual else rng.integers(-60, 61, outputs) - self.tensors[output].zero_point
        factor = np.minimum(rng.uniform(20, 60, outputs) / np.maximum(total.std((1, 2)), 1), 1.99)
        bias = (aim / factor - total.mean((1, 2))).round().clip(-3e6, 3e6).astype(np.int32)
        multiplier, shift = np.array([multiplier_and_shift(f) for f in factor], np.int32).T
        less = rng.integers(0, 5, outputs).clip(0, shift - 16)
        self.add(Convolution(name, source, output, weight, bias, multiplier >> less, shift - less, groups, stride,
                             shuffle, residual, out_channel, kind))
        return output

    def layer(self, source, outputs, log2s, **where):
        """Any convolution of a tensor to so many channels of a map of that size."""
        inputs, stride = self.tensors[source].channels, 1 + (self.log2s(source) > log2s)
        if log2s >= 0 and inputs == outputs and self.chance(60):
            average = self.chance(60 if stride == 2 else 20) and not where.get("residual")
            return self.convolution(source, outputs, 3, inputs, stride, kind="average_pool" if average else
                                    "convolution", **where)
        kernel = 3 if log2s >= 0 and self.chance(40) else 1
        groups = int(self.rng.choice(divisors(inputs, outputs)))
        return self.convolution(source, outputs, kernel, groups, stride, **where)

    def branch(self, source, outputs, log2s, **where):
        """The same, perhaps behind a pointwise convolution, or that and a depthwise one, which may be fused."""
        if self.chance(50):
            middle = outputs if self.chance(50) else self.count(self.log2s(source))
            groups = int(self.rng.choice(divisors(self.tensors[source].channels, middle)))
            source = self.convolution(source, middle, 3 if self.log2s(source) >= 0 and self.chance(20) else 1, groups,
                                      shuffle=self.shuffle(middle))
            self.offer(source, 30)
            if self.log2s(source) >= 0 and self.chance(50):
                stride = 1 + (self.log2s(source) > log2s and self.chance(70))
                source = self.convolution(source, middle, 3, middle, stride, shuffle=self.shuffle(middle))
                self.offer(source, 30)
        return self.layer(source, outputs, log2s, **where)

    def offer(self, name, percent=100):
        """Let later layers read a tensor."""
        if self.chance(percent):
            self.readable.append(name)

    # ---------------------------------------------------------------------------------------------------------------

    def plain(self):
        source = self.pick()
        log2s = self.log2s(source)
        log2s -= log2s > 0 and self.chance(30)
        outputs = self.tensors[source].channels if self.chance(30) else self.count(log2s)
        self.offer(self.branch(source, outputs, log2s, shuffle=self.shuffle(outputs)))

    def unit(self):
        """As ShuffleNet V1 and V2 have them with stride 2: a wide branch and the pooled input, perhaps in turns."""
        source, rng = self.pick(range(1, 9)), self.rng
        if source is None:
            return
        pooled, log2s = self.tensors[source].channels, self.log2s(source) - 1
        turns = self.chance(50)
        made = pooled if turns else self.count(log2s)
        middle = max(self.count(log2s) for _ in range(3))
        groups = int(rng.choice(divisors(pooled, middle)))
        name = self.convolution(source, middle, 1, groups, shuffle=self.shuffle(middle))
        name = self.convolution(name, middle, 3, middle, 2, shuffle=None if self.layers[-1].shuffle else
                                self.shuffle(middle))
        output = f"sum{len(self.layers)}"
        self.declare(output, pooled + made, log2s)
        places = interleaved(rng, 2, 1, made) if turns else [(pooled, None, made), (made, self.shuffle(made), 0)]
        (_, first, at), (_, second, begin) = places
        self.convolution(name, made, groups=int(rng.choice(divisors(middle, made))), output=output, shuffle=second,
                         out_channel=begin)
        self.convolution(source, pooled, 3, pooled, 2, output, first, out_channel=at, kind="average_pool")
        if self.chance(70):
            self.readable.remove(source)  # so that the pool is the last to read it
        self.offer(output)

    def max_pool(self):
        source = self.pick(range(1, 9))
        if source is None:
            return
        if self.chance(60):
            source = self.convolution(source, self.count(self.log2s(source)), int(self.rng.choice([1, 3])))
        t, name = self.tensors[source], f"layer{len(self.layers)}"
        self.declare(name, t.channels, self.log2s(source) - 1, t.zero_point)
        self.add(MaxPool(name, source, name))
        self.offer(name)

    def concatenation(self):
        """Parts in any order of layers and channels, one after the other or interleaved."""
        log2s = self.log2s(self.pick())
        log2s -= log2s > 0 and self.chance(50)
        sizes = [log2s] if log2s < 0 else [log2s, log2s + 1]
        if self.pick(sizes) is None:
            return
        parts, rng = int(rng_choice(self.rng, (2, 2, 3))), self.rng
        style = int(rng.integers(3))
        pooled = self.tensors[self.pick(sizes)].channels  # so that one part may be a depthwise convolution or a pool
        equal = pooled if pooled * parts <= self.most(log2s) else max(1, self.most(log2s) // parts)
        if style == 0:
            places = interleaved(rng, parts, int(rng.choice(divisors(equal))), equal)
        else:
            counts = [equal, *(self.count(log2s) for _ in range(parts - 1))]
            counts = [counts[i] for i in rng.permutation(parts)]
            places = [(n, self.shuffle(n), sum(counts[:i])) for i, n in enumerate(counts)]
        if style == 2 and sum(n for n, _, _ in places) * 2 <= self.most(log2s):  # two that alternate, and others
            first = sum(n for n, _, _ in places)
            places += [(n, shuffle, first + at) for n, shuffle, at in interleaved(rng, 2, 1, first // 2 or 1)]
        output = f"sum{len(self.layers)}"
        self.declare(output, sum(n for n, _, _ in places), log2s)
        for i in rng.permutation(len(places)):
            n, shuffle, at = places[i]
            self.branch(self.pick(sizes), n, log2s, output=output, shuffle=shuffle, out_channel=at)
        self.offer(output)

    def residual(self):
        """Onto a tensor, which nobody may read any more."""
        onto = self.pick()
        others = [n for n in self.readable if self.memory[n] != self.memory[onto]
                  and 0 <= self.log2s(n) - self.log2s(onto) <= (self.log2s(onto) >= 0)]
        t, log2s = self.tensors[onto], self.log2s(onto)
        source = str(self.rng.choice(others)) if others and self.chance(40) else self.convolution(
            onto, t.channels if self.chance(50) else self.count(log2s))
        output = self.branch(source, t.channels, log2s, residual=onto)
        self.memory[output] = self.memory[onto]
        self.readable.remove(onto)
        self.offer(output)

    def average(self):
        source = self.pick(range(9))
        if source is None:
            return None
        t, name = self.tensors[source], f"layer{len(self.layers)}"
        self.declare(name, t.channels, -1)
        total = self.values[source].astype(np.int64).sum((1, 2))
        multiplier, shift = multiplier_and_shift(min(50 / max(total.std(), 25.2), 1.99))
        bias = -self.tensors[name].zero_point * 2**shift / max(multiplier, 1) - total.mean()
        self.add(GlobalAverage(name, source, name, int(np.clip(bias, -3e6, 3e6)), multiplier, shift))
        self.offer(name)
        return name

    def end(self):
        """A map, a vector, scores of a vector, or those of something behind it."""
        name = self.average() if self.chance(80) else None
        if name and self.chance(20):
            name = self.convolution(name, self.count(0))
        if name and self.chance(85):
            self.classifier(name)

    def classifier(self, source):
        rng, name = self.rng, f"layer{len(self.layers)}"
        outputs, inputs = int(rng.integers(1, 30)), self.tensors[source].channels
        self.tensors[name] = Tensor(outputs, 1, 1)
        self.add(FullyConnected(name, source, name, rng.integers(-127, 128, (outputs, inputs), np.int8),
                                rng.integers(-99999, 99999, outputs).astype(np.int32)))


def rng_choice(rng, values):
    return values[int(rng.integers(len(values)))]


def random_graph(rng, rows=2, columns=3):
    """A network, and the image that its parameters were set by, int8 [C][H][W]."""
    g = Graph(rng, rows, columns, int(rng.choice([0, 1, 1, 2, 2, 3])))
    steps = 3 * (g.plain, g.plain, g.concatenation, g.concatenation, g.residual, g.residual, g.max_pool, g.unit)
    for _ in range(int(rng.integers(1, 8))):
        rng_choice(rng, (*steps, g.average))()
    g.end()
    if not g.layers:
        g.plain()
    return g.network(), g.values["image"]

