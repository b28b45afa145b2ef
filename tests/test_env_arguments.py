"""What is typed as key=value becomes the argument that the environment gets."""

import pytest

from semantic_rl.config.env_arguments import read_env_arguments
from semantic_rl.errors import UserError


def test_values_become_constants_numbers_or_texts() -> None:
    texts = ["a=true", "b=False", "c=none", "d=3", "e=-2.5", "f=4x4", "g=1e3", "h=nan", "i=", "j=x=y", "k=1_000"]
    assert read_env_arguments(texts) == {
        "a": True, "b": False, "c": None, "d": 3, "e": -2.5, "f": "4x4", "g": 1000.0, "h": "nan", "i": "", "j": "x=y",
        "k": "1_000",
    }  # fmt: skip
    assert type(read_env_arguments(["d=3"])["d"]) is int


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        (["continuous"], "expected key=value"),
        (["=3"], "expected key=value"),
        (["a b=3"], "expected key=value"),
        (["a=1", "a=2"], "got a twice"),
    ],
)
def test_another_form_is_refused(texts: list[str], says: str) -> None:
    with pytest.raises(UserError, match=says):
        read_env_arguments(texts)
