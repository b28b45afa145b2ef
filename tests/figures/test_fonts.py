"""Names of clusters may be in any script: fonts that have it are found, and what no font has is said once."""

from pathlib import Path

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from PIL import Image

from semantic_rl.figures.style import fitted, paper_style, save_figure

JUMP = "跳"
FAMILY = "A Font That Jumps"
LACKING = "\U00012000"
"""A cuneiform sign: hardly a font has it."""


@pytest.fixture
def font(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A font of a known name that has one sign, a full block."""
    pen = TTGlyphPen(None)
    for number, point in enumerate([(0, 0), (0, 1000), (1000, 1000), (1000, 0)]):
        (pen.lineTo if number else pen.moveTo)(point)
    pen.closePath()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "jump"])
    builder.setupCharacterMap({ord(JUMP): "jump"})
    builder.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "jump": pen.glyph()})
    builder.setupHorizontalMetrics({".notdef": (500, 0), "jump": (1000, 0)})
    builder.setupHorizontalHeader(ascent=1000, descent=0)
    builder.setupNameTable({"familyName": FAMILY, "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(tmp_path / "jump.ttf")
    monkeypatch.setattr("semantic_rl.figures.fonts.OTHERS", ("Not Installed", FAMILY))
    monkeypatch.setattr(fontManager, "ttflist", [entry for entry in fontManager.ttflist if entry.name == "DejaVu Sans"])
    fontManager.addfont(tmp_path / "jump.ttf")


def drawn(folder: Path, text: str) -> np.ndarray:
    with paper_style([text]):
        figure = Figure((1, 1))
        figure.text(0.1, 0.3, text, fontsize=30)
    return np.asarray(Image.open(save_figure(figure, folder, "text")[0]).convert("L"))


@pytest.mark.usefixtures("font")
def test_a_sign_is_taken_from_a_font_that_has_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = drawn(tmp_path / "figures", JUMP)
    black = picture < 128
    rows, columns = np.flatnonzero(black.any(1)), np.flatnonzero(black.any(0))
    assert black[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].mean() > 0.95, "the block, not an empty box"
    assert capsys.readouterr().err == ""
    with paper_style([JUMP]):
        assert fitted(JUMP, points=31, font_size=30) == JUMP, "its width is that of the same font"
        assert fitted(JUMP * 2, points=31, font_size=30) == "…"


@pytest.mark.usefixtures("font")
def test_signs_that_no_font_has_are_named_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drawn(tmp_path, f"a{LACKING}{JUMP}{LACKING}")
    said = capsys.readouterr().err
    assert said.startswith(f"note: no font here has {LACKING}: boxes")
    assert said.count("\n") == 1
