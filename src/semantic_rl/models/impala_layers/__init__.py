"""Three ways to compute the layers of the IMPALA network, which give the same up to rounding."""
