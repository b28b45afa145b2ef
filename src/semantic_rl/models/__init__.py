"""The network: IMPALA trunk, semantic clustering module and policy."""
