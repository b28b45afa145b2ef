"""What is inside a selection of states, against the rest."""
