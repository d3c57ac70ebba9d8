"""The page around the pictures."""

from __future__ import annotations

from html import escape
from importlib import resources
from string import Template

from riffle.analysis.profile import Account
from riffle.analysis.report import charts
from riffle.analysis.timing import Times

NO_BOARD = "No board was used, and that the design closes timing at this clock is not shown."

FOLDER = resources.files(__package__)

COLUMNS = ("layer", "cycles", "predicted", "difference", "of the array", "busy", "starved", "drain", "port reads",
           "port writes", "weight bytes")


def page(account: Account, taken: Times, exact: bool, from_ddr: bool) -> str:
    """The report.

    Parameters
    ----------
    account
        of the run's cycles
    taken
        where the time of an image goes
    exact
        whether its result was the reference's, bit by bit
    from_ddr
        whether the weights were read from memory
    """
    memory = f"Weights are streamed from {account.memory}." if from_ddr else "All weights lie in the weight memory."
    board = NO_BOARD if account.simulated else ""
    kinds = [(css, kind) for kind, css in charts.KINDS.items() if any(e.kind == kind for e in account.descriptors)]
    files = ("style.css", "script.js", "page.html")
    style, script, frame = ((FOLDER / name).read_text(encoding="utf-8") for name in files)
    return Template(frame).substitute(
        name=escape(account.name), style=style, script=script, memory=escape(memory), cards=cards(account, taken),
        what=escape(account.what), board=board,
        exact="the result bit for bit that of NumPy" if exact else "<b>the result NOT that of NumPy</b>",
        kinds=legend(kinds), parts=legend(charts.PARTS.items()), timeline=charts.timeline(account),
        roofline=charts.roofline(account), bars=charts.bars(account), table=table(account),
        rest=f"From the cycle log. {account.rest:,} cycles of the run lie before the first descriptor and behind the "
             "last one; the prediction counts them with the first.")


def cards(account: Account, taken: Times) -> str:
    """What a user gets first, then where it goes."""
    facts = [(taken.about, f"{taken.total_ms:.2f} ms an image, at {taken.clock:.5g} MHz"),
             (f"{taken.engine_ms:.2f} ms", f"engine: {account.cycles:,} cycles ({account.predicted:,} predicted)"),
             (f"{taken.image_ms:.2f} ms", f"until the image has come: {taken.waited:,} cycles"),
             (f"{taken.host_ms:.2f} ms", f"host: {escape(taken.how)}"),
             (f"{account.utilisation:.1%}", f"of {account.peak} multiply-accumulates a cycle"),
             (f"{account.starved / account.cycles:.2%}", "of the cycles waiting for weights"),
             (f"{account.ddr_bytes / 1e6:.2f} MB", "image and weights")]
    return "".join(f'<div class="card"><b>{value}</b><span>{what}</span></div>' for value, what in facts)


def legend(entries) -> str:
    return "".join(f'<span><i class="{css}"></i>{escape(text)}</span>' for css, text in entries)


def table(account: Account) -> str:
    rows, layers = [], account.layers()
    for e in layers:
        difference = f"{e.cycles - e.predicted:+,}" if e.cycles != e.predicted else "0"
        values = (f"{e.cycles:,}", f"{e.predicted:,}", difference, f"{charts.used_of(e, account.peak):.1%}",
                  *(f"{value:,}" for value in (e.busy, e.starved, e.drain, e.reads, e.writes, e.stream_bytes)))
        rows.append(f"<tr><td>{escape(e.layer)}</td>" + "".join(f"<td>{value}</td>" for value in values) + "</tr>")
    sums = [sum(getattr(e, name) for e in layers)
            for name in ("busy", "starved", "drain", "reads", "writes", "stream_bytes")]
    total = (f"{account.cycles - account.rest:,}", f"{account.predicted:,}", "", f"{account.utilisation:.1%}",
             *(f"{value:,}" for value in sums))
    return ("<table><thead><tr>" + "".join(f"<th>{name}</th>" for name in COLUMNS) + "</tr></thead><tbody>"
            + "".join(rows) + "</tbody><tfoot><tr><td>all</td>" + "".join(f"<td>{value}</td>" for value in total)
            + "</tr></tfoot></table>")
