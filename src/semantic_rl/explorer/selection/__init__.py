"""Statistics and downloads of selected states, compared with the rest."""
