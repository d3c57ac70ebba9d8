"""The project's sources, which simulated hardware and the HLS engine are built from; an installed wheel has none."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
MODEL, HLS = ROOT / "tools" / "build_model.py", ROOT / "hls" / "native.py"  # programs that build and print a path


def there() -> bool:
    """Whether this package lies in a checkout."""
    return MODEL.exists()
