"""The network: IMPALA trunk, semantic clustering module, policy."""
