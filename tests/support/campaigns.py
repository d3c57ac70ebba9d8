"""How much random tests try: a little in `make test`, much more in the soak."""

import os


def campaign(quick: int, soak: int) -> int:
    """`soak` where RIFFLE_SOAK is set to something other than "" or "0", otherwise `quick`."""
    return soak if os.environ.get("RIFFLE_SOAK", "") not in ("", "0") else quick
