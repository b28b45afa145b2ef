"""Requests that are not answered, and why."""

from typing import Any


class Refusal(Exception):
    """A request that cannot be answered: its status and one sentence."""

    def __init__(self, status: int, sentence: str, **more: Any) -> None:
        super().__init__(sentence)
        self.status = status
        self.content: dict[str, Any] = {"error": sentence, **more}
