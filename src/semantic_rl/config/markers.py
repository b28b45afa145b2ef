"""Markers of settings that are no flags: Positional[…] stands without one, Suppress[…] not on the command line."""

from typing import Annotated, TypeVar

POSITIONAL = "positional"
SUPPRESS = "suppress"

Value = TypeVar("Value")
Positional = Annotated[Value, POSITIONAL]
Suppress = Annotated[Value, SUPPRESS]
