"""How figures look, and how they are written: sizes for a paper's full width, quiet axes, PNG and SVG alike."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from semantic_rl.artifacts import TEMPORARY_SUFFIX
from semantic_rl.errors import UserError
from semantic_rl.figures.palette import FAINT_INK, INK, LINE

FULL_WIDTH = 7.2
"""Inches: two columns of a journal."""
DOTS_PER_INCH = 300

_SETTINGS = {
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
    "svg.fonttype": "path",
    "svg.hashsalt": "semantic-rl",
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}


@contextmanager
def paper_style() -> Generator[None]:
    """Draw in the project's style within this context."""
    with mpl.rc_context(_SETTINGS):
        yield


def hide_ticks(ax: Axes) -> None:
    """Take the ticks away where coordinates mean nothing by themselves."""
    ax.set_xticks([])
    ax.set_yticks([])


def save_figure(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write a figure as PNG and SVG; return the two paths. The same figure gives the same files."""
    paths = [folder / f"{name}.{form}" for form in ("png", "svg")]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in paths:
            temporary = path.with_name(path.name + TEMPORARY_SUFFIX)
            metadata = {"Date": None} if path.suffix == ".svg" else {"Software": None}
            with paper_style():
                figure.savefig(temporary, format=path.suffix[1:], dpi=DOTS_PER_INCH, metadata=metadata)
            os.replace(temporary, path)
    except OSError as error:
        raise UserError(
            f"cannot write figures to {folder}: {error.strerror or error}; choose another --out."
        ) from error
    return paths
