"""Registration with hls4ml: layers, templates, the pass and the C++ headers, once."""

from __future__ import annotations

from pathlib import Path

from riffle.errors import RiffleError

BACKENDS = ("Vivado", "VivadoAccelerator", "Vitis")
HERE = Path(__file__).parent
_done = False


def import_hls4ml() -> None:
    """Import hls4ml, which registers the layers.

    Raises
    ------
    RiffleError
        if it is not installed
    """
    try:
        import hls4ml  # noqa: F401
    except ImportError as error:
        raise RiffleError(f"conversion needs the Python package {error.name}. Remedy: pip install 'riffle[hls]', or "
                          "`make setup` in the repository") from error
    register()


def register(register_backend: object = None, register_writer: object = None) -> None:
    """Teach hls4ml the layers; more calls do nothing. hls4ml calls it with arguments that are not needed here."""
    global _done
    if _done:
        return
    _done = True
    # not before: hls4ml is optional, and calls this while it is being imported
    from hls4ml.backends.backend import get_backend
    from hls4ml.model.layers import register_layer

    from riffle.export.hls4ml import layers, templates
    from riffle.export.hls4ml.fuse import FuseChannelShuffle

    for layer in layers.LAYERS:
        register_layer(layer.__name__, layer)
    vivado = get_backend("Vivado")  # the others run its passes
    vivado.register_template(templates.RiffleConfig)
    vivado.register_template(templates.RiffleFunction)
    vivado.register_pass("fuse_channel_shuffle", FuseChannelShuffle, flow="vivado:optimize")
    for name in BACKENDS:  # sources are looked up in each
        for source in (*HERE.glob("*.h"), *(HERE / "include" / "riffle").glob("*.hpp")):
            get_backend(name).register_source(source)
