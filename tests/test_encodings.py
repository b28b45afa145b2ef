"""Text files are UTF-8 whatever the locale: nothing is opened in text mode without saying so."""

import ast
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
SOURCES = [
    path
    for folder in ("src", "benchmarks", "frontend")
    for path in sorted((REPOSITORY / folder).rglob("*.py"))
    if "node_modules" not in path.parts
]
OPENERS = {"open": 1, "fdopen": 1, "TemporaryFile": 0, "NamedTemporaryFile": 0}
"""Calls that open a file, and where their mode stands; that of the method Path.open stands first."""
TEXT_CALLS = ("read_text", "write_text", "TextIOWrapper")
NOT_FILES = ("os", "Image", "tarfile", "webbrowser", "archive")
"""Modules, and archives, whose `open` is another thing: no text comes of it."""


def opens_text_without_encoding(call: ast.Call) -> bool:
    """Say whether a call opens a file in text mode and leaves its encoding to the locale."""
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    if "encoding" in keywords or None in keywords:
        return False
    if name in TEXT_CALLS:
        return not (name == "read_text" and call.args) and not (name == "write_text" and len(call.args) > 1)
    if name in ("run", "Popen", "check_output"):
        return any(isinstance(keywords.get(key), ast.Constant) for key in ("text", "universal_newlines"))
    if name not in OPENERS:
        return False
    owner = function.value if isinstance(function, ast.Attribute) else None
    owner_name = getattr(owner, "id", "")
    if name == "open" and owner_name in NOT_FILES:
        return False
    is_method = name == "open" and owner is not None and owner_name not in ("io", "gzip")
    position = 0 if is_method else OPENERS[name]
    mode = keywords.get("mode", call.args[position] if len(call.args) > position else None)
    if mode is None:
        return name in ("open", "fdopen") and owner_name != "gzip"
    text = mode.value if isinstance(mode, ast.Constant) else ""
    return "t" in str(text) if owner_name == "gzip" else "b" not in str(text)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_no_file_is_opened_in_the_encoding_of_the_locale(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    wrong = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Call) and opens_text_without_encoding(node)]
    assert not wrong, f"{path}: lines {wrong} open text without an encoding"


@pytest.mark.parametrize(
    "source",
    [
        "open('a')",
        "open('a', 'w')",
        "path.open(newline='')",
        "path.open('a+')",
        "path.read_text()",
        "path.write_text('b')",
        "gzip.open(path, 'rt')",
        "os.fdopen(1, 'w')",
        "subprocess.run(command, text=True)",
        "open(1, mode)",
    ],
)
def test_the_check_sees_text_without_an_encoding(source: str) -> None:
    assert opens_text_without_encoding(ast.parse(source, mode="eval").body)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "source",
    [
        "open('a', encoding='utf-8')",
        "open('a', 'rb')",
        "path.open('wb')",
        "path.read_text('utf-8')",
        "gzip.open(path)",
        "Image.open(path)",
        "os.open(path, os.O_RDONLY)",
        "subprocess.run(command)",
        "tempfile.TemporaryFile()",
    ],
)
def test_the_check_leaves_the_rest_alone(source: str) -> None:
    assert not opens_text_without_encoding(ast.parse(source, mode="eval").body)  # type: ignore[arg-type]
