"""Recordings of what others have played: a user's own loop, or data that exists already. Needs no PyTorch."""
