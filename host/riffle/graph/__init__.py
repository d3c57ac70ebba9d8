"""Networks as data: layers, the numeric contract, quantisation."""
