"""The Procgen games: a table of their properties, and the vectorised environment."""
