"""Measures in the pictures of a Ninja recording where the agent is, and sets that beside its clusters.

    semantic-rl record sppo-ninja --states 20000 --out recordings/ninja
    python benchmarks/ninja_ledges.py recordings/ninja

The network takes no part in it: a pixel belongs to a ledge if it has the colour of one of the game's bricks, the agent
is always in the middle of the picture, and a green bar in the lower left corner shows how long it has charged a jump.
Some backgrounds have colours of bricks, so a few percent of the states are judged wrongly. docs/ninja.md has what was
found.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semantic_rl.recording.store import open_recording

BRICKS = np.array([(224, 126, 81), (201, 129, 97), (112, 173, 150), (134, 160, 162)], np.float32)
FARTHEST = 32.0
"""Largest distance, in RGB, of a pixel of a ledge from the colour of a brick."""
BELOW_THE_FEET = 36
"""Row of the 64×64 picture that is under the agent's feet."""
FEET, BODY = slice(30, 35), slice(28, 37)
"""Columns of the agent's feet, and of its body with a little to both sides."""
BAR_ROWS, BAR_COLUMNS, FEWEST_GREEN = slice(30, 64), slice(0, 4), 3


def is_brick(colors: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Tell whether colours [..., 3] are those of a brick."""
    distances = np.square(colors[..., None, :] - BRICKS).sum(-1)
    return distances.min(-1) < FARTHEST**2


def is_charging(picture: NDArray[np.float32]) -> bool:
    """Tell whether there is a green bar in the lower left corner of a picture [64, 64, 3]."""
    red, green, blue = np.moveaxis(picture[BAR_ROWS, BAR_COLUMNS], -1, 0)
    return int(((green > 200) & (red < 130) & (blue < 190)).sum()) >= FEWEST_GREEN


def measure(picture: NDArray[np.float32]) -> tuple[bool, bool, float]:
    """Return whether the agent stands on a ledge, whether it charges a jump, rows to the ledge below (NaN: none)."""
    stands = bool(is_brick(picture[BELOW_THE_FEET, FEET].mean(0)))
    under = is_brick(picture[BELOW_THE_FEET:, BODY]).mean(1) > 0.5
    return stands, is_charging(picture), float(under.argmax()) if under.any() else np.nan


def main() -> None:
    """Print a table of the clusters."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recording", type=Path)
    recording = open_recording(parser.parse_args().recording)
    clusters = recording.states["code_index"].to_numpy()
    found = np.array([measure(recording.observation(row).astype(np.float32)) for row in range(len(clusters))])
    print("cluster   states   on a ledge   charging a jump   rows to the ledge below   none below")
    for cluster in np.unique(clusters):
        stands, charging, rows = found[clusters == cluster].T
        print(
            f"{cluster:7}{len(rows):9,}{stands.mean():13.2f}{charging.mean():18.2f}{np.nanmedian(rows):26.0f}"
            f"{np.isnan(rows).mean():13.2f}"
        )


if __name__ == "__main__":
    main()
