"""Exports the page and its data into one HTML file."""
