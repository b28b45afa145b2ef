"""The style of figures and their output: sizes for a paper's full width, plain axes, PNG and SVG files."""

import warnings
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from semantic_rl.atomic_write import whole_file
from semantic_rl.errors import UserError
from semantic_rl.figures.fonts import NO_GLYPH, families, missing_glyphs_noted
from semantic_rl.output_places import check_output_file
from semantic_rl.palette import FAINT_INK, INK, LINE

FULL_WIDTH = 7.2
"""Inches: the width of two columns of a journal."""
DOTS_PER_INCH = 300
MAKER = "semantic-rl"
METADATA: dict[str, dict[str, str | None]] = {"png": {"Software": MAKER}, "svg": {"Creator": MAKER, "Date": None}}
"""Metadata of the files, which mark those that may be replaced. There is no date, so that files are reproducible."""
CAPTION_HEIGHT = 0.24
CAPTION_SIZE, CAPTION_MARGIN = 8, 0.012
"""Points, and the share of the width that is left free on both sides."""
POINTS_OF_AN_INCH = 72
PANEL_SIZE = 3.06
PANEL_LEFT = 0.46
PANEL_GAP = 0.5
PANEL_WIDTH = PANEL_LEFT + PANEL_SIZE + 0.12
ABOVE_PANELS = CAPTION_HEIGHT + 0.3
BELOW_PANELS = 0.46
"""Inches: the caption, the panels, and the space for their titles and labels."""

_SETTINGS: dict[Any, Any] = {
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.titlepad": 6,
    "axes.labelsize": 8,
    "axes.labelcolor": INK,
    "axes.edgecolor": LINE,
    "axes.linewidth": 0.6,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": FAINT_INK,
    "ytick.labelcolor": FAINT_INK,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "text.color": INK,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "svg.fonttype": "none",  # text stays text, which one can search and edit
    "svg.hashsalt": "semantic-rl",
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}


@contextmanager
def paper_style(texts: Iterable[str] = ()) -> Generator[None]:
    """Context that draws in the project's style, with fonts that have the characters of users' `texts`."""
    with mpl.rc_context({**_SETTINGS, "font.family": families(texts)}):
        yield


def hide_ticks(ax: Axes) -> None:
    """Remove the ticks of axes whose coordinates have no meaning."""
    ax.set_xticks([])
    ax.set_yticks([])


def as_text(text: str) -> str:
    """Escape a user's text for Matplotlib, so that dollar signs are not read as formulas."""
    return text.replace("$", r"\$")


def fitted(text: str, points: float, font_size: float) -> str:
    """Return as much of a text as fits into `points` at a font size, with an ellipsis at its end if it is cut."""
    if _width(text, font_size) <= points:
        return text
    kept = next(count for count in range(len(text) - 1, -1, -1) if _width(text[:count] + "…", font_size) <= points)
    return text[:kept].rstrip() + "…"


def _width(text: str, font_size: float) -> float:
    font = FontProperties(size=font_size)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", NO_GLYPH)
        return text_to_path.get_text_width_height_descent(text, font, ismath=False)[0]


def write_caption(figure: Figure, text: str) -> None:
    """Write a line at the top left of the figure, in a smaller font if it would not fit."""
    middle = 1 - CAPTION_HEIGHT / 2 / figure.get_figheight()
    room = (1 - 2 * CAPTION_MARGIN) * figure.get_figwidth() * POINTS_OF_AN_INCH
    size = CAPTION_SIZE * min(1.0, room / max(_width(text, CAPTION_SIZE), 1.0))
    figure.text(CAPTION_MARGIN, middle, text, color=FAINT_INK, fontsize=size, va="center_baseline")


def add_square_panels(figure: Figure, count: int, bottom: float) -> list[Axes]:
    """Add `count` (1 or 2) square axes side by side, `bottom` inches above the lower edge.

    Two fill a figure of `FULL_WIDTH`, one a figure of `PANEL_WIDTH`; above them is room for titles and the caption.
    """
    width, height = figure.get_size_inches()
    step = PANEL_SIZE + PANEL_GAP
    boxes = [((PANEL_LEFT + index * step) / width, bottom / height) for index in range(count)]
    return [figure.add_axes((x, y, PANEL_SIZE / width, PANEL_SIZE / height)) for x, y in boxes]


def check_figure_places(folder: Path, name: str) -> list[Path]:
    """Return the paths of a figure's two files; raises UserError if one cannot be written or is not ours to replace.

    An existing file is replaced only if its metadata say that it is a figure of this package.
    """
    paths = [folder / f"{name}.{form}" for form in METADATA]
    for path in paths:
        check_output_file(path, "a figure of semantic-rl", is_figure)
    return paths


def is_figure(beginning: bytes) -> bool:
    """Say whether the first bytes of a file are those of a figure of this package."""
    software = MAKER.encode()
    if beginning.startswith(b"\x89PNG"):
        return b"tEXtSoftware\0" + software in beginning
    return b"<svg" in beginning and b"<dc:title>" + software + b"</dc:title>" in beginning


def save_figure(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write a figure as PNG and SVG and return the two paths. The same figure gives identical files.

    Raises UserError as `check_figure_places` does.
    """
    paths = check_figure_places(folder, name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with paper_style(), missing_glyphs_noted():
            for path in paths:
                form = path.suffix[1:]
                with whole_file(path) as temporary:
                    figure.savefig(temporary, format=form, dpi=DOTS_PER_INCH, metadata=METADATA[form])
    except OSError as error:
        raise UserError(
            f"cannot write figures to {folder}: {error.strerror or error}; choose another --out."
        ) from error
    return paths
