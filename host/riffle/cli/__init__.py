"""The command `riffle`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; what goes wrong is one message and exit code 1."""
    if sys.argv[1:] == ["doctor"]:  # also where the packages below are missing
        from riffle.doctor import main as examine

        sys.exit(examine())
    try:
        import rich  # noqa: F401
        import typer  # noqa: F401
    except ImportError as error:
        sys.exit(f"riffle: the command line needs the Python package {error.name}, the library does not. "
                 "Remedy: pip install 'riffle[cli]', or `make setup` in the repository")
    from riffle.cli.app import run

    run()
