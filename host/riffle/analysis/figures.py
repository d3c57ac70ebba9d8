"""Pictures for the notebooks. Needs matplotlib."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib import pyplot
from matplotlib.figure import Figure

from riffle.analysis.profile import PORT_BYTES
from riffle.driver.accelerator import Accelerator
from riffle.isa import spec

RIGHT, WRONG, ARRAY, REST, STALL = "#2a7f3f", "#c0392b", "#2b6ca3", "#c9d6e2", "#e08e2b"
GROUPS = ("#2b6ca3", "#e08e2b", "#2a7f3f", "#8e44ad", "#7f8c8d", "#c0392b", "#16a085", "#34495e")


def digits(images: np.ndarray, labels: Sequence[str], truths: Sequence[str], columns: int = 10) -> Figure:
    """Images, uint8 [N][H][W], with what the hardware says; red where it errs."""
    rows = -(-len(images) // columns)
    figure, axes = pyplot.subplots(rows, columns, figsize=(columns, 1.25 * rows), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, image, label, truth in zip(axes.flat, images, labels, truths, strict=False):
        axis.imshow(image, cmap="gray")
        axis.set_title(label, fontsize=11, color=RIGHT if label == truth else WRONG)
    figure.tight_layout()
    return figure


def shuffle(before: np.ndarray, after: np.ndarray) -> Figure:
    """Where channels lie before and after a shuffle: groups, int [C] each, as colours, and the lines between."""
    count = len(before)
    figure, axis = pyplot.subplots(figsize=(9, 2.4))
    for y, groups in ((1, before), (0, after)):
        axis.scatter(np.arange(count), np.full(count, y), c=[GROUPS[g % len(GROUPS)] for g in groups], s=160, zorder=2)
    places = {g: list(np.flatnonzero(after == g)) for g in set(before.tolist())}
    for channel, group in enumerate(before.tolist()):
        axis.plot([channel, places[group].pop(0)], [1, 0], color=GROUPS[group % len(GROUPS)], lw=1.2, zorder=1)
    axis.set_yticks([1, 0], ["computed", "written"])
    axis.set_xlabel("channel position")
    axis.spines[:].set_visible(False)
    figure.tight_layout()
    return figure


def matrices(pictures: dict[str, np.ndarray], xlabel: str, ylabel: str) -> Figure:
    """Matrices of 0 and 1 beside each other, each with its title."""
    figure, axes = pyplot.subplots(1, len(pictures), figsize=(3.6 * len(pictures), 3.4), squeeze=False)
    for axis, (title, matrix) in zip(axes.flat, pictures.items(), strict=True):
        axis.imshow(matrix, cmap="Blues", interpolation="nearest", vmin=0, vmax=1)
        axis.set(title=title, xlabel=xlabel, ylabel=ylabel)
    figure.tight_layout()
    return figure


def phases(image: np.ndarray, words: np.ndarray) -> Figure:
    """An image, [H][W], and the memory words that hold it, [phases][rows][columns]."""
    side = round(len(words) ** 0.5)
    figure = pyplot.figure(figsize=(9, 4.4))
    left, right = figure.subfigures(1, 2)
    axis = left.subplots()
    axis.imshow(image, cmap="gray")
    axis.set_title(f"{image.shape[0]} x {image.shape[1]} pixels")
    axis.set_xticks(np.arange(-0.5, image.shape[1], side), [])
    axis.set_yticks(np.arange(-0.5, image.shape[0], side), [])
    axis.grid(color=STALL, lw=0.4)
    for number, axis in enumerate(right.subplots(side, side, gridspec_kw={"hspace": 0.5}).flat):
        axis.imshow(words[number], cmap="gray", vmin=words.min(), vmax=words.max())
        axis.set_title(f"phase {number}", fontsize=8)
        axis.axis("off")
    return figure


def timeline(log: Sequence[tuple[str, dict[str, int]]]) -> Figure:
    """One bar for each descriptor of a run: when it ran, how long the array was fed, how long weights were late."""
    figure, axis = pyplot.subplots(figsize=(9, 0.5 + 0.32 * len(log)))
    begin = 0
    for row, (_, entry) in enumerate(log):
        axis.barh(row, entry["CYCLES"], left=begin, color=REST)
        axis.barh(row, entry["BUSY"], left=begin, color=ARRAY)
        axis.barh(row, entry["STARVED"], left=begin + entry["BUSY"], color=STALL)
        begin += entry["CYCLES"]
    axis.set_yticks(range(len(log)), [layer for layer, _ in log], fontsize=8)
    axis.invert_yaxis()
    axis.set_xlabel("cycles (dark: array fed; orange: weights late; light: filling and emptying)")
    figure.tight_layout()
    return figure


def layers(accelerator: Accelerator) -> dict[str, dict[str, int]]:
    """Cycles, multiply-accumulates and bytes of weights of each layer in the last run."""
    table: dict[str, dict[str, int]] = {}
    for record, (layer, entry) in zip(accelerator.program.records, accelerator.layer_cycles(), strict=True):
        row = table.setdefault(layer, {"cycles": 0, "macs": 0, "bytes": 0})
        row["cycles"] += entry["CYCLES"]
        row["macs"] += record.macs
        row["bytes"] += record.stream_words * spec.STREAM_BYTES
    return table


def bars(table: dict[str, dict[str, int]], peak: int) -> Figure:
    """Cycles of each layer; dark what they would be with all multipliers busy."""
    figure, axis = pyplot.subplots(figsize=(9, 0.6 + 0.2 * len(table)))
    names = list(table)
    axis.barh(names, [row["cycles"] for row in table.values()], color=REST)
    axis.barh(names, [row["macs"] / peak for row in table.values()], color=ARRAY)
    axis.tick_params(axis="y", labelsize=7)
    axis.invert_yaxis()
    axis.set_xlabel("cycles (dark: with all multipliers busy)")
    figure.tight_layout()
    return figure


def roofline(table: dict[str, dict[str, int]], peak: int) -> Figure:
    """What each layer reaches, against what multipliers and the memory port allow."""
    figure, axis = pyplot.subplots(figsize=(7, 4))
    rows = [row for row in table.values() if row["macs"] and row["bytes"]]
    axis.loglog([row["macs"] / row["bytes"] for row in rows], [row["macs"] / row["cycles"] for row in rows], "o",
                color=ARRAY, alpha=0.7)
    intensity = np.geomspace(0.5, 2000, 100)
    axis.loglog(intensity, np.minimum(peak, intensity * PORT_BYTES), color=STALL)
    axis.set(xlabel="multiply-accumulates per byte of weights", ylabel="multiply-accumulates per cycle")
    axis.set_title(f"at most {peak} a cycle, and {PORT_BYTES} bytes from memory", fontsize=10)
    figure.tight_layout()
    return figure
