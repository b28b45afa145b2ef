"""What knows the paper's own code: its checkpoint format, its names of weights, its published curves."""
