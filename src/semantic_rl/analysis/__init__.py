"""Computes statistics of recordings and runs. Nothing here draws, and neither PyTorch nor the games are needed."""
