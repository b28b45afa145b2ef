"""Vectorised environments that return uint8 images."""
