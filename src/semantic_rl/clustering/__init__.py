"""Fits a plane and clusters to the recorded features of an agent, whoever trained it, and judges them.

from semantic_rl.clustering.fit import fit
clustering = fit(open_recording("recordings/lander"), num_codes=8)
embedding, code_index = clustering.place(features)
"""
