"""The page that a recording becomes: whole, for itself, escaped, and saying what it lacks."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from semantic_rl.config import ReportConfig
from semantic_rl.errors import UserError
from semantic_rl.recording.store import Recording
from semantic_rl.recording.store.annotations import Annotations
from semantic_rl.report import make_report
from semantic_rl.report.about import about
from semantic_rl.report.agent import head
from semantic_rl.report.parts import color_style

from ..progress_files import write_run
from ..recording.synthetic import make_recording
from .reading import Page

SECTIONS = ("agent", "learning", "map", "clusters", "moves", "metrics", "making")
HOSTILE = """"><script>alert(1)</script><img src=x onerror='alert(2)'>"""


def report_of(recording: Recording, **settings: object) -> Page:
    """Write a recording's report beside it, quickly, and read it."""
    out = recording.path.parent / f"{recording.path.name}.html"
    quick: dict[str, object] = {"num_threads": 1, "baselines": False, "out": out}
    return Page(make_report(ReportConfig(recording.path, **{**quick, **settings})))  # pyright: ignore


def change_description(recording: Recording, **changes: object) -> Recording:
    """Rewrite parts of recording.json by hand."""
    path = recording.path / "recording.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    return recording


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reports")


@pytest.fixture(scope="module")
def recording(folder: Path) -> Recording:
    """A recording of an agent with three codes and one that is never used, with pictures."""
    return make_recording(folder / "sppo", num_episodes=8, num_codes=3, num_unused=1, picture_size=96)


@pytest.fixture(scope="module")
def run(folder: Path) -> Path:
    returns = [5 + update / 20 for update in range(40)]
    return write_run(folder / "runs", "sppo-coinrun_easy_200_0_1", returns, [score - 1 for score in returns])


@pytest.fixture(scope="module")
def page(recording: Recording, run: Path) -> Page:
    return report_of(recording, run=run)


@pytest.fixture(scope="module")
def ppo_page(folder: Path) -> Page:
    return report_of(make_recording(folder / "ppo", num_episodes=8, num_codes=0))


def test_it_has_all_sections_and_links_that_lead_somewhere(page: Page) -> None:
    assert [found.attributes["id"] for found in page.all("section")] == list(SECTIONS)
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    assert {link.removeprefix("#") for link in page.values("href") if link.startswith("#")} <= set(ids)
    assert set(page.values("for")) <= set(ids)


def test_it_needs_nothing_outside_itself(page: Page) -> None:
    for address in [*page.values("src"), *page.values("href"), *page.values("srcset")]:
        assert address.startswith(("data:image/", "#")), address[:80]
    assert not re.search(r"url\(|@import|https?:", page.style)
    assert not {"script", "link", "iframe", "object", "video"} & {found.name for found in page.elements}
    policy = next(found for found in page.all("meta") if "http-equiv" in found.attributes)
    assert policy.attributes["content"] == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def test_pictures_and_drawings_are_described(page: Page) -> None:
    assert page.all("img")
    assert all(found.attributes["alt"] for found in page.all("img"))
    assert all(found.attributes["aria-label"] for found in page.all("svg"))


def test_each_cluster_has_its_card_with_clip_frames_and_charts(page: Page) -> None:
    assert [found.attributes["id"] for found in page.of_class("card")] == [f"cluster-{index}" for index in range(4)]
    assert len(page.of_class("clip")) == len(page.of_class("frames")) == len(page.of_class("charts")) == 3
    assert len(page.of_class("moving")) == len(page.of_class("still")) == 3
    assert "No recorded state is in it." in page.text


def test_figures_and_tables_are_numbered_through(page: Page) -> None:
    labels = re.findall(r"(?:Figure|Table) \d+", page.text)
    assert labels == ["Figure 1", "Figure 2", "Table 1", "Figure 3", "Table 2"]


def test_each_metric_has_its_question_and_interval(page: Page) -> None:
    assert "are states nearer to their own cluster than to the next one, in the plane?" in page.text
    assert re.search(r"Silhouette, plane ↑.*?0\.\d{3}\[0\.\d{3}, 0\.\d{3}\]", page.text, re.DOTALL)


def luminance(color: str) -> float:
    """WCAG's relative luminance of #RGB or #RRGGBB."""
    digits = color[1:] if len(color) == 7 else "".join(2 * digit for digit in color[1:])
    values = [int(digits[start : start + 2], 16) / 255 for start in (0, 2, 4)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in values]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(color: str, other: str) -> float:
    """WCAG's contrast ratio."""
    low, high = sorted((luminance(color), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_numbers_on_the_colours_of_clusters_have_the_contrast_of_aa() -> None:
    for code_index in range(40):
        color, ink = (part.split(":")[1] for part in color_style(code_index).split(";"))
        assert contrast(color, ink) >= 4.5


def test_text_has_the_contrast_of_aa_in_light_in_dark_and_on_paper(page: Page) -> None:
    light, dark, paper = re.findall(r":root \{(.*?)\}", page.style, re.DOTALL)
    for scheme in (light, dark, paper):
        colors = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6})", scheme))
        for ink in ("ink", "ink-2", "accent"):
            for ground in ("paper", "sheet"):
                assert contrast(colors[ink], colors[ground]) >= 4.5


def test_the_learning_curve_is_the_runs(page: Page) -> None:
    lines = page.of_class("smooth")
    assert [found.attributes["class"] for found in lines] == ["smooth training", "smooth held-out"]
    points = [tuple(map(float, point.split(","))) for point in lines[0].attributes["points"].split()]
    assert len(points) == 30
    assert points[-1][0] == pytest.approx(100)
    assert [y for _, y in points] == sorted((y for _, y in points), reverse=True)


def test_the_same_recording_gives_the_same_page(recording: Recording, run: Path, page: Page) -> None:
    assert report_of(recording, run=run, out=recording.path.parent / "again.html").source == page.source


def test_an_agent_without_clusters_has_the_rest_and_says_what_is_absent(ppo_page: Page) -> None:
    assert [found.attributes["id"] for found in ppo_page.all("section")] == list(SECTIONS)
    assert not ppo_page.of_class("card")
    assert ppo_page.text.count("it has no clusters of its own") == 2
    assert "give its run folder with --run" in ppo_page.text
    assert len(ppo_page.of_class("by-value")) == 2  # the points of one panel, and their legend
    assert "Shared with action" in ppo_page.text


def test_text_of_a_recording_is_never_markup(folder: Path) -> None:
    recording = make_recording(folder / "hostile", num_episodes=3)
    agent = {"algorithm": HOSTILE, "sha256": HOSTILE, "path": f"/runs/{HOSTILE}", "config": {HOSTILE: HOSTILE}}
    page = report_of(
        change_description(
            recording,
            agent={**agent, "config": {HOSTILE: HOSTILE, "seed": HOSTILE, "num_levels": HOSTILE, "env": HOSTILE}},
            environment={"env": HOSTILE, "distribution_mode": HOSTILE},
            settings={HOSTILE: HOSTILE, "states": HOSTILE},
            versions={HOSTILE: HOSTILE},
            machine={"device": HOSTILE},
        )
    )
    assert not page.all("script")
    assert not [name for found in page.elements for name in found.attributes if name.startswith("on")]
    assert all(address.startswith("data:image/") for address in page.values("src"))
    assert HOSTILE in page.text


def test_one_episode_of_few_states_without_pictures_still_has_a_page(folder: Path) -> None:
    page = report_of(make_recording(folder / "one", num_episodes=1))
    assert "of 1 episode:" in page.text
    perplexity = re.search(r"perplexity (\d+)", page.text)
    assert perplexity is not None
    assert int(perplexity[1]) < 30


def test_a_page_does_not_grow_with_the_number_of_codes(folder: Path) -> None:
    page = report_of(make_recording(folder / "many", num_episodes=6, num_codes=60))
    assert len(page.of_class("card")) == 32
    assert "smaller clusters, with" in page.text
    assert "The 12 largest of 60 clusters." in page.text
    assert {link.removeprefix("#") for link in page.values("href") if link.startswith("#")} <= set(page.values("id"))


def test_no_states_path_or_folder_of_the_machine_is_told(page: Page, recording: Recording) -> None:
    assert str(recording.path.parent) not in page.source


def test_the_run_is_found_from_the_recording_and_only_if_it_holds_the_recorded_agent(folder: Path) -> None:
    recording = make_recording(folder / "recordings" / "r", num_episodes=3)
    run = write_run(folder / "beside", "sppo-coinrun_easy_200_0_2", [5 + update / 20 for update in range(40)])
    checkpoint = run / "checkpoints" / "update-000003"
    checkpoint.mkdir(parents=True)
    (checkpoint / "state.json").write_text(json.dumps({"timesteps": 88, "files": {"policy.safetensors": "a1"}}))
    agent = {**recording.description["agent"], "path": f"../../beside/{run.name}/checkpoints/update-000003"}
    page = report_of(change_description(recording, agent={**agent, "policy_sha256": "a1"}))
    assert "After 88 steps of training" in page.text
    assert page.of_class("smooth")
    page = report_of(change_description(recording, agent={**agent, "policy_sha256": "b2"}))
    assert "After 88 steps of training" not in page.text
    assert not page.of_class("smooth")
    assert run.name in page.text


def test_an_error_tells_no_path_of_the_machine(folder: Path) -> None:
    recording = make_recording(folder / "told", num_episodes=3)
    run = write_run(folder / "empty", "sppo-coinrun_easy_200_0_3", ["", ""])
    agent = {**recording.description["agent"], "path": f"../empty/{run.name}"}
    page = report_of(change_description(recording, agent=agent))
    assert "has no score yet" in page.text
    assert str(folder) not in page.source


def test_a_recording_of_a_packed_agent_shows_its_card(folder: Path) -> None:
    from semantic_rl.agents import find_agent

    shipped = find_agent("sppo-coinrun")
    recording = make_recording(folder / "packed", num_episodes=3)
    for path in (shipped.name, str(shipped.path)):  # as it is recorded, and as older recordings have it
        agent = {**recording.description["agent"], "path": path}
        page = report_of(change_description(recording, agent=agent))
        assert f"{shipped.card['timesteps']:,} steps of training" in page.text
    assert f"{shipped.card['scores']['episodes']} episodes, from its card" in page.text
    assert shipped.card["reproduce"].split()[-1] in page.text
    assert page.of_class("smooth")


def test_an_imported_agent_names_the_file_that_it_came_from(folder: Path) -> None:
    recording = make_recording(folder / "imported", num_episodes=3)
    state = {"timesteps": 77, "imported_from": {"file": "model at 77.pkl"}}
    (folder / "run").mkdir()
    (folder / "run" / "state.json").write_text(json.dumps(state))
    agent = {**recording.description["agent"], "path": str(folder / "run"), "config": {"seed": 1}}
    page = report_of(change_description(recording, agent=agent))
    assert "semantic-rl import-original 'model at 77.pkl' --env coinrun --out run" in page.text
    assert "After 77 steps of training" in page.text


def test_a_report_is_replaced_and_no_other_file(recording: Recording, tmp_path: Path) -> None:
    foreign = tmp_path / "thesis.html"
    foreign.write_text("<html>all my work</html>")
    with pytest.raises(UserError, match=r"exists and is not a report of semantic-rl; choose another place"):
        report_of(recording, out=foreign)
    assert foreign.read_text() == "<html>all my work</html>"
    with pytest.raises(UserError, match="is a folder; expected the name of a file"):
        report_of(recording, out=tmp_path)
    out = tmp_path / "new" / "folder" / "report.html"
    first = report_of(recording, out=out)
    assert report_of(recording, out=out).source == first.source
    assert [path.name for path in out.parent.iterdir()] == ["report.html"]


def test_a_run_without_scores_is_refused_when_it_was_asked_for(recording: Recording, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"run: .* has no progress\.csv"):
        report_of(recording, run=tmp_path)
    empty = write_run(tmp_path, "sppo-coinrun_easy_0_0_1", ["", ""])
    with pytest.raises(UserError, match="has no score yet"):
        report_of(recording, run=empty)


def test_the_command_writes_the_page_and_prints_its_path_and_size(recording: Recording, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    arguments = ["report", str(recording.path), "--out", str(out), "--no-baselines", "--num-threads", "1"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-m", "semantic_rl.cli", *arguments],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{out}: {out.stat().st_size / 1e6:.1f} MB\n"
    assert not done.stderr
    assert Page(out).all("section")


def test_names_and_notes_of_clusters_are_shown_as_text(tmp_path: Path) -> None:
    recording = make_recording(tmp_path / "named", num_episodes=8, num_codes=3, num_unused=1)
    written = Annotations(recording.path)
    written.put_cluster(0, HOSTILE, f"first line\n{HOSTILE}", HOSTILE[:80], 0)
    written.put_cluster(1, "in the air", "", "Ada", 0)
    page = report_of(recording)
    assert not page.all("script")
    assert not [name for found in page.elements for name in found.attributes if name.startswith("on")]
    assert page.text.count(HOSTILE) >= 4, "in the legend, over the card, in its note, below the table"
    assert "in the air" in page.values("title"), "the table's heads"
    assert page.text.count("in the air") >= 3
    assert "named by Ada, 20" in page.text
    assert f"first line\n{HOSTILE}" in page.text


def test_damaged_annotations_are_said_and_the_report_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = make_recording(tmp_path / "damaged", num_episodes=8, num_codes=3)
    (recording.path / "annotations.json").write_text("{")
    assert report_of(recording).text
    said = capsys.readouterr().err
    assert "annotations.json cannot be read" in said
    assert "Traceback" not in said


def test_clusters_that_were_never_trained_are_called_so_at_the_top_of_the_page(folder: Path) -> None:
    untrained = make_recording(folder / "untrained", semantic_weight_was_above_zero=False, update=20)
    trained = make_recording(folder / "trained", semantic_weight_was_above_zero=True, update=20)
    assert untrained.untrained_note is not None
    assert untrained.untrained_note in str(head(about(untrained), untrained, None, {}))
    assert "never trained" not in str(head(about(trained), trained, None, {}))
