"""A strict SystemVerilog front end over a design: slang elaborates it; every warning is an error.

python tools/strict.py OPTION ... FILE ...    slang's own options, as `--top NAME`

Verilator and Yosys let pass what the standard forbids, such as a name that is used before its declaration.
"""

from __future__ import annotations

import sys

from pyslang.driver import Driver

# A case that names all values still gets a default: what an X does must not depend on the tool.
REVIEWED = ["-Wextra", "-Wpedantic", "-Werror", "-Wno-case-redundant-default"]


def elaborate(options: list[str]) -> bool:
    """Whether slang has nothing against a design; what it has goes to stdout."""
    driver = Driver()
    driver.addStandardArgs()
    if not (driver.parseCommandLine(" ".join(["slang", *REVIEWED, *(f'"{option}"' for option in options)])) and
            driver.processOptions() and driver.parseAllSources()):
        return False
    compilation = driver.createCompilation()
    driver.reportCompilation(compilation, True)
    driver.runAnalysis(compilation)
    return driver.reportDiagnostics(True)


if __name__ == "__main__":
    sys.exit(not elaborate(sys.argv[1:]))
