"""The command lines of the paper's implementation, as thin wrappers around semantic_rl."""
