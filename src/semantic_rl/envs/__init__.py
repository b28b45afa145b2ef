"""Environments: the Procgen games, any Gymnasium environment, and what is said of each (`spec`)."""
