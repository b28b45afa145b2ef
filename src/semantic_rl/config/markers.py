"""Markers of settings without a flag: Positional[…] is a positional argument, Suppress[…] has no argument at all."""

from typing import Annotated, TypeVar

POSITIONAL = "positional"
SUPPRESS = "suppress"

Value = TypeVar("Value")
Positional = Annotated[Value, POSITIONAL]
Suppress = Annotated[Value, SUPPRESS]
