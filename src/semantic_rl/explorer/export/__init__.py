"""The page and its data in one file."""
