"""Errors that a user can fix: one sentence that names the value, what was expected and what to do."""


class UserError(ValueError):
    """A mistake in what the user gave; `cli.py` prints its message alone and exits with 2."""


class TrainingDiverged(UserError):
    """A loss or the gradient is no longer a finite number; the last checkpoint is still good."""


def nearest(value: str, valid: "list[str] | tuple[str, ...]") -> str:
    """Return ' Did you mean …?' for the valid name closest to `value`, or an empty string."""
    from difflib import get_close_matches

    matches = get_close_matches(value, valid, n=1, cutoff=0.5)
    return f" Did you mean '{matches[0]}'?" if matches else ""


def on_one_line(text: str) -> str:
    """Return a text with line breaks and other signs that cannot be printed written as escapes, such as \\n."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)
