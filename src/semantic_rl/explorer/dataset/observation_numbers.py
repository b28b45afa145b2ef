"""The numbers of an observation that people can read one by one: those of its vectors, not of its images."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from semantic_rl.recording.store import Recording

MOST_NUMBERS = 128
"""Numbers of an observation that the page shows; more of them do not tell more."""


def number_names(recording: Recording) -> list[str]:
    """Return the names of all numbers, in the order of `numbers_of`: known labels, or the part's name and an index."""
    if not recording.has("observation"):
        return []
    found: list[str] = []
    for part in recording.spec.observation:
        if not _is_readable(part.shape, part.is_image):
            continue
        places = list(np.ndindex(part.shape))
        labels = part.labels if len(part.labels) == len(places) else [",".join(map(str, place)) for place in places]
        found += [" ".join(filter(None, (part.name, label))) or "observation" for label in labels]
    return found


def numbers_of(recording: Recording, parts: dict[str, NDArray[Any]]) -> NDArray[np.float64]:
    """Return the first numbers of one observation, given as arrays by name."""
    known = [part for part in recording.spec.observation if _is_readable(part.shape, part.is_image)]
    found = [parts[part.name].ravel()[:MOST_NUMBERS].astype(np.float64) for part in known if part.name in parts]
    return np.concatenate([*found, np.zeros(0)])[:MOST_NUMBERS]


def _is_readable(shape: tuple[int, ...], is_image: bool) -> bool:
    return len(shape) <= 2 and not is_image
