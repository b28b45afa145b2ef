"""Losses: pure functions, tensors in, named scalars out."""
