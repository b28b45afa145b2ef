"""A log's lines are read as the plain text that they are: what is damaged costs its own line and no other."""

import os
from pathlib import Path

import pytest

from semantic_rl.errors import UserError
from semantic_rl.progress_log import LONGEST_LINE, MOST_BYTES, MOST_LINES, last_row, read_progress_log, whole_rows


def written(folder: Path, content: bytes) -> Path:
    path = folder / "progress.csv"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_lines_end_as_any_system_ends_them(tmp_path: Path, line_end: bytes, mark: bytes) -> None:
    log = read_progress_log(written(tmp_path, mark + line_end.join([b"a,b", b"1,2", b"", b" ", b"3,4", b"5,"])))
    assert log.columns == ["a", "b"]
    assert list(log.rows()) == [(2, ["1", "2"]), (5, ["3", "4"])]
    assert log.is_cut_off
    assert not read_progress_log(written(tmp_path, line_end.join([b"a,b", b"1,2", b""]))).is_cut_off


def test_a_stray_quote_costs_no_other_line(tmp_path: Path) -> None:
    path = written(tmp_path, b'"a",b\n1,"2\n3,4\n"5","6"\n7,8"\n')
    assert whole_rows(path) == [
        {"a": "1", "b": '"2'}, {"a": "3", "b": "4"}, {"a": "5", "b": "6"}, {"a": "7", "b": '8"'},
    ]  # fmt: skip


def test_a_block_of_nul_bytes_costs_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, b"a,b\n1,2\n" + bytes(200_000) + b"\n" + bytes(9) + b"3,4\n5,6\n")
    assert list(read_progress_log(path).rows()) == [(2, ["1", "2"]), (3, None), (4, None), (5, ["5", "6"])]
    assert [row["a"] for row in whole_rows(path)] == ["1", "5"]


def test_a_line_may_be_of_any_length_and_of_any_bytes(tmp_path: Path) -> None:
    path = written(tmp_path, b"a,b\n" + b"1" * 300_000 + b",2\n\xff\xfe,3\n")
    assert [row["b"] for row in whole_rows(path)] == ["2", "3"]


@pytest.mark.parametrize("content", [b"", b"\n\n\n", b"a,b", b"\r\r", b" \t\n"])
def test_a_blank_log_has_no_columns_and_no_rows(tmp_path: Path, content: bytes) -> None:
    path = written(tmp_path, content)
    log = read_progress_log(path)
    assert (log.columns, list(log.rows())) == ([], [])
    assert whole_rows(path) == []
    assert last_row(path) == {}


def test_a_column_that_comes_twice_is_refused_only_where_it_is_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path, b"a,b,a\n1,2,3\n")
    log = read_progress_log(path)
    assert log.column("b") == 1
    with pytest.raises(UserError, match="has 2 columns 'a', expected one"):
        log.column("a")
    assert whole_rows(path) == []


def test_a_missing_column_is_answered_with_those_that_are_there_and_no_control_characters(tmp_path: Path) -> None:
    log = read_progress_log(written(tmp_path, b"a\x1b[31m," + b",".join([b"x"] * 500) + b"\n"))
    with pytest.raises(UserError, match=r"has no column 'b'; its columns: a\\x1b\[31m, x, .*, …\.$") as caught:
        log.column("b")
    assert str(caught.value).isprintable()


def test_what_is_no_file_or_too_large_is_refused_at_once(tmp_path: Path) -> None:
    pipe, large, folder = tmp_path / "pipe", tmp_path / "large", tmp_path / "folder"
    os.mkfifo(pipe)
    folder.mkdir()
    with large.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    for path, reason in ((pipe, "no regular file"), (folder, "no regular file"), (large, "64,000,001 bytes")):
        with pytest.raises(UserError, match=reason):
            read_progress_log(path)
    assert last_row(pipe) == {}
    assert last_row(folder) == {}
    with pytest.raises(UserError, match="No such file"):
        read_progress_log(tmp_path / "nothing")
    with pytest.raises(UserError, match=f"has {MOST_LINES + 1:,} lines"):
        read_progress_log(written(tmp_path, b"\n" * (MOST_LINES + 1)))


def test_the_last_whole_row_is_found_from_the_ends_of_a_log(tmp_path: Path) -> None:
    rows = b"".join(b"%d,%d\r\n" % (row, row * row) for row in range(20_000))
    assert len(rows) > 2 * LONGEST_LINE
    assert last_row(written(tmp_path, b"a,b\r\n" + rows + b"20000,4")) == {"a": "19999", "b": str(19_999**2)}
    assert last_row(written(tmp_path, b"a,b\n")) == {}
    assert last_row(written(tmp_path, b"a,b\n1,2\n3\n")) == {}
    assert last_row(tmp_path / "nothing") == {}
