"""A simulated PYNQ-Z2, which PYNQ takes for a board."""
