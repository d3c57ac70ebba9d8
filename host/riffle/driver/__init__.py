"""Run programs on the accelerator."""
