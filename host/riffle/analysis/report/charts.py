"""The pictures of the report, as SVG text: timeline, roofline, bars."""

from __future__ import annotations

from html import escape
from math import log10

from riffle.analysis.profile import PORT_BYTES, Account, Entry, stages
from riffle.isa.cost import LAUNCH

KINDS = {"3x3 convolution": "k-conv", "pointwise convolution": "k-point", "depthwise convolution": "k-depth",
         "average pool": "k-pool", "max pool": "k-max", "global average": "k-mean", "fully connected": "k-fc"}
PARTS = {"p-full": "all multipliers", "p-part": "some multipliers", "p-read": "reads of residuals",
         "p-wait": "waiting for weights", "p-gap": "between descriptors"}
WIDTH = 960  # of a picture, in its own units


def timeline(account: Account) -> str:
    """Every descriptor in its time: a band in the colour of its kind, above it how much of the array works."""
    total, height = sum(e.cycles for e in account.descriptors), 150
    scale = WIDTH / total
    marks, bands, fills, waits = [], [], [], []
    for name, begin, end in stages(account.descriptors):
        x, width = begin * scale, (end - begin) * scale
        marks.append(f'<line class="grid" x1="{x:.2f}" x2="{x:.2f}" y1="14" y2="{height}"/>')
        if width > 44:
            marks.append(f'<text x="{x + 4:.2f}" y="11">{escape(name)}</text>')
    for e in account.descriptors:
        x, width, used = e.begin * scale, max(e.cycles * scale, 0.4), used_of(e, account.peak)
        tip = f' data-tip="{tip_of(e, account.peak)}"'
        fills.append(f'<rect class="{KINDS[e.kind]} soft" x="{x:.2f}" width="{width:.2f}" y="{110 - 86 * used:.1f}" '
                     f'height="{86 * used:.1f}"{tip}/>')
        bands.append(f'<rect class="{KINDS[e.kind]}" x="{x:.2f}" width="{width:.2f}" y="112" height="18"{tip}/>')
        if e.starved:
            waits.append(f'<rect class="p-wait" x="{x:.2f}" width="{max(e.starved * scale, 0.8):.2f}" y="133" '
                         f'height="5"{tip}/>')
    ticks = "".join(f'<text class="dim" x="{c * scale:.1f}" y="{height}">{c // 1000:,} k</text>'
                    for c in range(0, int(0.95 * total), step_for(total)))
    return svg(height + 4, "".join([*marks, *fills, *bands, *waits, ticks]), "timeline")


def roofline(account: Account) -> str:
    """Multiply-accumulates a cycle against those for each byte from memory; a dot is a layer, its area its cycles."""
    height, left, bottom = 330, 44, 292
    dots = [e for e in account.layers() if e.macs and e.stream_bytes]
    low, high = -1.0, 3.6  # powers of ten on x
    top = log10(account.peak) + 0.25

    def x(value: float) -> float:
        return left + (log10(value) - low) / (high - low) * (WIDTH - left - 10)

    def y(value: float) -> float:
        return bottom - log10(value) / top * (bottom - 12)

    ridge = account.peak / PORT_BYTES
    parts = [f'<line class="grid" x1="{x(10.0**p):.1f}" x2="{x(10.0**p):.1f}" y1="12" y2="{bottom}"/>'
             f'<text class="dim mid" x="{x(10.0**p):.1f}" y="{bottom + 16}">{10.0**p:g}</text>' for p in range(-1, 4)]
    parts += [f'<line class="grid" x1="{left}" x2="{WIDTH - 10}" y1="{y(10.0**p):.1f}" y2="{y(10.0**p):.1f}"/>'
              f'<text class="dim end" x="{left - 6}" y="{y(10.0**p) + 4:.1f}">{10**p}</text>' for p in range(3)]
    parts.append(f'<path class="roof" d="M{x(1 / PORT_BYTES):.1f},{y(1):.1f} L{x(ridge):.1f},{y(account.peak):.1f} '
                 f'L{WIDTH - 10},{y(account.peak):.1f}"/>')
    parts.append(f'<text class="end" x="{WIDTH - 14}" y="{y(account.peak) - 6:.1f}">{account.peak} a cycle</text>')
    parts.append(f'<text class="end" x="{x(6):.1f}" y="{y(6 * PORT_BYTES) - 10:.1f}">{PORT_BYTES} bytes a cycle</text>')
    for e in sorted(dots, key=lambda e: -e.cycles):
        size = 3 + 26 * (e.cycles / account.cycles) ** 0.5
        at = x(e.macs / bytes_of(account, e)), y(max(e.macs / e.cycles, 1))
        parts.append(f'<circle class="{KINDS[e.kind]} dot" cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="{size:.1f}" '
                     f'data-tip="{tip_of(e, account.peak)}"/>')
    parts.append(f'<text class="dim mid" x="{WIDTH / 2}" y="{height - 4}">multiply-accumulates for each byte read from '
                 'memory</text>')
    return svg(height, "".join(parts), "roofline")


def bars(account: Account) -> str:
    """What the cycles of each layer were spent on."""
    layers, row, left = account.layers(), 17, 190
    longest = sorted(e.cycles for e in layers)[-2:]
    most = min(longest[-1], 2 * longest[0])  # one layer that is much longer than all others is cut off
    counts = {e.layer: sum(d.layer == e.layer for d in account.descriptors) for e in layers}
    out = []
    for i, e in enumerate(layers):
        y, x = i * row, float(left)
        out.append(f'<text class="end" x="{left - 8}" y="{y + 12}">{escape(e.layer)}</text>')
        for part, cycles in parts_of(e, account.peak, counts[e.layer]).items():
            width = min(cycles / most * (WIDTH - left - 80), WIDTH - 80 - x)
            if width > 0:
                out.append(f'<rect class="{part}" x="{x:.2f}" y="{y + 2}" width="{width:.2f}" height="{row - 4}" '
                           f'data-tip="{escape(e.layer)}: {PARTS[part]} {cycles:,.0f} cycles"/>')
            x += width
        out.append(f'<text class="dim" x="{x + 6:.1f}" y="{y + 12}">{"» " * (e.cycles > most)}{e.cycles:,}</text>')
    return svg(len(layers) * row + 4, "".join(out), "bars")


def parts_of(e: Entry, peak: int, descriptors: int) -> dict[str, float]:
    """Cycles of a layer by what they were spent on; they add up to all of them."""
    full, reads = e.macs / peak, float(e.reads - e.busy) if e.macs else 0.0
    gap = float(min(e.drain + LAUNCH * descriptors, e.cycles - e.busy - reads - e.starved))
    return {"p-full": full, "p-part": e.cycles - full - reads - e.starved - gap, "p-read": reads,
            "p-wait": float(e.starved), "p-gap": gap}


def bytes_of(account: Account, e: Entry) -> int:
    """Bytes from memory for a layer: its weights, and the image for the first one."""
    return e.stream_bytes + account.image_bytes * (e.begin == 0)


def used_of(e: Entry, peak: int) -> float:
    return e.macs / (peak * e.cycles)


def tip_of(e: Entry, peak: int) -> str:
    return escape(f"{e.layer}: {e.cycles:,} cycles ({e.predicted:,} predicted), {used_of(e, peak):.0%} of the array, "
                  f"{e.stream_bytes:,} bytes of weights, {e.starved:,} cycles waiting for them")


def step_for(total: int) -> int:
    """A round distance of the ticks of an axis."""
    return next(s * 10**p for p in range(2, 9) for s in (1, 2, 5) if total / (s * 10**p) <= 11)


def svg(height: int, body: str, name: str) -> str:
    return (f'<svg class="{name}" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{name}" '
            f'xmlns="http://www.w3.org/2000/svg">{body}</svg>')
