"""Recordings: the states that a trained agent meets, with its frames and what its network makes of them."""
