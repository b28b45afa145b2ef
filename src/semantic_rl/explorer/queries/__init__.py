"""Answers that the page asks for: cards of clusters, lists of moments, an episode, two recordings compared."""
