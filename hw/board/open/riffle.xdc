# No pins: the processing system has its own, and everything of the fabric goes through it.
# The clock is FCLK0; nextpnr is told its frequency by --freq.
