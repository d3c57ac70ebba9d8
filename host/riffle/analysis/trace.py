"""A run as a Chrome trace (chrome://tracing, ui.perfetto.dev): descriptors, layers, and what the array does."""

from __future__ import annotations

from riffle.analysis.profile import Account, Entry

PROCESS = 1
DESCRIPTORS, LAYERS = 1, 2  # threads


def trace(account: Account, clock_hz: float) -> dict:
    """Trace events in the JSON object format; a cycle is 1/clock_hz seconds long, times are microseconds."""
    scale = 1e6 / clock_hz
    names = {DESCRIPTORS: "descriptors", LAYERS: "layers"}
    events: list[dict] = [{"ph": "M", "pid": PROCESS, "name": "process_name", "args": {"name": account.name}}]
    events += [{"ph": "M", "pid": PROCESS, "tid": tid, "name": "thread_name", "args": {"name": name}}
               for tid, name in names.items()]
    for index, e in enumerate(account.descriptors):
        events.append(slice_of(e, DESCRIPTORS, f"{index} {e.layer}", e.cycles, scale, account.peak))
        events.append({"ph": "C", "pid": PROCESS, "ts": e.begin * scale, "name": "array used, percent",
                       "args": {"percent": round(100 * e.macs / (account.peak * e.cycles), 1)}})
        events.append({"ph": "C", "pid": PROCESS, "ts": e.begin * scale, "name": "waiting for weights, percent",
                       "args": {"percent": round(100 * e.starved / e.cycles, 1)}})
    for first, entries in runs(account.descriptors):
        cycles = sum(e.cycles for e in entries)
        events.append(slice_of(first, LAYERS, first.layer, cycles, scale, account.peak))
    return {"traceEvents": events, "displayTimeUnit": "ns",
            "otherData": {"clock_hz": clock_hz, "cycles": account.cycles, "source": account.what}}


def slice_of(e: Entry, thread: int, name: str, cycles: int, scale: float, peak: int) -> dict:
    """A complete event."""
    args = {"kind": e.kind, "cycles": cycles}
    if thread == DESCRIPTORS:
        args |= {"predicted": e.predicted, "macs": e.macs, "array_used": round(e.macs / (peak * e.cycles), 4),
                 "starved": e.starved, "weight_bytes": e.stream_bytes}
    return {"ph": "X", "pid": PROCESS, "tid": thread, "ts": e.begin * scale, "dur": cycles * scale, "name": name,
            "cat": e.kind, "args": args}


def runs(entries: list[Entry]) -> list[tuple[Entry, list[Entry]]]:
    """Descriptors of one layer that follow each other, with the first of them."""
    result: list[tuple[Entry, list[Entry]]] = []
    for e in entries:
        if result and result[-1][0].layer == e.layer:
            result[-1][1].append(e)
        else:
            result.append((e, [e]))
    return result
