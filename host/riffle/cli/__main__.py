"""`python -m riffle.cli`: the command line where the script `riffle` is not on the path."""

from riffle.cli import main

main()
