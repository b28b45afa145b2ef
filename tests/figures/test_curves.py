"""Curves drawn from run folders: what is in the figure, what is said of seeds, and the command with all its flags."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from PIL import Image

from semantic_rl.analysis.curves import GameCurves, compute_curves
from semantic_rl.analysis.runs import find_runs, load_runs
from semantic_rl.cli import main
from semantic_rl.commands.parse import parse
from semantic_rl.config import CurvesFigureConfig
from semantic_rl.errors import UserError
from semantic_rl.figures.curve_panels import curves_figure, make_curves
from semantic_rl.figures.curves import COLORS, NUM_CIRCLES, draw_curves, series_colors

from ..progress_files import write_run

VALUES: dict[str, Any] = {
    "run_root": ("a", "name=b"),
    "env": ("coinrun", "ninja"),
    "distribution_mode": "hard",
    "num_levels": 200,
    "out": Path("elsewhere"),
    "smoothing": 0.5,
    "skip_updates": 3,
    "max_steps": 1.6e6,
    "normalize": True,
    "interval": "bootstrap",
    "show_runs": True,
    "final_updates": 7,
    "original_workers": 4,
    "seed": 9,
}
"""For every setting a value that is not its default."""
NEEDS = {"seed": {"interval": "bootstrap"}}
"""Settings that are refused where they would do nothing, with another under which they do something."""


def curves_of(root: Path, *more: str, **settings: Any) -> list[GameCurves]:
    runs = load_runs(find_runs([str(root), *more], lambda _: None), lambda _: None)
    return compute_curves(runs, **{"skip_updates": 0, "smoothing": 0.0, **settings})


def texts(figure: Figure) -> list[str]:
    """All that is written in a figure."""
    return [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]


def lines(figure: Figure) -> dict[str, Line2D]:
    """The labelled lines of the first panel, by label."""
    return {str(line.get_label()): line for line in figure.axes[0].lines if not str(line.get_label()).startswith("_")}


@pytest.fixture
def three_seeds(tmp_path: Path) -> Path:
    """SPPO and PPO in three seeds of 20 updates."""
    for algorithm, offset in (("sppo", 0.5), ("ppo", 0.0)):
        for seed in range(3):
            write_run(tmp_path, f"{algorithm}-coinrun_easy_0_0_{seed}", [offset + seed + 0.1 * t for t in range(20)])
    return tmp_path


def test_curves_are_drawn_on_an_ax_of_ones_own(three_seeds: Path) -> None:
    ax = Figure().add_subplot()
    (game,) = curves_of(three_seeds)
    draw_curves(ax, game)
    sppo, ppo = ax.lines
    assert [sppo.get_label(), ppo.get_label()] == ["SPPO (3 seeds)", "PPO (3 seeds)"]
    assert list(ppo.get_ydata()) == pytest.approx([1 + 0.1 * t for t in range(20)])
    assert list(ppo.get_xdata()) == [100 * t for t in range(1, 21)]
    assert len(ax.collections) == 2
    low, high = ax.collections[1].get_datalim(ax.transData).intervaly
    assert (low, high) == pytest.approx((0, 3.9)), "one standard deviation of 0, 1, 2 is 1"
    assert (ax.get_title(loc="left"), ax.get_xlabel(), ax.get_ylabel()) == ("", "environment steps", "return")


def test_the_figure_says_how_many_seeds_and_which_interval(three_seeds: Path) -> None:
    written = texts(curves_figure(curves_of(three_seeds, smoothing=0.9)))
    assert "SPPO (3 seeds)" in written
    assert "easy  ·  mean ± 1 standard deviation over seeds  ·  smoothed (0.9)" in written
    for interval, words in (("bootstrap", "95% bootstrap interval"), ("range", "lowest and highest seed")):
        assert any(words in text for text in texts(curves_figure(curves_of(three_seeds, interval=interval))))


def test_one_seed_has_no_interval_and_that_is_said(tmp_path: Path) -> None:
    write_run(tmp_path, "sppo-coinrun_easy_0_0_1", [1.0, 2.0])
    figure = curves_figure(curves_of(tmp_path))
    assert not figure.axes[0].collections
    assert "SPPO (1 seed, no interval)" in texts(figure)
    assert not any("deviation" in text for text in texts(figure))


def test_seeds_stand_beside_the_title_where_games_differ_in_them(three_seeds: Path) -> None:
    write_run(three_seeds, "sppo-ninja_easy_0_0_1", [1.0, 2.0])
    written = texts(curves_figure(curves_of(three_seeds)))
    assert {"SPPO (1 to 3 seeds)", "PPO (3 seeds)", "3 seeds", "1 seed"} <= set(written)
    assert any("1 seed: no interval" in text for text in written)


def circles(line: Line2D) -> int:
    """How many marks are drawn on a line."""
    return len(range(len(line.get_xdata()))[line.get_markevery()]) if line.get_marker() == "o" else 0


@pytest.mark.parametrize("num_updates", [1, 2, 30, 3000])
def test_held_out_levels_have_circles_in_the_same_colour_however_long_a_run_is(
    tmp_path: Path, num_updates: int
) -> None:
    scores = [float(update % 7) for update in range(num_updates)]
    write_run(tmp_path, "ppo-coinrun_easy_200_0_1", scores, held_out=scores)
    figure = curves_figure(curves_of(tmp_path))
    drawn = lines(figure)
    training = drawn["PPO (1 seed, no interval)"]
    held_out = drawn["PPO, held-out levels (1 seed, no interval)"]
    assert training.get_color() == held_out.get_color()
    assert list(held_out.get_ydata()) == pytest.approx(scores)
    assert circles(training) == 0
    assert min(num_updates, NUM_CIRCLES - 1) <= circles(held_out) <= NUM_CIRCLES + 2
    assert held_out.get_linewidth() < training.get_linewidth()
    in_legend = {str(mark.get_label()): mark.get_marker() for mark in figure.legends[0].legend_handles}
    assert in_legend[str(held_out.get_label())] == "o"
    assert in_legend[str(training.get_label())] != "o"


def test_a_dollar_in_a_name_is_a_dollar(tmp_path: Path) -> None:
    write_run(tmp_path / "a", r"sppo-$\frac$-coinrun_easy_0_0_1", [1.0, 2.0])
    figure = curves_figure(curves_of(tmp_path / "a"))
    figure.draw_without_rendering()
    assert any(r"SPPO-\$\FRAC\$" in text for text in texts(figure))


def test_seeds_that_go_on_longer_are_thin_lines_and_named(three_seeds: Path) -> None:
    write_run(three_seeds, "ppo-coinrun_easy_0_0_3", [1.0] * 5)
    figure = curves_figure(curves_of(three_seeds))
    assert len(lines(figure)["PPO (4 seeds)"].get_xdata()) == 5
    thin = [line for line in figure.axes[0].lines if line.get_linewidth() < 1]
    assert [len(line.get_xdata()) for line in thin] == [16, 16, 16]
    assert "single seeds, where others have ended" in texts(figure)


def test_single_runs_are_drawn_when_asked_for(three_seeds: Path) -> None:
    figure = curves_figure(curves_of(three_seeds), show_runs=True)
    thin = [line for line in figure.axes[0].lines if line.get_linewidth() < 1]
    assert [len(line.get_xdata()) for line in thin] == [20] * 6
    assert "single seeds" in texts(figure)


def test_sppo_and_ppo_keep_their_colours_whoever_else_is_there(tmp_path: Path) -> None:
    names = [f"{algorithm}-coinrun_easy_0_0_1" for algorithm in ("ppo", "a2c", "sppo")]
    for name in names:
        write_run(tmp_path / "all", name, [1.0])
    colors = {series.algorithm: color for series, color in series_colors(curves_of(tmp_path / "all")).items()}
    assert colors == {"sppo": COLORS[0], "ppo": COLORS[1], "a2c": COLORS[2]}
    for count in range(9):
        write_run(tmp_path / "many", f"other{count}-coinrun_easy_0_0_1", [1.0])
    assert len(set(series_colors(curves_of(tmp_path / "many")).values())) == 9
    write_run(tmp_path / "many", "onemore-coinrun_easy_0_0_1", [1.0])
    with pytest.raises(UserError, match=r"10 curves .* at most 9"):
        series_colors(curves_of(tmp_path / "many"))


def test_normalised_panels_share_a_scale_with_zero_and_one(three_seeds: Path) -> None:
    write_run(three_seeds, "ppo-ninja_easy_0_0_1", [3.5, 6.75])
    figure = curves_figure(curves_of(three_seeds, normalized=True))
    limits = {ax.get_ylim() for ax in figure.axes}
    assert len(limits) == 1
    low, high = limits.pop()
    assert low <= 0 < 1 <= high


@pytest.mark.parametrize("num_games", [1, 2, 3, 4, 5, 16])
def test_each_game_has_a_panel_inside_the_figure(tmp_path: Path, num_games: int) -> None:
    for game in range(num_games):
        write_run(tmp_path, f"ppo-game{'abcdefghijklmnop'[game]}_easy_0_0_1", [1.0, 2.0])
    figure = curves_figure(curves_of(tmp_path))
    assert len(figure.axes) == num_games
    boxes = [ax.get_position() for ax in figure.axes]
    assert all(0 < box.x0 < box.x1 < 1 and 0 < box.y0 < box.y1 < 1 for box in boxes)
    assert len({(round(box.x0, 3), round(box.y0, 3)) for box in boxes}) == num_games


def test_files_are_named_after_what_they_show(three_seeds: Path, tmp_path: Path) -> None:
    out = tmp_path / "figures"
    paths, table = make_curves([str(three_seeds)], out)
    names = ["curves-coinrun.png", "curves-coinrun.svg", "scores-coinrun.csv", "scores-coinrun-runs.csv"]
    assert [path.name for path in paths] == names
    assert sorted(path.name for path in out.iterdir()) == sorted(names)
    with Image.open(paths[0]) as image:
        assert image.width > 1000
    assert table.startswith("final scores (easy): mean return over the last 4 updates")
    write_run(three_seeds, "ppo-ninja_hard_0_0_1", [1.0] * 20)
    write_run(three_seeds, "ppo-jumper_hard_0_0_1", [1.0] * 20)
    paths, _ = make_curves([str(three_seeds)], out, distribution_mode="hard", normalized=True)
    assert paths[0].name == "curves-hard-normalized.png"


def test_nothing_is_written_where_there_is_nothing_to_draw(three_seeds: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no run of jumper"):
        make_curves([str(three_seeds)], tmp_path / "figures", ["jumper"])
    assert not (tmp_path / "figures").exists()


def test_the_command_prints_the_table_and_the_paths_and_warns_on_stderr(
    three_seeds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(three_seeds, "sppo-coinrun_easy_0_0_7", [])
    main(["figures", "curves", "--run-root", str(three_seeds), "--env", "coinrun", "--out", str(tmp_path / "figures")])
    said = capsys.readouterr()
    assert "coinrun  SPPO      3" in said.out
    assert said.out.endswith(f"{tmp_path / 'figures' / 'scores-coinrun-runs.csv'}\n")
    assert said.err == f"note: left out: {three_seeds / 'sppo-coinrun_easy_0_0_7' / 'progress.csv'} has no rows yet.\n"


def test_every_setting_has_a_flag_that_reaches_it_and_no_other() -> None:
    assert {field.name for field in fields(CurvesFigureConfig)} == VALUES.keys()
    for name, value in VALUES.items():
        words = [str(item) for item in value] if isinstance(value, tuple) else [] if value is True else [str(value)]
        needed = NEEDS.get(name, {})
        more = [word for other, setting in needed.items() for word in (f"--{other}", setting)]
        config = parse(CurvesFigureConfig, [f"--{name.replace('_', '-')}", *words, *more], "figures curves")
        assert config != CurvesFigureConfig()
        assert vars(config) == {**vars(CurvesFigureConfig()), **needed, name: value}


def test_settings_reach_the_figure(three_seeds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command hands every setting on under the right name."""
    given: dict[str, Any] = {}

    def remember(*places: Any, **names: Any) -> tuple[list[Path], str]:
        given.update(zip(("run_root", "out", "env", "distribution_mode", "num_levels"), places, strict=True), **names)
        return [], ""

    monkeypatch.setattr("semantic_rl.figures.curve_panels.make_curves", remember)
    words: list[str] = []
    for name, value in VALUES.items():
        words.append(f"--{name.replace('_', '-')}")
        words += [str(item) for item in value] if isinstance(value, tuple) else [] if value is True else [str(value)]
    main(["figures", "curves", *words])
    assert given.pop("normalized") is VALUES["normalize"]
    assert given == {name: value for name, value in VALUES.items() if name != "normalize"}


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"env": ("coinrnu",)}, "Did you mean 'coinrun'"),
        ({"env": ("bigfish",), "distribution_mode": "memory"}, "bigfish has no mode 'memory'"),
        ({"smoothing": 1.0}, "smoothing: got 1.0"),
        ({"skip_updates": -1}, "skip_updates: got -1"),
        ({"max_steps": 0.0}, "max_steps: got 0.0"),
        ({"final_updates": 0}, "final_updates: got 0"),
        ({"original_workers": 0}, "original_workers: got 0"),
        ({"num_levels": -1}, "num_levels: got -1"),
        ({"run_root": ()}, "run_root: got"),
        ({"seed": -1}, "seed: got -1"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        CurvesFigureConfig(**settings)
