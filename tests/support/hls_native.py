"""hls/native.py as a module: compiling HLS sources for tests."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_spec = importlib.util.spec_from_file_location("riffle_hls_native", ROOT / "hls" / "native.py")
native = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(native)
build, ap_types = native.build, native.ap_types
