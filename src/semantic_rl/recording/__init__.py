"""Recordings: the states that a trained agent visits, with frames and the outputs of its network."""
