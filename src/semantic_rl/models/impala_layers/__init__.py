"""Four implementations of the IMPALA network's layers, which agree up to rounding."""
