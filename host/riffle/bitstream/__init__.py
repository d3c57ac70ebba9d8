"""Files of a bitstream: address map, manifest, and what checks them."""
