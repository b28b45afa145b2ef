"""Figures of recordings and runs. Each is a function that draws on given axes what `analysis` has computed."""
