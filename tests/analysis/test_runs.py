"""Run folders are found by name or config, ours and the original's; damaged logs cost a line or a run, with a word."""

import json
import math
import os
from pathlib import Path

import numpy as np
import pytest

from semantic_rl.analysis.progress import read_progress
from semantic_rl.analysis.runs import RunName, find_runs, load_runs, parse_run_name, select_runs
from semantic_rl.artifacts import run_name
from semantic_rl.errors import UserError

from ..progress_files import write_progress, write_run

NAME = "sppo-coinrun_easy_0_0_2021"


def no_warning(text: str) -> None:
    raise AssertionError(f"unexpected warning: {text}")


def test_a_run_folders_name_is_read_as_it_is_written() -> None:
    parts = ("sppo", "coinrun", "easy", 200, 50, 2021)
    assert parse_run_name(run_name(*parts)) == RunName(*parts)
    assert parse_run_name("sppo-k16-ninja_hard_500_0_1") == RunName("sppo-k16", "ninja", "hard", 500, 0, 1)
    assert parse_run_name("notes") is None
    assert parse_run_name(f"{NAME}-old") is None


def test_the_originals_folders_need_no_config(tmp_path: Path) -> None:
    write_run(tmp_path, NAME, [1.0, 2.0])
    write_run(tmp_path, "ppo-coinrun_easy_0_0_2021", [1.0, 2.0])
    (tmp_path / "pictures").mkdir()
    found = find_runs([str(tmp_path)], no_warning)
    assert [run.name.algorithm for run in found] == ["ppo", "sppo"]


def test_a_run_folder_is_a_root_too_even_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = write_run(tmp_path, NAME, [1.0])
    assert find_runs([str(run)], no_warning)[0].name.seed == 2021
    monkeypatch.chdir(run)
    assert find_runs(["."], no_warning)[0].name.seed == 2021


def test_a_renamed_folder_is_known_by_its_config(tmp_path: Path) -> None:
    run = write_run(tmp_path, "my best run", [1.0])
    other = write_run(tmp_path, "mystery", [1.0])
    settings = {"algorithm": "ppo", "env": "ninja", "distribution_mode": "hard", "num_levels": 500, "start_level": 3}
    (run / "config.json").write_text(json.dumps({"config": {**settings, "seed": 7}}))
    (other / "config.json").write_text('{"config": {"seed":')
    warnings: list[str] = []
    (found,) = find_runs([str(tmp_path)], warnings.append)
    assert found.name == RunName("ppo", "ninja", "hard", 500, 3, 7)
    assert len(warnings) == 1
    assert "mystery is left out" in warnings[0]


def test_the_same_run_twice_is_refused_unless_the_folders_have_names(tmp_path: Path) -> None:
    for place in ("a", "b"):
        write_run(tmp_path / place, NAME, [1.0])
    with pytest.raises(UserError, match=r"the same run twice.*--run-root first=.*a second=.*b"):
        find_runs([str(tmp_path / "a"), str(tmp_path / "b")], no_warning)
    found = find_runs([f"theirs={tmp_path / 'a'}", f"ours={tmp_path / 'b'}"], no_warning)
    assert [run.root for run in found] == ["theirs", "ours"]
    assert len(find_runs([str(tmp_path / "a"), str(tmp_path / "a" / NAME)], no_warning)) == 1


def test_a_folder_with_an_equals_sign_in_its_name_is_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path / "k=16", NAME, [1.0])
    assert find_runs(["k=16"], no_warning)[0].root == ""
    assert find_runs(["sixteen=k=16"], no_warning)[0].root == "sixteen"


def test_a_root_that_is_missing_or_empty_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no folder .*nowhere"):
        find_runs([str(tmp_path / "nowhere")], no_warning)
    with pytest.raises(UserError, match="holds no run folder"):
        find_runs([str(tmp_path)], no_warning)


def test_what_is_not_there_is_answered_with_what_is(tmp_path: Path) -> None:
    write_run(tmp_path, NAME, [1.0])
    write_run(tmp_path, "ppo-coinrun_easy_0_0_1", [1.0])
    write_run(tmp_path, "ppo-ninja_hard_500_0_1", [1.0])
    found = find_runs([str(tmp_path)], no_warning)
    what_is = r"there are: coinrun \(easy, all levels\): 2 runs, ninja \(hard, 500 levels\): 1 run\."
    with pytest.raises(UserError, match=rf"no run of ninja \(easy\); {what_is}"):
        select_runs(found, ["coinrun", "ninja"], "easy")
    with pytest.raises(UserError, match=rf"no run of any game \(memory\); {what_is}"):
        select_runs(found, [], "memory")
    with pytest.raises(UserError, match=rf"no run of ninja \(hard\) on 200 levels; {what_is}"):
        select_runs(found, ["ninja"], "hard", 200)
    assert [run.name.env for run in select_runs(found, [], "hard")] == ["ninja"]
    assert len(select_runs(found, ["coinrun"], "easy", 0)) == 2


def test_steps_and_returns_are_read_by_column_name(tmp_path: Path) -> None:
    path = tmp_path / "progress.csv"
    path.write_text("misc/total_timesteps,fps,eprewmean\n16384.0,9,\n32768.0,9,nan\n49152,9,-1.5\n")
    progress = read_progress(path, no_warning)
    assert progress.steps.tolist() == [16384, 32768, 49152]
    assert np.isnan(progress.returns[:2]).all()
    assert progress.returns[2] == -1.5


def test_a_first_row_may_be_of_step_0(tmp_path: Path) -> None:
    path = tmp_path / "progress.csv"
    path.write_text("eprewmean,misc/total_timesteps\n,0\n5,16384\n")
    assert read_progress(path, no_warning, step_factor=4).steps.tolist() == [0, 65536]


@pytest.mark.parametrize("cut", [1, 3, 6, 9])
def test_a_last_line_that_is_cut_off_is_left_out_wherever_the_cut_is(tmp_path: Path, cut: int) -> None:
    """The steps come last: without the line break one cannot tell 300 from the beginning of 3001."""
    path = write_progress(tmp_path / "progress.csv", [1.0, 2.0, 3.0])
    path.write_bytes(path.read_bytes()[:-cut])
    warnings: list[str] = []
    progress = read_progress(path, warnings.append)
    assert progress.steps.tolist() == [100, 200]
    assert warnings == [f"{path}: the last line is cut off and left out."]


def test_a_damaged_line_in_the_middle_is_left_out_and_named(tmp_path: Path) -> None:
    path = write_progress(tmp_path / "progress.csv", [1.0, 2.0, 3.0])
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:2], "50,2.", *lines[2:], ""]))
    warnings: list[str] = []
    assert read_progress(path, warnings.append).returns.tolist() == [1, 2, 3]
    assert warnings == [f"{path}: line 3 left out: not the 4 fields that the first line names."]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "has no rows yet"),
        ("eprewmean,misc/total_timesteps\n", "has no rows yet"),
        ("eprewmean,misc/total_time", "has no rows yet"),
        ("eprewmean,fps\n1,2\n", r"has no column 'misc/total_timesteps'; its columns: eprewmean, fps\."),
        ("return,misc/total_timesteps\n1,2\n", "has no column 'eprewmean'"),
        ("eprewmean,misc/total_timesteps\n1,100\nten,200\n", "line 3: eprewmean is 'ten', expected a number"),
        ("eprewmean,misc/total_timesteps\n1,100\n2,100\n", "line 3: misc/total_timesteps is 100, expected it to rise"),
        ("eprewmean,misc/total_timesteps\n1,nan\n", "line 2: misc/total_timesteps is nan"),
        ("eprewmean,misc/total_timesteps\n1,inf\n", "line 2: misc/total_timesteps is inf"),
        ("eprewmean,misc/total_timesteps\n1,1e999\n", "line 2: misc/total_timesteps is inf"),
        ("eprewmean,misc/total_timesteps\n1,1e16\n", r"line 2: misc/total_timesteps is 1e\+16"),
        ("eprewmean,misc/total_timesteps\n1,-100\n", "line 2: misc/total_timesteps is -100"),
        ("eprewmean,misc/total_timesteps\n-1e999,100\n", "line 2: eprewmean is -inf, expected a return of at most"),
        ("eprewmean,misc/total_timesteps\n1e300,100\n", r"line 2: eprewmean is 1e\+300, expected a return of at most"),
        ("eprewmean,eprewmean,misc/total_timesteps\n1,2,100\n", "has 2 columns 'eprewmean', expected one"),
        ('eprewmean,misc/total_timesteps\n1,100\n"2,200\n', "line 3: eprewmean is '\"2', expected a number"),
        ("\n\n\n", "has no rows yet"),
    ],
)
def test_a_log_that_cannot_be_used_is_refused_with_the_reason(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "progress.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=reason):
        read_progress(path, lambda _: None)


def test_one_unusable_run_costs_that_run_and_the_last_one_is_an_error(tmp_path: Path) -> None:
    write_run(tmp_path, NAME, [1.0] * 12)
    write_run(tmp_path, "sppo-coinrun_easy_0_0_2022", [1.0] * 10)
    write_run(tmp_path, "sppo-ninja_easy_0_0_2022", [])
    folders = find_runs([str(tmp_path)], no_warning)
    warnings: list[str] = []
    (run,) = load_runs(select_runs(folders, ["coinrun"], "easy"), warnings.append, skip_updates=10)
    assert run.folder.name.seed == 2021
    assert len(warnings) == 1
    assert "has 10 updates, of which the first 10 are not drawn; lower --skip-updates" in warnings[0]
    with pytest.raises(UserError, match=r"no run of ninja can be drawn: .*has no rows yet"):
        load_runs(folders, warnings.append)


BLANK = b"\n\n\n"
NUL_BYTES = b"eprewmean,misc/total_timesteps\n5,16384\n" + bytes(131_073) + b"\n6,32768\n"
STRAY_QUOTE = b"eprewmean,fps,misc/total_timesteps\n" + b"".join(
    b"%d,%s,%d\n" % (row, b'"400' if row == 5 else b"400", 100 * row) for row in range(1, 41)
)


def test_damaged_logs_cost_no_other_run(tmp_path: Path) -> None:
    """A blank one is named with its reason; of others all lines are drawn that are whole."""
    write_run(tmp_path, NAME, [1.0, 2.0])
    for seed, content in enumerate((BLANK, NUL_BYTES, STRAY_QUOTE)):
        damaged = tmp_path / f"sppo-coinrun_easy_0_0_{seed}"
        damaged.mkdir()
        (damaged / "progress.csv").write_bytes(content)
    os.mkfifo(write_run(tmp_path, "sppo-coinrun_easy_0_0_7", []) / "pipe")
    (tmp_path / "sppo-coinrun_easy_0_0_7" / "progress.csv").unlink()
    (tmp_path / "sppo-coinrun_easy_0_0_7" / "pipe").rename(tmp_path / "sppo-coinrun_easy_0_0_7" / "progress.csv")
    warnings: list[str] = []
    runs = load_runs(find_runs([str(tmp_path)], warnings.append), warnings.append)
    assert {run.folder.name.seed: len(run.training.steps) for run in runs} == {1: 2, 2: 40, 2021: 2}
    blank, nul, pipe = warnings
    assert "_0_0_0/progress.csv has no rows yet" in blank
    assert "line 3 left out: not the 2 fields" in nul
    assert "_0_0_7/progress.csv is no regular file" in pipe


def test_a_configuration_that_would_lead_files_astray_names_no_run(tmp_path: Path) -> None:
    run = write_run(tmp_path, "my best run", [1.0])
    settings = {"algorithm": "ppo", "distribution_mode": "easy", "num_levels": 0, "start_level": 0, "seed": 1}
    for wrong in ("../../ninja", 5, None, -1):
        (run / "config.json").write_text(json.dumps({"config": {**settings, "env": wrong}}))
        with pytest.raises(UserError, match=r"its name does not say what was run, .*'config\.env' is"):
            find_runs([str(tmp_path)], lambda _: None)


@pytest.mark.parametrize("rank", ["001", "002", "003", "017", "1000"])
def test_held_out_scores_are_found_whichever_worker_wrote_them(tmp_path: Path, rank: str) -> None:
    """The original's test workers are those of rank n − 1, 2n − 1, … and the first of them writes for all."""
    run = write_run(tmp_path, "ppo-coinrun_hard_500_0_1", [5.0, 6.0])
    write_progress(run / f"progress-rank{rank}.csv", [3.0, 4.0])
    (found,) = load_runs(find_runs([str(tmp_path)], no_warning), no_warning)
    assert found.held_out is not None
    assert found.held_out.returns.tolist() == [3, 4]


def test_several_held_out_logs_are_averaged_where_all_have_a_row(tmp_path: Path) -> None:
    run = write_run(tmp_path, "ppo-coinrun_hard_500_0_1", [5.0] * 4)
    write_progress(run / "progress-rank003.csv", [math.nan, math.nan, 3.0, 4.0])
    write_progress(run / "progress-rank007.csv", [math.nan, 2.0, 5.0])
    (run / "progress-rank011.csv").write_bytes(BLANK)
    warnings: list[str] = []
    (found,) = load_runs(find_runs([str(tmp_path)], no_warning), warnings.append)
    assert found.held_out is not None
    assert found.held_out.steps.tolist() == [100, 200, 300]
    np.testing.assert_array_equal(found.held_out.returns, [math.nan, 2, 4])
    damaged, mean = warnings
    assert "progress-rank011.csv has no rows yet" in damaged
    assert "mean of progress-rank003.csv, progress-rank007.csv, at the 3 steps that all have" in mean


def test_held_out_logs_of_different_trainings_are_left_out(tmp_path: Path) -> None:
    run = write_run(tmp_path, "ppo-coinrun_hard_500_0_1", [5.0])
    write_progress(run / "progress-rank001.csv", [3.0, 4.0], steps_of_update=70)
    write_progress(run / "progress-rank003.csv", [3.0, 4.0])
    warnings: list[str] = []
    (found,) = load_runs(find_runs([str(tmp_path)], no_warning), warnings.append)
    assert found.held_out is None
    assert "progress-rank001.csv, progress-rank003.csv have no step in common" in warnings[0]


def test_a_run_that_has_not_finished_an_episode_is_left_out(tmp_path: Path) -> None:
    write_run(tmp_path, NAME, [math.nan] * 5)
    with pytest.raises(UserError, match="no score yet: no episode was finished"):
        load_runs(find_runs([str(tmp_path)], no_warning), lambda _: None)


def test_held_out_levels_are_read_beside_and_without_them_the_run_stays(tmp_path: Path) -> None:
    write_run(tmp_path, "sppo-coinrun_easy_200_0_1", [5.0], held_out=[3.0])
    write_run(tmp_path, "sppo-coinrun_easy_200_0_2", [5.0], held_out=[])
    warnings: list[str] = []
    first, second = load_runs(find_runs([str(tmp_path)], no_warning), warnings.append)
    assert first.held_out is not None
    assert first.held_out.returns.tolist() == [3]
    assert second.held_out is None
    assert second.training.returns.tolist() == [5]
    assert len(warnings) == 1


def test_runs_are_cut_at_the_steps_asked_for(tmp_path: Path) -> None:
    write_run(tmp_path, NAME, [1.0, 2.0, 3.0])
    (run,) = load_runs(find_runs([str(tmp_path)], no_warning), no_warning, max_steps=200)
    assert run.training.steps.tolist() == [100, 200]
    with pytest.raises(UserError, match=r"0 updates up to 99 steps.*raise --max-steps"):
        load_runs(find_runs([str(tmp_path)], no_warning), lambda _: None, max_steps=99)


def test_the_original_counts_one_worker_and_we_count_all(tmp_path: Path) -> None:
    write_run(tmp_path, NAME, [1.0, 2.0])
    ours = write_run(tmp_path, "sppo-coinrun_easy_0_0_2022", [1.0, 2.0])
    (ours / "config.json").write_text("{}")
    first, second = load_runs(find_runs([str(tmp_path)], no_warning), no_warning, original_workers=4)
    assert first.training.steps.tolist() == [400, 800]
    assert second.training.steps.tolist() == [100, 200]
