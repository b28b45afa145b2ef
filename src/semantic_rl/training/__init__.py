"""Training: rollouts, advantages, updates, checkpoints, logs, and the loop that runs them."""
