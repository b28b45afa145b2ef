"""Cluster colours are told apart by everyone, and stay with their cluster."""

import numpy as np
import pytest

from semantic_rl.palette import CATEGORIES, OTHER, cluster_color, cluster_colors, contrast, ink_on

VISION = {
    "full": [1, 0, 0, 0, 1, 0, 0, 0, 1],
    "protanopia": [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
    "deuteranopia": [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.011820, 0.042940, 0.968881],
    "tritanopia": [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.303900],
}
"""What is left of linear RGB: matrices of Machado, Oliveira and Fernandes (2009), severity 1."""


def lab(linear: np.ndarray) -> np.ndarray:
    """Turn linear RGB [K, 3] into CIE L*a*b* (D65)."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = np.clip(linear, 0, 1) @ to_xyz.T / (0.9505, 1.0, 1.089)
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], 1)


@pytest.mark.parametrize("vision", VISION)
def test_the_first_eight_colours_differ_for_everyone(vision: str) -> None:
    colors = cluster_colors(range(8))
    linear = np.where(colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4)
    seen = lab(linear @ np.reshape(VISION[vision], (3, 3)).T)
    distances = np.linalg.norm(seen[:, None] - seen, axis=2) + 1000 * np.eye(8)
    assert distances.min() > 15  # a just noticeable difference is 2.3


def test_colours_stay_with_their_cluster_and_do_not_repeat_soon() -> None:
    assert len({cluster_color(index) for index in range(40)}) == 40
    np.testing.assert_allclose(cluster_colors([9, 2])[1], cluster_colors([2])[0])


@pytest.mark.parametrize("color", [*map(cluster_color, range(40)), *CATEGORIES, OTHER, "#FFFFFF", "#000000"])
def test_the_ink_on_a_colour_is_the_one_with_more_contrast(color: str) -> None:
    inks = {ink: contrast(ink, color) for ink in ("#FFFFFF", "#000000")}
    assert inks[ink_on(color)] == max(inks.values()) >= 4.5


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#FFFFFF", "#000000") == pytest.approx(21)
    assert contrast("#FFFFFF", "#767676") == pytest.approx(4.54, abs=0.005)  # the lightest grey that passes AA on white
    on_white = {"#009E73": 3.4, "#CC79A7": 3.1, "#D55E00": 3.9}
    for color, expected in on_white.items():
        assert contrast("#FFFFFF", color) == pytest.approx(expected, abs=0.06)
        assert ink_on(color) == "#000000"
    assert ink_on("#0072B2") == ink_on("#4D4D4D") == "#FFFFFF"
