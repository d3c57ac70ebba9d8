"""Networks and programs for other tools."""
