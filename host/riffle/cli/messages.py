"""Errors as a person sees them: one panel on stderr, with cause and remedy."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel


def explain(error: BaseException) -> str:
    """What an exception says; the path, where the system knows no more than a reason."""
    if isinstance(error, OSError) and error.filename:
        return f"cannot use {error.filename}: {error.strerror}. Check the path"
    if isinstance(error, MemoryError) and not str(error):
        return "there is not enough memory. Close other programs, or give something smaller"
    return str(error) or type(error).__name__


def show_error(text: str) -> None:
    Console(stderr=True).print(Panel(escape(text), title="riffle: error", border_style="red"))
