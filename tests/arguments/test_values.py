"""Words of a command line: whole numbers in every spelling and no other, numbers, paths, text."""

from argparse import ArgumentTypeError
from pathlib import Path

import pytest

from semantic_rl.arguments.values import number, one_of, path, text, whole_number


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("64", 64),
        ("-3", -3),
        ("+3", 3),
        ("1e6", 1_000_000),
        ("25e6", 25_000_000),
        ("2.5e6", 2_500_000),
        ("1.0", 1),
        ("1_000_000", 1_000_000),
        ("9007199254740993", 2**53 + 1),
        ("9223372036854775807", 2**63 - 1),
    ],
)
def test_a_whole_number_is_read_exactly(word: str, value: int) -> None:
    assert whole_number(word) == value


@pytest.mark.parametrize(
    "word",
    ["", "many", "1.5", "1.5e0", "1e-3", "nan", "inf", "-inf", "0x10", "1e30", "1e999999999", "9" * 5000, "٣", " 3",
     "9223372036854775808", "True", "1__0", "--3", "1\n"],
)  # fmt: skip
def test_what_is_no_whole_number_of_64_bits_is_refused(word: str) -> None:
    with pytest.raises(ArgumentTypeError, match="expected a whole number"):
        whole_number(word)


@pytest.mark.parametrize(("word", "value"), [("0.5", 0.5), ("1e-3", 1e-3), ("-2", -2.0), ("1_0", 10.0)])
def test_a_number_is_read(word: str, value: float) -> None:
    assert number(word) == value


@pytest.mark.parametrize("word", ["", "half", "1,5", "0x1p3", "٣", "\udcff"])
def test_what_is_no_number_is_refused(word: str) -> None:
    with pytest.raises(ArgumentTypeError, match="expected a number"):
        number(word)


def test_a_path_is_read() -> None:
    assert path("runs/ä b") == Path("runs/ä b")


@pytest.mark.parametrize("word", ["", "a\0b", "\udcff"])
def test_what_no_file_can_be_called_is_refused(word: str) -> None:
    with pytest.raises(ArgumentTypeError, match="expected a path"):
        path(word)


@pytest.mark.parametrize("word", ["a\nb", "a\0", "\x1b[31m", "\udcff"])
def test_text_is_one_line_without_control_characters(word: str) -> None:
    with pytest.raises(ArgumentTypeError, match="expected text"):
        text(word)
    assert text("λ is 1") == "λ is 1"


def test_a_choice_that_is_none_names_the_choices_and_the_nearest() -> None:
    assert one_of("webp", "gif")("gif") == "gif"
    with pytest.raises(ArgumentTypeError, match=r"got 'gfi', expected webp or gif\. Did you mean 'gif'\?"):
        one_of("webp", "gif")("gfi")


def test_a_long_word_is_shortened_where_it_is_refused() -> None:
    with pytest.raises(ArgumentTypeError) as refused:
        number("x" * 10_000)
    assert len(str(refused.value)) < 200
