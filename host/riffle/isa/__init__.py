"""What hardware and software agree on: registers, descriptors, layout, programs, and what a descriptor does."""
