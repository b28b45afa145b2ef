"""Replacements for characters that the terminal's encoding lacks, so that printing never fails."""

import codecs
import sys

STAND_INS = {
    "λ": "lambda", "β": "beta", "γ": "gamma", "ε": "epsilon", "σ": "sigma", "α": "alpha", "ν": "nu", "ρ": "rho",
    "×": "x", "−": "-", "–": "-", "—": "-", "±": "+/-", "…": "...", "·": "|", "→": "->", "←": "<-", "↑": "up",
    "↓": "down", "≥": ">=", "≤": "<=", "√": "sqrt", "²": "^2", "✓": "yes", "✗": "no", "\u2019": "'", "\u2018": "'",
    "“": '"', "”": '"', "•": "*", "█": "#", "━": "-", "─": "-", "│": "|", "╸": "-", "╺": "-",
}  # fmt: skip
"""Replacements of characters that the package prints; any other, such as in a user's path, is escaped as \\xe4."""
HANDLER = "semantic_rl.stand_ins"


def _stand_in(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    signs = error.object[error.start : error.end]
    return "".join(STAND_INS.get(sign, ascii(sign)[1:-1]) for sign in signs), error.end


codecs.register_error(HANDLER, _stand_in)


def show_every_sign() -> None:
    """Make stdout and stderr of this process accept every character, whatever the locale."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)  # a test's or a notebook's stream may lack this method
        if reconfigure is not None:
            reconfigure(errors=HANDLER)
