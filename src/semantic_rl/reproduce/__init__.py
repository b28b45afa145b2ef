"""Trains many runs: the jobs, their progress, and the local processes or Ray tasks that train them."""
