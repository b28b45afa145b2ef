"""The Procgen games: a table of what is known of each, and the vector environment."""
