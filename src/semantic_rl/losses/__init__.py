"""Losses: pure functions of tensors that return named scalars."""
