"""Compatibility with the paper's own code: its checkpoint format, its weight names, its published curves."""
