"""Ways to the hardware. The driver needs nothing but what `backend.Backend` has."""
