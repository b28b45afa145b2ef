"""Fonts for names in any script: characters that the default font lacks are taken from other installed fonts."""

import re
import sys
import warnings
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress

import matplotlib as mpl
from matplotlib.font_manager import FontProperties, findfont, findSystemFonts, fontManager, get_font

OTHERS = (
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "Noto Sans JP", "Noto Sans KR", "Source Han Sans SC"),
    *("WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Droid Sans Fallback", "Microsoft YaHei", "SimHei", "Yu Gothic"),
    *("Malgun Gothic", "PingFang SC", "Hiragino Sans GB", "Hiragino Sans", "Apple SD Gothic Neo", "Arial Unicode MS"),
    *("Noto Sans Devanagari", "Noto Sans Thai", "Nirmala UI", "Noto Emoji", "Segoe UI Emoji", "Symbola"),
)
"""Fallback fonts, tried in this order if they are installed."""
NO_GLYPH = r"Glyph (\d+) .* missing from font"
"""Beginning of Matplotlib's warning."""


def families(texts: Iterable[str]) -> list[str]:
    """Return the font families for texts: those of Matplotlib's settings, and others if these lack a character."""
    usual: list[str] = [*mpl.rcParams["font.family"]]
    text = "".join(texts)
    if text.isascii() or set(map(ord, text)) <= get_font(findfont(FontProperties(family=usual))).get_charmap().keys():
        return usual
    # Matplotlib caches its list of fonts, which lacks fonts installed later.
    known = {entry.fname for entry in fontManager.ttflist}
    for path in findSystemFonts():
        if path not in known:
            with suppress(OSError, RuntimeError, ValueError, NotImplementedError):  # an unreadable font
                fontManager.addfont(path)
    installed = set(fontManager.get_font_names())
    return [*usual, *(name for name in OTHERS if name in installed)]


@contextmanager
def missing_glyphs_noted() -> Generator[None]:
    """Print one note on stderr with all characters that no font has, instead of a warning for each."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.filterwarnings("always", NO_GLYPH)
        yield
    missing: dict[str, None] = {}
    for warning in caught:
        found = re.match(NO_GLYPH, str(warning.message))
        if found:
            missing[chr(int(found[1]))] = None
        else:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    if missing:
        print(
            f"note: no font here has {' '.join(missing)}: boxes stand in their place. Install one that has, such as "
            "Noto Sans CJK for Chinese, Japanese and Korean, or Noto Emoji, and draw again.",
            file=sys.stderr,
        )
