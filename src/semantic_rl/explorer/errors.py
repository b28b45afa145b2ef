"""The exception for requests that the explorer refuses."""

from typing import Any

from semantic_rl.errors import on_one_line


class Refusal(Exception):
    """A request is refused, with an HTTP status and one sentence that says why."""

    def __init__(self, status: int, sentence: str, **more: Any) -> None:
        sentence = on_one_line(sentence)
        super().__init__(sentence)
        self.status = status
        self.content: dict[str, Any] = {"error": sentence, **more}
