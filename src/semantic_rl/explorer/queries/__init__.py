"""The page's queries: cluster cards, lists of moments, an episode, the comparison of two recordings."""
