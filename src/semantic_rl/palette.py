"""The colours. A cluster has the same one, by the index of its code, in every figure, clip and page.

The first eight are those of Okabe and Ito (2008), which people with any common kind of colour blindness can tell apart,
with dark grey in place of black, which would dominate the others. Beyond eight clusters the same hues are repeated,
darker, then lighter; the clusters' numbers then tell them apart.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_CLUSTERS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#4D4D4D")
_MIXES = ((0.0, 0.0), (0.0, 0.45), (1.0, 0.5), (0.0, 0.7), (1.0, 0.75))
"""(white or black, its proportion) that is mixed in, for each round through the hues."""

CATEGORIES = ("#332288", "#88CCEE", "#117733", "#DDCC77", "#CC6677", "#AA4499", "#44AA99")
"""Colours for categories other than clusters; Tol's muted scheme."""
OTHER = "#BBBBBB"
"""Colour for everything without a colour of its own."""
SEQUENTIAL = "cividis"
"""Colour map for quantities: uniform in lightness, and the same with every kind of colour blindness."""
FAILED, SUCCEEDED = "#D55E00", "#0072B2"
"""Colours of failed and of successful episodes."""
LOST, GAINED = "#CC6677", ("#117733", "#44AA99", "#88CCEE", "#332288")
"""Colours of rewards: below zero, and levels above zero."""
INK = "#222222"
FAINT_INK = "#6E6E6E"
LINE = "#B8B8B8"


def _rgb(color: str) -> NDArray[np.float64]:
    return np.array([int(color[start : start + 2], 16) for start in (1, 3, 5)]) / 255


def _hex(rgb: NDArray[np.float64]) -> str:
    return "#" + "".join(f"{round(255 * value):02X}" for value in rgb.tolist())


def cluster_color(code_index: int) -> str:
    """Return the colour of a cluster as #RRGGBB; it depends only on the index, not on the number of codes."""
    round_, hue = divmod(code_index, len(_CLUSTERS))
    toward, amount = _MIXES[round_ % len(_MIXES)]
    return _hex((1 - amount) * _rgb(_CLUSTERS[hue]) + amount * toward)


def cluster_colors(code_index: Sequence[int] | NDArray[np.integer]) -> NDArray[np.float64]:
    """Return the colours [B, 3] of clusters [B], as numbers from 0 to 1."""
    indices = np.asarray(code_index, np.int64)
    table = np.array([_rgb(cluster_color(index)) for index in range(int(indices.max(initial=0)) + 1)])
    return table[indices]


_RIM = 0.4


def rim_of(color: str) -> str:
    """Return a darker shade of a colour, for the rim of a mark: light marks, like yellow ones, need it on paper."""
    return _hex((1 - _RIM) * _rgb(color))


def rims_of(colors: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the rims [B, 3] of marks whose colours [B, 3 or more] are numbers from 0 to 1."""
    return (1 - _RIM) * colors[:, :3].astype(np.float64)


def ink_on(color: str) -> str:
    """Return black or white, whichever has more contrast with `color`: at least 4.58, above the 4.5 of WCAG's AA."""
    return max(("#FFFFFF", "#000000"), key=lambda ink: contrast(ink, color))


def contrast(one: str, other: str) -> float:
    """Return WCAG's contrast between two colours: 1 for the same colour, 21 for black and white."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(color: str) -> float:
    """Return WCAG's relative luminance of #RRGGBB: 0 for black, 1 for white."""
    rgb = _rgb(color)
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))
