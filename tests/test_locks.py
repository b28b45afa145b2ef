"""The lock files name what is installed, and no place that it came from: any registry will do."""

import re

import pytest

from .conftest import REPOSITORY


def test_the_lock_of_python_names_no_address() -> None:
    assert "://" not in (REPOSITORY / "requirements" / "lock.txt").read_text()


@pytest.mark.parametrize("name", ["package.json", "package-lock.json", ".npmrc"])
def test_the_lock_of_the_page_names_no_registry(name: str) -> None:
    text = (REPOSITORY / "frontend" / name).read_text()
    assert not re.search(r'"resolved"|registry\s*=', text)
