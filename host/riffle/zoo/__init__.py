"""Particular networks, and how their names are found."""
