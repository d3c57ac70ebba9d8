"""Whether a bitstream may be loaded, and whether the FPGA then holds it: by the manifest beside it."""

from __future__ import annotations

import warnings
from pathlib import Path

from riffle.bitstream import manifest
from riffle.errors import HardwareError


def vouched(bitstream: str | Path) -> dict | None:
    """The manifest of a bitstream that is the one that was built, for this software; None, with a warning, without one.

    Parameters
    ----------
    bitstream
        .bit file; its manifest has the same stem and lies beside it

    Raises
    ------
    HardwareError
        if manifest, files and software do not belong together
    """
    path = Path(bitstream).with_suffix(".json")
    if not path.exists():
        warnings.warn(f"{bitstream} has no manifest {path.name} beside it: whether it is whole, and for this software, "
                      "is not known. Remedy: copy the manifest that was built with it", stacklevel=2)
        return None
    try:
        problems = manifest.check(path)
        if problems:
            raise HardwareError(f"{bitstream} is not loaded. {'; '.join(problems)}")
        return manifest.read(path)
    except manifest.ManifestError as error:
        raise HardwareError(f"{bitstream} is not loaded: {error}") from error


def confirm(made: dict | None, build_hash: int) -> None:
    """Compare what the hardware says of itself with the manifest of what was loaded.

    Parameters
    ----------
    made
        what `vouched` gave
    build_hash
        register BUILD_HASH

    Raises
    ------
    HardwareError
        if the FPGA holds something else
    """
    if made and int(made["build_hash"], 16) != build_hash:
        raise HardwareError(f"the FPGA holds build {build_hash:08x}, the manifest of what was loaded says "
                            f"{made['build_hash']}. Remedy: load it again; if that does not help, take .bit, .hwh and "
                            ".json from one build")
