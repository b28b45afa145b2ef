"""Numbers that stand for the texts of a recording's further columns."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from semantic_rl.errors import UserError
from semantic_rl.recording.store.extra_columns import MOST_CATEGORIES, MOST_CHARACTERS, Categories, one_line


class TextCodes:
    """Gives each different text of a column a number, in the order in which they come."""

    def __init__(self, names: Sequence[str]) -> None:
        self._codes: dict[str, dict[str, int]] = {name: {} for name in names}
        self._num_characters = 0

    def encode(self, columns: Mapping[str, Sequence[str]]) -> dict[str, NDArray[np.uint16]]:
        """Return the numbers of texts [B], by column; raises UserError if there are too many different ones."""
        lines = {name: [one_line(text) for text in column] for name, column in columns.items()}
        fresh = {name: [text for text in dict.fromkeys(lines[name]) if text not in self._codes[name]] for name in lines}
        characters = self._num_characters + sum(len(text) for column in fresh.values() for text in column)
        for name, column in fresh.items():
            if len(self._codes[name]) + len(column) > MOST_CATEGORIES or characters > MOST_CHARACTERS:
                raise UserError(
                    f"'{name}': more than {MOST_CATEGORIES:,} different texts, or more than "
                    f"{MOST_CHARACTERS:,} characters in all of them; leave the column out, or give texts that recur."
                )
        self._num_characters = characters
        for name, column in fresh.items():
            codes = self._codes[name]
            codes.update({text: number for number, text in enumerate(column, len(codes))})
        return {
            name: np.array([self._codes[name][text] for text in column], np.uint16) for name, column in lines.items()
        }

    @property
    def categories(self) -> Categories:
        """The texts in the order of their numbers, by column."""
        return {name: tuple(codes) for name, codes in self._codes.items()}
