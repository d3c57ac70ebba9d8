"""What the compiler says when it cannot translate a network."""


class CompileError(Exception):
    """The network cannot run on this hardware; the message names the layer, the need and the limit."""
