"""Train ShuffleNet V1 on the handwritten digits and quantise it: `python -m riffle.zoo.train_digits`.

Needs the [train] extra (PyTorch, scikit-learn). Nothing is chosen by looking at the held-out images: the weights are
those after the last epoch, averaged over the last steps.
"""

from __future__ import annotations

import argparse
import math
import time

import numpy as np

try:
    import sklearn
    import torch
    from sklearn.datasets import load_digits
    from torch import nn
    from torch.nn import functional
except ImportError as error:
    raise ImportError(f"training needs PyTorch and scikit-learn ({error}): pip install 'riffle[train]'") from error

from riffle.graph import float_graph, reference
from riffle.graph.float_graph import FloatNetwork
from riffle.graph.integer_graph import IntegerNetwork
from riffle.graph.layer_spec import LayerSpec
from riffle.graph.quantise import quantise
from riffle.zoo import digits
from riffle.zoo.shufflenet_v1 import Architecture

SEED = 1
ARCHITECTURE = Architecture(groups=3, scale=0.25, image=(28, 28), classes=10, repeats=(4, 4), stem="small")
HELD_OUT_SHARE = 0.2
EPOCHS, BATCH, PEAK_RATE, WEIGHT_DECAY, SMOOTHING = 100, 64, 0.02, 5e-4, 0.1
AVERAGE_DECAY = 0.99  # of the running average of the weights
CALIBRATION_IMAGES = 512


class Model(nn.Module):
    """The layers of an architecture as PyTorch modules, named as they are (with "/" for ".")."""

    def __init__(self, specs: list[LayerSpec]):
        super().__init__()
        self.specs = specs
        self.layers = nn.ModuleDict()
        for s in specs:
            if s.kind == "fully_connected":
                self.layers[_key(s)] = nn.Linear(s.in_channels, s.out_channels)
            elif s.weights:
                convolution = nn.Conv2d(s.in_channels, s.out_channels, s.kernel, s.stride, s.kernel // 2,
                                        groups=s.groups, bias=False)
                self.layers[_key(s)] = nn.Sequential(convolution, nn.BatchNorm2d(s.out_channels))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        tensors = {self.specs[0].input: images}
        for s in self.specs:
            maps = self._layer(s, tensors)
            if s.output in tensors:  # the other half of a concatenation
                parts = (maps, tensors[s.output]) if s.out_channel == 0 else (tensors[s.output], maps)
                maps = torch.cat(parts, 1)
            tensors[s.output] = maps
        return tensors[self.specs[-1].output]

    def _layer(self, s: LayerSpec, tensors: dict[str, torch.Tensor]) -> torch.Tensor:
        maps = tensors[s.input]
        if s.kind == "average_pool":
            return functional.avg_pool2d(maps, 3, 2, 1)
        if s.kind == "max_pool":
            return functional.max_pool2d(maps, 3, 2, 1)
        if s.kind == "global_average":
            return maps.mean((2, 3))
        maps = self.layers[_key(s)](maps)
        if s.residual:
            maps = maps + tensors[s.residual]
        maps = functional.relu(maps) if s.relu else maps
        if s.shuffle:
            order = np.argsort(s.shuffle.positions(s.out_channels))
            maps = maps[:, torch.from_numpy(order)]
        return maps

    def parameters_by_name(self) -> dict[str, np.ndarray]:
        """As `FloatNetwork` wants them."""
        result = {}
        for key, module in self.layers.items():
            linear, norm = (module, None) if isinstance(module, nn.Linear) else module
            values = {"weight": linear.weight}
            if norm is None:
                values["bias"] = linear.bias
            else:
                values |= {"gamma": norm.weight, "beta": norm.bias, "mean": norm.running_mean,
                           "variance": norm.running_var}
            for name, value in values.items():
                result[f"{key.replace('/', '.')}.{name}"] = value.detach().numpy().astype(np.float32)
        return result


def split(labels: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices for training and held out: a fifth of each class is held out."""
    rng = np.random.default_rng(seed)
    held = [rng.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
    held = np.sort(np.concatenate([h[:round(len(h) * HELD_OUT_SHARE)] for h in held]))
    return np.setdiff1d(np.arange(len(labels)), held), held


def augment(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Turn, scale, shear and shift each image a little: float [N][1][H][W]."""
    draw = torch.rand(len(images), 5, generator=generator) * 2 - 1
    angle, shear = draw[:, 0] * math.radians(12), draw[:, 1] * 0.15
    scale = 1 + draw[:, 2] * 0.1
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    rows = torch.stack([cos, -sin + shear, draw[:, 3] * 0.1, sin, cos, draw[:, 4] * 0.1], 1).reshape(-1, 2, 3)
    grid = functional.affine_grid(rows, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, align_corners=False)


def train(images: np.ndarray, labels: np.ndarray, seed: int, epochs: int) -> FloatNetwork:
    """Train on uint8 [N][28][28]."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    model = Model(ARCHITECTURE.layers())
    average = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(AVERAGE_DECAY), use_buffers=True)
    optimiser = torch.optim.AdamW(model.parameters(), PEAK_RATE, weight_decay=WEIGHT_DECAY)
    steps = -(-len(images) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK_RATE, epochs=epochs, steps_per_epoch=steps)
    x = torch.from_numpy(images).float()[:, None] * float_graph.PIXEL_SCALE
    y = torch.from_numpy(labels).long()
    for epoch in range(epochs):
        start, losses = time.perf_counter(), []
        for batch in torch.randperm(len(x), generator=generator).split(BATCH):
            scores = model(augment(x[batch], generator).expand(-1, 3, -1, -1))
            loss = functional.cross_entropy(scores, y[batch], label_smoothing=SMOOTHING)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            average.update_parameters(model)
            losses.append(loss.item())
        seconds = time.perf_counter() - start
        print(f"epoch {epoch + 1}/{epochs}: loss {np.mean(losses):.4f}, {seconds:.1f} s", flush=True)
    return FloatNetwork(ARCHITECTURE.name, ARCHITECTURE.layers(), average.module.parameters_by_name(),
                        [str(n) for n in range(10)])


def float_accuracy(network: FloatNetwork, images: np.ndarray, labels: np.ndarray) -> float:
    """Share of images classified right by the float network (NumPy)."""
    specs = network.layers
    scores = float_graph.run(specs, float_graph.fold(network), images)[specs[-1].output]
    return float((scores.reshape(len(images), -1).argmax(1) == labels).mean())


def integer_accuracy(network: IntegerNetwork, images: np.ndarray, labels: np.ndarray) -> float:
    """Share of images classified right by the reference."""
    right = [reference.run(network, image)[network.output].argmax() == label
             for image, label in zip(images, labels, strict=True)]
    return float(np.mean(right))


def main() -> None:
    """Split, train, quantise, measure, write the three files of `riffle.zoo.digits`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # the layers are too small for more, and one thread repeats exactly
    torch.use_deterministic_algorithms(True)
    data = load_digits()
    small, labels = data.images.astype(np.uint8), data.target.astype(np.uint8)
    training, held = split(labels, arguments.seed)
    images = digits.enlarge(small)
    network = train(images[training], labels[training], arguments.seed, arguments.epochs)
    network.metadata = {
        "data": "scikit-learn load_digits", "seed": arguments.seed, "epochs": arguments.epochs,
        "training_images": len(training), "held_out_images": len(held),
        "float_accuracy": float_accuracy(network, images[held], labels[held]),
        "versions": {"torch": torch.__version__, "scikit-learn": sklearn.__version__, "numpy": np.__version__},
    }
    quantised = quantise(network, images[training][:CALIBRATION_IMAGES])
    accuracy = integer_accuracy(quantised, images[held], labels[held])
    quantised.metadata = {**network.metadata, "integer_accuracy": accuracy, **quantised.metadata}
    digits.DATA.mkdir(exist_ok=True)
    network.save(digits.FLOAT)
    quantised.save(digits.NETWORK)
    np.savez_compressed(digits.HELD_OUT, images=small[held], labels=labels[held])
    print(f"held-out accuracy: float {network.metadata['float_accuracy']:.2%}, INT8 {accuracy:.2%} "
          f"({len(held)} images); wrote {digits.NETWORK}")


def _key(spec: LayerSpec) -> str:
    return spec.name.replace(".", "/")


if __name__ == "__main__":
    main()
