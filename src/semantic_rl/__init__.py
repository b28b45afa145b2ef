"""Deep reinforcement learning whose clusters of states one can see: PPO with a semantic clustering module."""

__version__ = "0.1.0"
