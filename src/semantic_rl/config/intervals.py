"""The confidence of every interval that is printed, drawn or written."""

CONFIDENCE = 0.95
QUANTILES = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)
"""The quantiles of bootstrap draws between which an interval lies."""
