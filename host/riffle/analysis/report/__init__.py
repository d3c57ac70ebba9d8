"""One self-contained HTML page about a run: `page`, from an `account.Account`."""

from riffle.analysis.report.page import page

__all__ = ["page"]
