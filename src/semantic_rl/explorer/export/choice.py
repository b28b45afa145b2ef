"""What goes into an export, as people choose it: frames, planes, and columns that the page can do without."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from semantic_rl.config.explore import ALL
from semantic_rl.errors import UserError
from semantic_rl.explorer.contract import PlaneName
from semantic_rl.explorer.dataset.point_columns import OWN
from semantic_rl.explorer.dataset.projections import PLANES
from semantic_rl.explorer.recording_view import RecordingView

OPTIONAL = ("uncertainty", "return_to_go")
"""Columns that may be left out, besides those of the recording's maker."""
NONE = "none"


class Choice(NamedTuple):
    """What goes into an export."""

    num_frames: int
    """Largest number of states whose frames are in the file."""
    planes: Collection[PlaneName] = PLANES
    """Planes that are in the file, as far as the recording has them."""
    left_out: Collection[str] = ()
    """Names of `optional_columns` that are not in the file."""


def optional_columns(view: RecordingView) -> dict[str, str]:
    """Return the columns that may be left out of an export: what people call them, by name."""
    known = view.columns
    usual = {name: name for name in OPTIONAL if name in known}
    return usual | {name: column.title or name for name, column in known.items() if name.startswith(OWN)}


def read_choice(view: RecordingView, num_frames: int, planes: Sequence[PlaneName], columns: Sequence[str]) -> Choice:
    """Read a choice; `columns` are what people call them, or 'all' or 'none' alone.

    Raises UserError if there is no such column, or if the recording has none of the planes.
    """
    if view.explored.num_states and all(view.explored.why_not(name) is not None for name in planes):
        there = [name for name in PLANES if view.explored.why_not(name) is None]
        raise UserError(
            f"planes: got {' '.join(planes) or 'none'}, expected at least one that the recording has: "
            f"{', '.join(there)}."
        )
    optional = optional_columns(view)
    wanted = set(optional.values()) if list(columns) == [ALL] else set[str]() if list(columns) == [NONE] else {*columns}
    unknown = sorted(wanted - set(optional.values()))
    if unknown:
        known = ", ".join(sorted(optional.values())) or "of this recording, there are none"
        raise UserError(f"columns: got '{unknown[0]}', expected all, none, or columns that can be left out: {known}.")
    return Choice(num_frames, planes, [name for name, title in optional.items() if title not in wanted])
